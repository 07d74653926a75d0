import { has, sitesOf } from '#base/bitmap.ts'
import type { SiteId } from '#base/ids.ts'
import type { MaskGroup } from './groups.ts'
import { exchangeKey, pairMaskKey, pairSecretOf, selfMaskKey } from './mask-keys.ts'
import { type MaskStream, withoutMasks } from './mask-stream.ts'
import { type Blame, dealersOf, findSeed, hiddenSecret, type MaskEvidence } from './seeds.ts'

export interface Unmasked {
  /** The sum without its masks; null when they cannot be taken off. */
  readonly plain: Uint8Array | null
  /** Why not: one line for each mask. */
  readonly lacking: readonly string[]
  /** Who released what does not hold, whether it was needed or not. */
  readonly blamed: readonly Blame[]
  /** Whose shares do not make its seed, though enough are there. */
  readonly doubted: readonly SiteId[]
  /** What could not be held against anything. */
  readonly noted: readonly string[]
}

/**
 * Takes the masks off the sum of a frozen set's words: the mask that each of its sites alone knows, and those that they share with sites that
 * dropped out. Masks between two of the set are gone from the sum by themselves.
 */
export function unmask(evidence: MaskEvidence, sum: Uint8Array, wordBits: 32 | 64, groups: readonly MaskGroup[] = []): Unmasked {
  const { round, survivors } = evidence
  const lacking: string[] = []
  const blamed: Blame[] = []
  const doubted: SiteId[] = []
  const noted: string[] = []
  const parts = groups.length > 0 ? groups : [{ sites: new Set(sitesOf(survivors)), start: 0, end: sum.length }]
  const streams = parts.map((): MaskStream[] => [])
  for (const dealer of dealersOf(evidence)) {
    const { seed, why, wrong, isDoubted, onWordOf } = findSeed(evidence, dealer)
    blamed.push(...wrong)
    if (onWordOf.length > 0) noted.push(`the deal of site ${dealer} is not in the stores: its mask was taken off on the word of site ${onWordOf.join(', ')}`)
    if (isDoubted) doubted.push(dealer)
    if (seed === null) {
      lacking.push(why)
      continue
    }
    for (const [i, { sites }] of parts.entries()) {
      if (has(survivors, dealer)) {
        if (sites.has(dealer)) streams[i]?.push({ key: selfMaskKey(round, dealer, seed), sign: 1 })
        continue
      }
      // Of groups one that dropped out shared masks in its own alone.
      if (groups.length > 0 && !sites.has(dealer)) continue
      const shared = sharedMasks(evidence, dealer, seed, sites)
      streams[i]?.push(...shared.streams)
      lacking.push(...shared.lacking)
    }
  }
  if (lacking.length > 0) return { plain: null, lacking, blamed, doubted, noted }
  const plain = Uint8Array.from(sum)
  for (const [i, { start, end }] of parts.entries()) plain.set(withoutMasks(sum.subarray(start, end), wordBits, streams[i] as MaskStream[]), start)
  return { plain, lacking, blamed, doubted, noted }
}

interface Shared {
  readonly streams: MaskStream[]
  readonly lacking: string[]
}

/** Of a site that dropped out with each partner who stayed in: the lower of two added the mask, the upper took it away. */
function sharedMasks(evidence: MaskEvidence, dropped: SiteId, seed: Uint8Array, among: ReadonlySet<SiteId>): Shared {
  const { round, edges, survivors, indexes } = evidence
  const { own } = exchangeKey(seed)
  const found: Shared = { streams: [], lacking: [] }
  for (const partner of sitesOf(survivors).filter((site) => among.has(site) && edges.get(dropped)?.has(site))) {
    const secret = dropped < partner ? pairSecretOf(round, dropped, partner, seed) : hiddenSecret(evidence, partner, dropped, seed)
    const otherKey = indexes.get(partner)?.maskKey
    const key = secret && otherKey && pairMaskKey(round, dropped, partner, own, otherKey, secret)
    if (key) found.streams.push({ key, sign: partner < dropped ? 1 : -1 })
    else found.lacking.push(`the mask between site ${partner} and site ${dropped}, which dropped out, cannot be made again`)
  }
  return found
}
