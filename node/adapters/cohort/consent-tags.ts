import { hkdfSync } from 'node:crypto'
import { computeAddress, concat, keccak256, SigningKey, TypedDataEncoder } from 'ethers'
import { type Address, address, type Digest, digest } from '#base/ids.ts'
import { programmeId as programmeDigest } from '#wire/programme.ts'
import { sha256 } from './site-maps.ts'

/**
 * All that a patient's consent is made of, from 128 bits that only the receipt holds (DESIGN section 9):
 *
 *   secret ── HKDF ──► one-time secp256k1 key ──► address ─┐
 *         └── HKDF ──► blind ──────────────────────────────┴─► tag = keccak256(blind ‖ address)
 *
 * The tag says nothing until the patient withdraws: then blind and address are shown, and the key's signature proves the right to.
 */
export interface ConsentKeys {
  readonly tag: Digest
  readonly oneTimeAddress: Address
  readonly blind: Digest
  readonly signingKey: SigningKey
}

export const SECRET_BYTES = 16

/** The programme's name on chain. */
export const programmeId = (programme: string): Digest => programmeDigest(programme, sha256)

export const tagOf = (blind: Digest, oneTimeAddress: Address): Digest => digest(keccak256(concat([blind, oneTimeAddress])))

export function consentKeys(secret: Uint8Array, programme: string): ConsentKeys {
  const derive = (what: string) => `0x${Buffer.from(hkdfSync('sha256', secret, 'rota/consent/v1', `${what}/${programme}`, 32)).toString('hex')}`
  // HKDF output is a valid key but for 1 in 2^128.
  const signingKey = new SigningKey(derive('key'))
  const oneTimeAddress = address(computeAddress(signingKey))
  const blind = digest(derive('blind'))
  return { tag: tagOf(blind, oneTimeAddress), oneTimeAddress, blind, signingKey }
}

/** EIP-712 domain of ConsentRegistry, as the contract says it. */
export interface WithdrawDomain {
  readonly name: string
  readonly version: string
  readonly chainId: bigint
  readonly verifyingContract: string
}

/** @see contracts/interfaces/IConsentRegistry.sol */
export const consentDomain = (chainId: bigint, consentRegistry: string): WithdrawDomain => ({
  name: 'Rota',
  version: '1',
  chainId,
  verifyingContract: consentRegistry,
})

/** What anyone may relay for the patient: the arguments of `Chain.withdraw`. */
export interface SignedWithdrawal {
  readonly programme: Digest
  readonly blind: Digest
  readonly patientKey: Address
  readonly tag: Digest
  readonly signature: string
}

const WITHDRAW = {
  Withdraw: [
    { name: 'programme', type: 'bytes32' },
    { name: 'tag', type: 'bytes32' },
  ],
}

export function signWithdrawal(secret: Uint8Array, programme: string, domain: WithdrawDomain): SignedWithdrawal {
  const { tag, oneTimeAddress, blind, signingKey } = consentKeys(secret, programme)
  const id = programmeId(programme)
  const signature = signingKey.sign(TypedDataEncoder.hash({ ...domain }, WITHDRAW, { programme: id, tag })).serialized
  return { programme: id, blind, patientKey: oneTimeAddress, tag, signature }
}
