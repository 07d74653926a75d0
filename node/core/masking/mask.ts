import { sitesOf } from '#base/bitmap.ts'
import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import type { RingVector } from '../ring/vectors.ts'
import type { MaskingRound } from './context.ts'
import type { MaskingCrypto, Prg } from './crypto.ts'
import type { Masks } from './graph.ts'
import type { OpenedDeal } from './open-deal.ts'
import { pairKey, selfKey } from './pair-key.ts'
import type { RoundKeys } from './round-keys.ts'
import { addStreams, type Stream } from './words.ts'

/** A ring vector under all masks of its site: alone it is noise. Salt words are masked with the rest. */
export interface MaskedVector {
  readonly masked: true
  readonly wordBits: 32 | 64
  readonly bytes: Uint8Array
}

/** Of two that share a mask the lower adds it and the upper takes it away. */
export const signOf = (site: SiteId, other: SiteId): 1 | -1 => (site < other ? 1 : -1)

/**
 * The masks of one site: its own, and one with each neighbour.
 * @throws ROTA-2328 (retry) when a mask is lacking: nothing is sent then
 */
export function streamsOf(
  round: MaskingRound,
  graph: Masks,
  { site, keys, opened }: { readonly site: SiteId; readonly keys: RoundKeys; readonly opened: ReadonlyMap<SiteId, OpenedDeal> },
  crypto: MaskingCrypto,
): Stream[] {
  const keyWith = (other: SiteId): Uint8Array => {
    const { agreed = null, pairSecret = null } = opened.get(other) ?? {}
    if (agreed === null || pairSecret === null) throw new RotaError('ROTA-2328', { site, neighbours: opened.size, threshold: round.threshold - 1 })
    return pairKey(round, site, other, agreed, pairSecret, crypto)
  }
  const pairs = sitesOf(graph.neighbours(site)).map((other): Stream => ({ key: keyWith(other), sign: signOf(site, other) }))
  return [{ key: selfKey(round, site, keys.seeds.self, crypto), sign: 1 }, ...pairs]
}

/** Uses the vector up: the words are written over. */
export function mask({ wordBits, bytes }: RingVector, streams: readonly Stream[], prg: Prg): MaskedVector {
  addStreams(bytes, wordBits, 0, streams, prg)
  return { masked: true, wordBits, bytes }
}
