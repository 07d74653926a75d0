import { fromHex } from '#base/bytes.ts'
import { type Address, type Digest, isAddress, isDigest } from '#base/ids.ts'
import { consentKeys, programmeId, tagOf } from './keys.ts'
import { type ConsentDomain, isSignature, signDigest, signerOf, typedDigest } from './typed-data.ts'

/** What anyone may relay for the patient: the arguments of `Chain.withdraw`, and the tag that follows from them. */
export interface SignedWithdrawal {
  readonly programme: Digest
  readonly blind: Digest
  readonly patientKey: Address
  readonly tag: Digest
  readonly signature: string
}

/** @see contracts/ConsentRegistry.sol: WITHDRAW_TYPE */
const WITHDRAW = 'Withdraw(bytes32 programme,bytes32 tag)'

const withdrawalDigest = (domain: ConsentDomain, programme: Digest, tag: Digest): Uint8Array =>
  typedDigest(domain, WITHDRAW, [fromHex(programme), fromHex(tag)])

/** Needs nobody: no account, no ether, no network. */
export function signWithdrawal(secret: Uint8Array, programme: string, domain: ConsentDomain): SignedWithdrawal {
  const { tag, oneTimeAddress, blind, privateKey } = consentKeys(secret, programme)
  const id = programmeId(programme)
  return { programme: id, blind, patientKey: oneTimeAddress, tag, signature: signDigest(withdrawalDigest(domain, id, tag), privateKey) }
}

/** Whether the contract of this domain would take it: what a relay asks before it promises anything. It may have been withdrawn before. */
export const isSigned = ({ programme, blind, patientKey, tag, signature }: SignedWithdrawal, domain: ConsentDomain): boolean =>
  tagOf(blind, patientKey) === tag && signerOf(withdrawalDigest(domain, programme, tag), signature) === patientKey

/** Reads what somebody sent; null where it is none. Says nothing of the signature: `isSigned` does. */
export function readWithdrawal(value: unknown): SignedWithdrawal | null {
  if (typeof value !== 'object' || value === null) return null
  const { programme, blind, patientKey, tag, signature } = value as Partial<SignedWithdrawal>
  const fits = isDigest(programme) && isDigest(blind) && isAddress(patientKey) && isDigest(tag) && isSignature(signature)
  return fits ? { programme, blind, patientKey, tag, signature } : null
}
