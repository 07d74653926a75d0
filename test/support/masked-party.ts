import { createHash } from 'node:crypto'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { bitmapOf, has } from '#base/bitmap.ts'
import { address, type Bitmap, digest, roundNo, runId, type SiteId, siteId, studyId } from '#base/ids.ts'
import { type Advertisement, advertisementOf } from '#core/masking/advertisement.ts'
import { type MaskingRound, type MaskingTerms, maskingRound } from '#core/masking/context.ts'
import type { MaskingCrypto } from '#core/masking/crypto.ts'
import { type Deal, makeDeal } from '#core/masking/deal.ts'
import { type KeyedSite, type MaskGraph, maskGraph } from '#core/masking/graph.ts'
import { type KeyRecord, makeKeyRecord } from '#core/masking/key-record.ts'
import { mask, streamsOf } from '#core/masking/mask.ts'
import { type OpenedDeal, openDeal } from '#core/masking/open-deal.ts'
import { rebuildSeeds, type UnmaskInput } from '#core/masking/rebuild.ts'
import { checkRelease, makeRelease, type Release } from '#core/masking/release.ts'
import { drawSeeds, type RoundKeys, roundKeys } from '#core/masking/round-keys.ts'
import { streamsToRemove } from '#core/masking/unmask.ts'
import { addStreams } from '#core/masking/words.ts'
import type { Seeded } from '#core/model/seeded.ts'
import { addVectors } from '#core/ring/add.ts'
import { encodeDealIndex } from '#wire/masking/deal-index.ts'
import { parcelDigest } from '#wire/masking/parcel.ts'

export const digestOf = parcelDigest(nodeMasking.sha256)
export const indexDigest = (deal: Deal): Uint8Array => new Uint8Array(createHash('sha256').update(encodeDealIndex(deal.index)).digest())

export const termsOf = (members: Bitmap, round = 7): MaskingTerms => ({
  chainId: 31337n,
  genesis: digest(`0x${'11'.repeat(32)}`),
  coordinator: address(`0x${'22'.repeat(20)}`),
  study: studyId(1),
  run: runId(3),
  round: roundNo(round),
  epoch: 0,
  baseRoot: digest(`0x${'33'.repeat(32)}`),
  protocol: digest(`0x${'44'.repeat(32)}`),
  members,
})

export interface Member {
  readonly site: SiteId
  readonly keys: RoundKeys
  readonly offer: Advertisement
  readonly deal: Deal
  readonly opened: ReadonlyMap<SiteId, OpenedDeal>
}

/** A whole Keying: every member dealt to every other, and opened what it got. */
export interface Party {
  readonly round: MaskingRound
  readonly members: ReadonlyMap<SiteId, Member>
}

export async function makeParty(sites: readonly SiteId[], random: Seeded, terms: MaskingTerms = termsOf(bitmapOf(sites))): Promise<Party> {
  const crypto = nodeMasking
  const round = maskingRound(terms, crypto.sha256)
  const keys = new Map(sites.map((site) => [site, roundKeys(drawSeeds(random), crypto)]))
  const offers = new Map([...keys].map(([site, own]) => [site, advertisementOf(own)]))
  const deals = new Map<SiteId, Deal>()
  for (const [site, own] of keys) deals.set(site, await makeDeal({ round, site, keys: own, offers, parcelDigest: digestOf, crypto }))
  const members = sites.map((site): Member => {
    const [own, offer, deal] = [keys.get(site)!, offers.get(site)!, deals.get(site)!]
    const opened = new Map([...deals].map(([dealer, from]) => [dealer, openFrom(round, site, own, offers.get(dealer)!, from)]))
    return { site, keys: own, offer, deal, opened }
  })
  return { round, members: new Map(members.map((member) => [member.site, member])) }
}

export const openFrom = (round: MaskingRound, site: SiteId, keys: RoundKeys, offer: Advertisement, deal: Deal): OpenedDeal =>
  openDeal({ round, site, keys, offer, index: deal.index, parcel: deal.parcels.get(site)!, parcelDigest: digestOf, crypto: nodeMasking })

