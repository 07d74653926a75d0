import { id, TypedDataEncoder, Wallet } from 'ethers'
import { tagOf } from '#adapters/sim/chain/patient-key.ts'
import { type Address, address, digest } from '#base/ids.ts'
import type { Patient } from './scene.ts'

const known = new Map<Address, Promise<readonly Patient[]>>()

/** Five patients, two of them with keys that can send transactions themselves; signed once for each registry. */
export function signedPatients(accounts: readonly Address[], chainId: bigint, registry: Address): Promise<readonly Patient[]> {
  const before = known.get(registry)
  if (before !== undefined) return before
  const patients = Promise.all([0, 1, 2, 3, 4].map((i) => signed(i, accounts, chainId, registry)))
  known.set(registry, patients)
  return patients
}

async function signed(i: number, accounts: readonly Address[], chainId: bigint, registry: Address): Promise<Patient> {
  const wallet = new Wallet(id(`patient ${i}`))
  const key = i < 2 ? (accounts.at(-1 - i) as Address) : address(wallet.address)
  const programme = digest(id(`programme ${i % 2}`))
  const blind = digest(id(`blind ${i}`))
  const tag = tagOf(blind, key)
  const sign = (by: Wallet, kind: string) =>
    by.signingKey.sign(TypedDataEncoder.hash({ name: 'Rota', version: '1', chainId, verifyingContract: registry }, { [kind]: FIELDS }, { programme, tag }))
      .serialized
  return { key, sends: i < 2, programme, blind, tag, signature: sign(wallet, 'Withdraw'), byOmbudsman: sign(OMBUDSMAN, 'OmbudsmanWithdraw') }
}

const FIELDS = [
  { name: 'programme', type: 'bytes32' },
  { name: 'tag', type: 'bytes32' },
]

/** Signs for others to relay. */
export const OMBUDSMAN = new Wallet(id('ombudsman'))
