import { secp256k1 } from '@noble/curves/secp256k1.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 as hash } from '@noble/hashes/sha2.js'
import { keccak_256 as keccak } from '@noble/hashes/sha3.js'
import { concat, fromHex, toDigest, toHex, utf8 } from '#base/bytes.ts'
import { type Address, address, type Digest } from '#base/ids.ts'
import { programmeId as programmeDigest } from '#wire/programme.ts'
import { sha256 } from './sha256.ts'

/**
 * All that a patient's consent is made of, from 128 bits that only the receipt or the card holds (DESIGN section 9):
 *
 *   secret ── HKDF ──► one-time secp256k1 key ──► address ─┐
 *         └── HKDF ──► blind ──────────────────────────────┴─► tag = keccak256(blind ‖ address)
 *
 * The tag says nothing until the patient withdraws: then blind and address are shown, and the key's signature proves the right to.
 * The programme's name goes into both, so that one secret gives tags of two programmes that nobody can link.
 */
export interface ConsentKeys {
  readonly tag: Digest
  readonly oneTimeAddress: Address
  readonly blind: Digest
  /** 32 bytes. Never funded, and never used again once the consent is withdrawn. */
  readonly privateKey: Uint8Array
}

export const SECRET_BYTES = 16

/** The programme's name on chain. */
export const programmeId = (programme: string): Digest => programmeDigest(programme, sha256)

export const tagOf = (blind: Digest, oneTimeAddress: Address): Digest => toDigest(keccak(concat(fromHex(blind), fromHex(oneTimeAddress))))

/** @param secret of SECRET_BYTES */
export function consentKeys(secret: Uint8Array, programme: string): ConsentKeys {
  const derive = (what: string) => hkdf(hash, secret, SALT, utf8(`${what}/${programme}`), 32)
  // HKDF output is a valid key but for 1 in 2^128.
  const privateKey = derive('key')
  const oneTimeAddress = addressOf(secp256k1.getPublicKey(privateKey, false))
  const blind = toDigest(derive('blind'))
  return { tag: tagOf(blind, oneTimeAddress), oneTimeAddress, blind, privateKey }
}

const SALT = utf8('rota/consent/v1')

/** @param publicKey uncompressed: 04 ‖ x ‖ y */
export const addressOf = (publicKey: Uint8Array): Address => address(toHex(keccak(publicKey.subarray(1)).subarray(12)))
