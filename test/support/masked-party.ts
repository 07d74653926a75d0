import { nodeMasking } from '#adapters/masking/node-masking.ts'
import type { RoundLog } from '#audit/run-log.ts'
import { bitmapOf, EMPTY, sitesOf, sizeOf } from '#base/bitmap.ts'
import { address, type Bitmap, type Digest, digest, roundNo, runId, type SiteId, siteId, studyId, ZERO_DIGEST } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import { type Advertisement, advertisementOf } from '#core/masking/advertisement.ts'
import { type MaskingRound, type MaskingTerms, maskingRound } from '#core/masking/context.ts'
import { type MaskingCrypto, SHARE_BYTES } from '#core/masking/crypto.ts'
import { type Deal, makeDeal } from '#core/masking/deal.ts'
import { complainersOf, type MaskGraph, maskGraph, mostShown, type ShownShares } from '#core/masking/graph.ts'
import { type HeldName, HIDDEN_BYTES, heldDealsOf, heldIn, hidePair, type KeyedSite, nameOfDeal } from '#core/masking/held-deals.ts'
import { mask, streamsOf } from '#core/masking/mask.ts'
import { type OpenedDeal, openDeal } from '#core/masking/open-deal.ts'
import { rebuildSeeds, type UnmaskInput } from '#core/masking/rebuild.ts'
import { checkRelease, makeRelease, type Release } from '#core/masking/release.ts'
import { drawSeeds, type RoundKeys, roundKeys } from '#core/masking/round-keys.ts'
import { streamsToRemove } from '#core/masking/unmask.ts'
import { addStreams } from '#core/masking/words.ts'
import type { Seeded } from '#core/model/seeded.ts'
import { addVectors } from '#core/ring/add.ts'
import { encodeDealFile } from '#wire/masking/deal-file.ts'
import { hexOf, type Justification, justifiedIn, sharesIn } from '#wire/masking/justification.ts'
import { encodeParcel, parcelDigest } from '#wire/masking/parcel.ts'

export const digestOf = parcelDigest(nodeMasking.sha256)

/** As the chain names it. */
export const fileOf = ({ deal, offer }: Pick<Member, 'deal' | 'offer'>): Uint8Array =>
  encodeDealFile({ index: deal.index, channelKey: offer.channelKey, parcels: [...deal.parcels.values()].map(encodeParcel) })

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

export const openFrom = (round: MaskingRound, site: SiteId, keys: RoundKeys, offer: Advertisement, deal: Deal, crypto = nodeMasking): OpenedDeal =>
  openDeal({ round, site, keys, offer, index: deal.index, parcel: deal.parcels.get(site)!, parcelDigest: digestOf, crypto })

/** A deal by another's rules: its offers, or a way to share out, are not the round's. */
export const dealBy = ({ round, members }: Party, site: SiteId, { to = [...members.keys()], crypto = nodeMasking }: DealtBy): Promise<Deal> =>
  makeDeal({ round, site, keys: members.get(site)!.keys, offers: new Map(to.map((each) => [each, members.get(each)!.offer])), parcelDigest: digestOf, crypto })

interface DealtBy {
  readonly to?: readonly SiteId[]
  readonly crypto?: MaskingCrypto
}

/** The same party, but for what one of it dealt: all who got something of it open it, as they do with honest ones. @param crypto the dealer's */
export function withDeal({ round, members }: Party, dealer: SiteId, deal: Deal, crypto = nodeMasking): Party {
  const dealt = new Map([...members.values()].map((member) => [member.site, { ...member, deal: member.site === dealer ? deal : member.deal }]))
  for (const member of dealt.values()) {
    const theirs = member.site === dealer ? crypto : nodeMasking
    const got = [...dealt.values()].filter((from) => isSealed(from.deal, member.site))
    member.opened = new Map(got.map((from) => [from.site, openFrom(round, member.site, member.keys, from.offer, from.deal, theirs)]))
  }
  return { round, members: dealt }
}

/** Whoever offered no keys has a share that nobody can open. */
const isSealed = ({ parcels }: Deal, holder: SiteId): boolean => (parcels.get(holder)?.sealed.length ?? 0) > 0

/** Gives those above it other secrets of their pairs than its seed makes. */
export const givesOtherPairs = (site: SiteId): MaskingCrypto => ({
  ...nodeMasking,
  hkdf(secret, salt, info, lengthBytes) {
    const right = nodeMasking.hkdf(secret, salt, info, lengthBytes)
    return Buffer.from(info).includes(' pair secret\0') && info.at(-2) === site ? right.map((byte) => byte ^ 1) : right
  },
})

/** What befalls a round. */
export interface Fate {
  readonly keyed: readonly SiteId[]
  /** Whether a deal did not arrive. */
  readonly isLost: (dealer: SiteId, holder: SiteId) => boolean
  /** Dealers that show no shares. */
  readonly silent?: readonly SiteId[]
}

export interface Keyed {
  readonly party: Party
  readonly events: readonly KeyedSite[]
  /** What dealers show before anybody masks. */
  readonly said: readonly Said[]
  readonly graph: MaskGraph
}

export interface Said {
  readonly site: SiteId
  readonly justification: string
}

export function keyIn(party: Party, { keyed, isLost, silent = [] }: Fate): Keyed {
  const { round, members } = party
  const events = keyedAs(
    keyed.map((site) => ({ site, holds: bitmapOf([...members.get(site)!.opened.keys()].filter((dealer) => dealer !== site && !isLost(dealer, site))) })),
    rootIn(party),
    (lower, upper) => {
      const { keys, opened } = members.get(upper)!
      return hidePair(round, lower, upper, opened.get(lower)!.pairSecret!, keys.seeds.mask, nodeMasking)
    },
  )
  return keyedWith(party, events, justifying(party, events, silent))
}

