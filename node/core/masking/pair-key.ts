import { concat } from '#base/bytes.ts'
import type { SiteId } from '#base/ids.ts'
import { type DealingRound, labelled, type MaskingRound } from './context.ts'
import type { MaskingCrypto } from './crypto.ts'

/**
 * The part of a pair's key that a quantum computer cannot compute from public keys: made by the lower site of its mask seed, and brought to the
 * upper one in its parcel, under X25519 and ML-KEM-768 together. Whoever rebuilds the lower's seed has it too.
 */
export const pairSecret = ({ ctx }: DealingRound, lower: SiteId, upper: SiteId, maskSeed: Uint8Array, { hkdf }: MaskingCrypto): Uint8Array =>
  hkdf(maskSeed, ctx, labelled('pair secret', lower, upper), 32)

/**
 * What the upper site hides that secret with when it keys, for all to see: whoever rebuilds the upper's mask seed has it too. One-time: 32 bytes of HKDF for 32
 * bytes; that the secret is the right one says the lower's `pairTag`.
 */
export const pairPad = ({ ctx }: DealingRound, lower: SiteId, upper: SiteId, maskSeed: Uint8Array, { hkdf }: MaskingCrypto): Uint8Array =>
  hkdf(maskSeed, ctx, labelled('pair pad', lower, upper), 32)

export const xor = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((byte, i) => byte ^ (b[i] as number))

/** Key of the mask that one adds and the other takes away, in this round and from this model. @param agreed X25519 of their mask keys */
export const pairKey = ({ modelCtx }: MaskingRound, one: SiteId, other: SiteId, agreed: Uint8Array, secret: Uint8Array, { hkdf }: MaskingCrypto): Uint8Array =>
  hkdf(concat(agreed, secret), modelCtx, labelled('pair', one < other ? one : other, one < other ? other : one), 32)

export const selfKey = ({ modelCtx }: MaskingRound, site: SiteId, selfSeed: Uint8Array, { hkdf }: MaskingCrypto): Uint8Array =>
  hkdf(selfSeed, modelCtx, labelled('self', site), 32)