/** What befalls a round. */
export interface Fate {
  readonly keyed: readonly SiteId[]
  /** Whether a deal did not arrive. */
  readonly isLost: (dealer: SiteId, holder: SiteId) => boolean
}

export interface Keyed {
  readonly party: Party
  readonly events: readonly KeyedSite[]
  readonly graph: MaskGraph
  readonly records: ReadonlyMap<SiteId, KeyRecord>
}

export function keyIn(party: Party, { keyed, isLost }: Fate): Keyed {
  const records = new Map(
    keyed.map((site) => {
      const { keys, opened, deal } = party.members.get(site)!
      const held = new Map([...opened].filter(([dealer]) => !isLost(dealer, site)))
      return [site, makeKeyRecord({ round: party.round, site, keys, index: indexDigest(deal), opened: held, crypto: nodeMasking })]
    }),
  )
  const events = [...records.values()].map(({ site, held }) => ({ site, holds: held }))
  return { party, events, graph: maskGraph(party.round, events), records }
}

export const maskOf = ({ party, graph }: Keyed, site: SiteId, bytes: Uint8Array, wordBits: 32 | 64, crypto: MaskingCrypto = nodeMasking): Uint8Array =>
  mask({ ring: true, wordBits, bytes: bytes.slice() }, streamsOf(party.round, graph, party.members.get(site)!, crypto), crypto.keystream).bytes

export const releasesOf = ({ party, graph }: Keyed, survivors: Bitmap, answering: readonly SiteId[]): Map<SiteId, Release> =>
  new Map(
    answering.map((site) => {
      const release = makeRelease(party.round, graph, survivors, party.members.get(site)!)
      checkRelease(release, party.round, graph, survivors, site)
      return [site, release]
    }),
  )

export const unmaskInput = (keyed: Keyed, survivors: Bitmap, releases: ReadonlyMap<SiteId, Release>): UnmaskInput => ({
  round: keyed.party.round,
  graph: keyed.graph,
  survivors,
  indexes: new Map([...keyed.party.members].map(([site, { deal }]) => [site, deal.index])),
  releases,
  fetchParcel: async (dealer, holder) => keyed.party.members.get(dealer)!.deal.parcels.get(holder),
  parcelDigest: digestOf,
  crypto: nodeMasking,
})

/** Adds the survivors' masked vectors up and takes the masks off. */
export async function unmaskedSum(
  keyed: Keyed,
  masked: ReadonlyMap<SiteId, Uint8Array>,
  wordBits: 32 | 64,
  answering: readonly SiteId[],
): Promise<{ readonly sum: Uint8Array; readonly wrong: Bitmap }> {
  const survivors = bitmapOf(masked.keys())
  const input = unmaskInput(keyed, survivors, releasesOf(keyed, survivors, answering))
  return unmaskWith(keyed, input, masked, wordBits)
}

export async function unmaskWith(keyed: Keyed, input: UnmaskInput, masked: ReadonlyMap<SiteId, Uint8Array>, wordBits: 32 | 64) {
  const { bytes } = plainSum([...masked.values()], wordBits)
  const rebuilt = await rebuildSeeds(input)
  // Only what is known of those who dropped out: the rest is on their own disks.
  const records = new Map([...keyed.records].filter(([site]) => !has(input.survivors, site)))
  addStreams(bytes, wordBits, 0, streamsToRemove(input, rebuilt, records), nodeMasking.keystream)
  return { sum: bytes, wrong: rebuilt.wrong }
}

export const plainSum = (vectors: readonly Uint8Array[], wordBits: 32 | 64) => addVectors(vectors.map((bytes) => ({ ring: true, wordBits, bytes })))

export const sitesFrom = (n: number): SiteId[] => Array.from({ length: n }, (_, i) => siteId(i))
export const below = (random: Seeded, n: number): number => Math.floor(random.uniform() * n)
/** Some `count` of a list, in its order. */
export function some<T>(items: readonly T[], count: number, random: Seeded): T[] {
  const left = [...items]
  while (left.length > Math.max(0, count)) left.splice(below(random, left.length), 1)
  return left
}