/** Of the deal that each keys with. */
function rootIn({ members }: Party): (site: SiteId) => Digest {
  const roots = new Map<SiteId, Digest>()
  return (site) => {
    const root = roots.get(site) ?? outlineOf(fileOf(members.get(site)!), nodeMasking.sha256).root
    roots.set(site, root)
    return root
  }
}

/** Of what sites said, be it on behalf of an honest dealer or not. */
export const keyedWith = (party: Party, events: readonly KeyedSite[], said: readonly Said[] = justifying(party, events)): Keyed => ({
  ...{ party, events, said },
  graph: maskGraph(party.round, events, nodeMasking.sha256, sharesIn(justifiedIn(party.round, events, said, nodeMasking))),
})

/** Who keyed and has shares to show shows them, as honest dealers do. */
export function justifying({ round, members }: Party, events: readonly KeyedSite[], silent: readonly SiteId[] = []): Said[] {
  return events.flatMap(({ site }) => {
    const lacking = complainersOf(site, round, events, nodeMasking.sha256)
    const isShown = lacking !== EMPTY && sizeOf(lacking) <= mostShown(events.length, round.threshold) && !silent.includes(site)
    return isShown ? [{ site, justification: hexOf(justificationOf(members.get(site)!, sitesOf(lacking))) }] : []
  })
}

/** As the auditor reads it out of the chain. */
export const toldIn = ({ events, said }: Pick<Keyed, 'events' | 'said'>): Pick<RoundLog, 'events'> => {
  const at = { block: 0, index: 0, timestamp: 0, tx: ZERO_DIGEST, run: runId(3), round: roundNo(7) }
  return {
    events: [...events.map((each) => ({ ...at, kind: 'Keyed' as const, ...each })), ...said.map((each) => ({ ...at, kind: 'Justified' as const, ...each }))],
  }
}

/** Shares by hand, for rounds by hand: what these dealers showed of these. */
export const showing = (dealers: readonly SiteId[], holders: readonly SiteId[]): ReadonlyMap<SiteId, ShownShares> =>
  new Map(dealers.map((dealer) => [dealer, new Map(holders.map((holder) => [holder, { mask: byHand(1, dealer, holder), self: byHand(2, dealer, holder) }]))]))

const byHand = (...what: readonly number[]): Uint8Array => Uint8Array.from({ length: SHARE_BYTES }, (_, i) => what[i] ?? 0)

/** The shares that a dealer gave these, with its deal. */
export function justificationOf(member: Pick<Member, 'deal' | 'offer'>, holders: readonly SiteId[]): Justification {
  const { shares } = member.deal
  return { file: fileOf(member), shares: holders.map((holder) => ({ holder, parcel: new Uint8Array(0), ...shares.get(holder)! })) }
}

/** As the chain has it, of sites that hold the deals that the others keyed with. @param named root of each one's deal, and its CID @param hidden hex */
export function keyedAs(
  keyed: readonly { readonly site: SiteId; readonly holds: Bitmap }[],
  named = (site: SiteId): Digest => digest(`0x${site.toString(16).padStart(64, '0')}`),
  hidden = (_lower: SiteId, _upper: SiteId): string => '5a'.repeat(HIDDEN_BYTES),
): KeyedSite[] {
  const nameFor = (site: SiteId): string => nameOfDeal({ dealDigest: named(site), dealCid: named(site) }, nodeMasking.sha256)
  const heldBy = (site: SiteId, dealer: SiteId): HeldName => ({ name: nameFor(dealer), hidden: dealer < site ? hidden(dealer, site) : null })
  return keyed.map(({ site, holds }) => ({
    ...{ site, dealDigest: named(site), dealCid: named(site), holds },
    heldDeals: heldDealsOf(holds, (dealer) => heldBy(site, dealer)),
  }))
}

/** What one says that it holds, said otherwise. */
export const holding = <T extends KeyedSite>(said: T, change: (held: HeldName, dealer: SiteId) => HeldName, holds = said.holds): T => {
  const held = heldIn(said)
  return { ...said, holds, heldDeals: heldDealsOf(holds, (dealer) => change(held.get(dealer) as HeldName, dealer)) }
}

/** Another secret of each pair with these below it. */
export const hidingOtherIn = <T extends KeyedSite>(said: T, lowers: readonly SiteId[]): T =>
  holding(said, ({ name, hidden }, dealer) => ({
    name,
    hidden: hidden && lowers.includes(dealer) ? (hidden.startsWith('00') ? '01' : '00') + hidden.slice(2) : hidden,
  }))

/** The same keying, but that one hid these. */
export const hidingOther = ({ party, events }: Keyed, upper: SiteId, lowers: readonly SiteId[]): Keyed =>
  keyedWith(
    party,
    events.map((said) => (said.site === upper ? hidingOtherIn(said, lowers) : said)),
  )

/** The same keying, but that what one says is cut short. */
export const cutShort = ({ party, events }: Keyed, site: SiteId, bytes: number): Keyed =>
  keyedWith(
    party,
    events.map((said) => (said.site === site ? { ...said, heldDeals: said.heldDeals.slice(0, -2 * bytes) } : said)),
  )

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
  keyed: new Map(keyed.events.map((event) => [event.site, event])),
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
  return unmaskWith(input, masked, wordBits)
}

export async function unmaskWith(input: UnmaskInput, masked: ReadonlyMap<SiteId, Uint8Array>, wordBits: 32 | 64) {
  const { bytes } = plainSum([...masked.values()], wordBits)
  const rebuilt = await rebuildSeeds(input)
  addStreams(bytes, wordBits, 0, streamsToRemove(input, rebuilt), nodeMasking.keystream)
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
