import type { RandomSource } from '../ring/to-ring.ts'
import { labelled } from './context.ts'
import { type AgreementKey, type KemKey, type MaskingCrypto, SEED_BYTES } from './crypto.ts'

/**
 * All secrets of one site in one round, 32 random bytes each, drawn for this round and kept until it is over: a restart derives the rest again.
 * They are never in a backup: a restored disk must not mask twice with one key.
 */
export interface RoundSeeds {
  /** Of what is shared with each other member; in shares with the members, for when this site drops out. */
  readonly mask: Uint8Array
  /** Of the mask that only this site knows; in shares with the members, for when it does not. */
  readonly self: Uint8Array
  /** Of the keys under which parcels come. In shares with nobody. */
  readonly channel: Uint8Array
}

export interface RoundKeys {
  readonly seeds: RoundSeeds
  readonly mask: AgreementKey
  readonly channel: AgreementKey
  readonly channelKem: KemKey
}

/** @param random cryptographically secure */
export const drawSeeds = (random: RandomSource): RoundSeeds => ({
  mask: random.bytes(SEED_BYTES),
  self: random.bytes(SEED_BYTES),
  channel: random.bytes(SEED_BYTES),
})

/** Not bound to a context: keys are offered while the round before still trains, and its model is part of the context. All that is made with them is. */
export const roundKeys = (seeds: RoundSeeds, crypto: MaskingCrypto): RoundKeys => ({
  seeds,
  mask: maskKeyOf(seeds.mask, crypto),
  channel: crypto.agreementKey(derive(seeds.channel, 'channel x25519', 32, crypto)),
  channelKem: crypto.kemKey(derive(seeds.channel, 'channel ml-kem-768', 64, crypto)),
})

/** Also of a seed that others rebuilt: its public key shows whether it is the right one. */
export const maskKeyOf = (seed: Uint8Array, crypto: MaskingCrypto): AgreementKey => crypto.agreementKey(derive(seed, 'mask x25519', 32, crypto))

const NO_SALT = new Uint8Array(32)
const derive = (seed: Uint8Array, label: string, lengthBytes: number, { hkdf }: MaskingCrypto): Uint8Array => hkdf(seed, NO_SALT, labelled(label), lengthBytes)
