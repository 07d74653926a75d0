import type { SiteId } from '#base/ids.ts'
import { type DealingRound, labelled } from './context.ts'
import type { MaskingCrypto } from './crypto.ts'

/** Which secret a share is of: the one that is rebuilt of whoever stays in, or of whoever drops out. Never both of one site in one round. */
export type ShareKind = 'self' | 'mask'

/** H(b): what a dealer says in public about its self-mask, so that a rebuilt seed can be checked. The seed is 32 random bytes: its hash gives nothing away. */
export const commitSelf = ({ ctx }: DealingRound, dealer: SiteId, seed: Uint8Array, { sha256 }: MaskingCrypto): Uint8Array =>
  sha256(labelled('self seed', dealer), ctx, seed)

/**
 * What a dealer says in public about a share, so that whoever sends another is found. Without salt: to those who have t − 1 other shares this
 * one still is 32 random bytes.
 */
export const commitShare = (kind: ShareKind, { ctx }: DealingRound, dealer: SiteId, holder: SiteId, share: Uint8Array, { sha256 }: MaskingCrypto): Uint8Array =>
  sha256(labelled(`${kind} share`, dealer, holder), ctx, share)

/** Hash of the secret that a pair has from the lower of the two; see `pairSecret`. */
export const pairTag = ({ ctx }: DealingRound, lower: SiteId, upper: SiteId, secret: Uint8Array, { sha256 }: MaskingCrypto): Uint8Array =>
  sha256(labelled('pair tag', lower, upper), ctx, secret)
