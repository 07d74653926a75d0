import { equalBytes } from '#base/bytes.ts'
import type { Digest, RoundNo, RunId, SiteId } from '#base/ids.ts'
import { type Advertisement, keyNames } from '#core/masking/advertisement.ts'
import type { Release } from '#core/masking/release.ts'
import type { DealWord } from '#wire/masking/deal-word.ts'
import type { MaskingWord, OfferWord } from '#wire/message.ts'

/** What members said in masked rounds that are under way. */
export interface MaskingMail {
  /** Whether the round is near enough to matter, and the site has not said too much already. */
  take(from: SiteId, word: MaskingWord): boolean
  hear(from: SiteId, word: MaskingWord): void
  of(run: RunId, round: RoundNo): RoundMail
  /** From now on of that round: who shows which shares. The last who asks is told. */
  watch(run: RunId, round: RoundNo, onRelease: OnRelease): void
  /** Names of those of these keys that the site offered before, in another round of the run. What another site offers is no fault of this one. */
  seenBefore(run: RunId, round: RoundNo, site: SiteId, offer: Advertisement): ReadonlySet<string>
}

export interface RoundMail {
  /** By what they are bound to, the first of each site: who offers others later is not heard. */
  readonly offers: ReadonlyMap<Digest, ReadonlyMap<SiteId, Advertisement>>
  /** Deal files: a site deals again where a round opens otherwise than was foreseen. */
  readonly deals: ReadonlyMap<SiteId, readonly Uint8Array[]>
  /** The last of each site: a frozen set may be another after the chain went back. */
  readonly releases: ReadonlyMap<SiteId, Release>
}

type OnRelease = (from: SiteId, release: Release) => void

interface Heard {
  readonly offers: Map<Digest, Map<SiteId, Advertisement>>
  readonly deals: Map<SiteId, readonly Uint8Array[]>
  readonly releases: Map<SiteId, Release>
  onRelease: OnRelease
}

/** Contexts that a site may offer keys for in one round, and deals of it that are looked at: more than a chain that goes back ever needs. */
const MOST_OF_A_SITE = 4
/** Keys of so many rounds are known again. */
const ROUNDS_REMEMBERED = 64
/** Of a key's name: enough to tell keys apart. An ML-KEM key is 1 kB long. */
const NAME_LENGTH = 34

/** @param rounds the round that each run is in; rounds longer past than one, or more than two ahead, are late or too early to matter */
export function createMaskingMail(rounds: ReadonlyMap<RunId, number>): MaskingMail {
  const heard = new Map<RunId, Map<RoundNo, Heard>>()
  /** When a site offered a key first, by both. */
  const names = new Map<RunId, Map<string, RoundNo>>()

  function isNear({ run, round }: { readonly run: RunId; readonly round: RoundNo }): boolean {
    const current = rounds.get(run)
    if (current === undefined) return false
    const ofRun = heard.get(run)
    for (const past of ofRun?.keys() ?? []) if (past < current - 1) ofRun?.delete(past)
    // Keys are offered for the round after the one that others may be in already.
    return round >= current - 1 && round <= current + 2
  }

  function roundOf(run: RunId, round: RoundNo): Heard {
    const ofRun = heard.get(run) ?? new Map<RoundNo, Heard>()
    heard.set(run, ofRun)
    const known = ofRun.get(round) ?? { offers: new Map(), deals: new Map(), releases: new Map(), onRelease: () => undefined }
    ofRun.set(round, known)
    return known
  }

  function remember(site: SiteId, { run, round, offer }: OfferWord): void {
    const ofRun = names.get(run) ?? new Map<string, RoundNo>()
    names.set(run, ofRun)
    for (const [name, first] of ofRun) if (first + ROUNDS_REMEMBERED < round) ofRun.delete(name)
    for (const name of keyNames(offer).map(namedBy(site))) if (!ofRun.has(name)) ofRun.set(name, round)
  }

  function hearOffer({ offers }: Heard, from: SiteId, word: OfferWord): void {
    const known = offers.get(word.ctx) ?? new Map<SiteId, Advertisement>()
    if (known.has(from) || [...offers.values()].filter((each) => each.has(from)).length >= MOST_OF_A_SITE) return
    offers.set(word.ctx, known.set(from, word.offer))
    remember(from, word)
  }

  const isNew = (known: readonly Uint8Array[], { file }: DealWord): boolean => known.length < MOST_OF_A_SITE && !known.some((each) => equalBytes(each, file))

  function hearDeal({ deals }: Heard, from: SiteId, word: DealWord): void {
    const known = deals.get(from) ?? []
    if (isNew(known, word)) deals.set(from, [...known, word.file])
  }

  function hearRelease({ releases, onRelease }: Heard, from: SiteId, release: Release): void {
    releases.set(from, release)
    onRelease(from, release)
  }

  /** What is said again is passed on, what is another each time is not. */
  function isTooMuch(from: SiteId, word: DealWord): boolean {
    const known = heard.get(word.run)?.get(word.round)?.deals.get(from) ?? []
    return known.length >= MOST_OF_A_SITE && !known.some((each) => equalBytes(each, word.file))
  }

  return {
    take: (from, word) => isNear(word) && !(word.kind === 'deal' && isTooMuch(from, word)),
    hear(from, word) {
      if (!isNear(word)) return
      const round = roundOf(word.run, word.round)
      if (word.kind === 'release') hearRelease(round, from, word.release)
      else if (word.kind === 'key-offer') hearOffer(round, from, word)
      else hearDeal(round, from, word)
    },
    watch(run, round, onRelease) {
      if (isNear({ run, round })) roundOf(run, round).onRelease = onRelease
    },
    of: (run, round) => heard.get(run)?.get(round) ?? NOTHING,
    seenBefore(run, round, site, offer) {
      const isFirst = (name: string): boolean => (names.get(run)?.get(namedBy(site)(name)) ?? round) === round
      return new Set(keyNames(offer).filter((name) => !isFirst(name)))
    },
  }
}

const namedBy =
  (site: SiteId) =>
  (name: string): string =>
    `${site} ${name.slice(0, NAME_LENGTH)}`
const NOTHING: RoundMail = { offers: new Map(), deals: new Map(), releases: new Map() }
