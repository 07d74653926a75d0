import { keccak256 } from 'ethers/crypto'
import { verifyTypedData } from 'ethers/hash'
import { concat, fromHex } from '#base/bytes.ts'
import { type Address, address, type Digest, digest } from '#base/ids.ts'

/** keccak256(blind ‖ patientKey). */
export const tagOf = (blind: Digest, patientKey: Address): Digest => digest(keccak256(concat(fromHex(blind), fromHex(patientKey))))

/** What a withdrawal is signed as: by the patient's own key, or by an ombudsman's. */
export type WithdrawalKind = 'Withdraw' | 'OmbudsmanWithdraw'

const FIELDS = [
  { name: 'programme', type: 'bytes32' },
  { name: 'tag', type: 'bytes32' },
]

/** Who signed this withdrawal (EIP-712), or null when the signature is malformed. */
export function signedWithdrawal(
  domain: { readonly chainId: bigint; readonly verifyingContract: Address },
  programme: Digest,
  tag: Digest,
  signature: string,
  kind: WithdrawalKind = 'Withdraw',
): Address | null {
  if (!/^0x[0-9a-f]{130}$/i.test(signature)) return null
  try {
    return address(verifyTypedData({ name: 'Rota', version: '1', ...domain }, { [kind]: FIELDS }, { programme, tag }, signature))
  } catch {
    return null
  }
}
