import type { RoundNo, RunId, SiteId } from '#base/ids.ts'
import { type Advertisement, keyNames } from '#core/masking/advertisement.ts'
import type { Release } from '#core/masking/release.ts'
import type { ModelRef } from '#ports/chain.ts'
import type { Announce } from '#wire/announce.ts'
import type { OfferWord, ReleaseWord } from '#wire/message.ts'

/** What members said in masked rounds that are under way. */
export interface MaskingMail {
  /** Whether the round is near enough to matter. */
  take(word: OfferWord | ReleaseWord): boolean
  /** @param word an announcement is of a deal */
  hear(from: SiteId, word: OfferWord | ReleaseWord | Announce): void
  of(run: RunId, round: RoundNo): RoundMail
  /** Names of those of these keys that were offered before, by another site or in another round of the run. */
  seenBefore(run: RunId, round: RoundNo, site: SiteId, offer: Advertisement): ReadonlySet<string>
}

export interface RoundMail {
  /** The first of each site: who offers others later is not heard. */
  readonly offers: ReadonlyMap<SiteId, Advertisement>
  readonly deals: ReadonlyMap<SiteId, ModelRef>
  /** The last of each site: a frozen set may be another after the chain went back. */
  readonly releases: ReadonlyMap<SiteId, Release>
}

interface Heard {
  readonly offers: Map<SiteId, Advertisement>
  readonly deals: Map<SiteId, ModelRef>
  readonly releases: Map<SiteId, Release>
}

/** Keys of so many rounds are known again. */
const ROUNDS_REMEMBERED = 64
/** Of a key's name: enough to tell keys apart. An ML-KEM key is 1 kB long. */
const NAME_LENGTH = 34

/** @param rounds the round that each run is in; rounds more than one away are late or too early to matter */
export function createMaskingMail(rounds: ReadonlyMap<RunId, number>): MaskingMail {
  const heard = new Map<RunId, Map<RoundNo, Heard>>()
  /** Who offered a key first, and when. */
  const names = new Map<RunId, Map<string, { readonly site: SiteId; readonly round: RoundNo }>>()

  function isNear({ run, round }: { readonly run: RunId; readonly round: RoundNo }): boolean {
    const current = rounds.get(run)
    if (current === undefined) return false
    const ofRun = heard.get(run)
    for (const past of ofRun?.keys() ?? []) if (past < current - 1) ofRun?.delete(past)
    return Math.abs(round - current) <= 1
  }

  function roundOf(run: RunId, round: RoundNo): Heard {
    const ofRun = heard.get(run) ?? new Map<RoundNo, Heard>()
    heard.set(run, ofRun)
    const known = ofRun.get(round) ?? { offers: new Map(), deals: new Map(), releases: new Map() }
    ofRun.set(round, known)
    return known
  }

  function remember(site: SiteId, { run, round, offer }: OfferWord): void {
    const ofRun = names.get(run) ?? new Map<string, { readonly site: SiteId; readonly round: RoundNo }>()
    names.set(run, ofRun)
    for (const [name, first] of ofRun) if (first.round + ROUNDS_REMEMBERED < round) ofRun.delete(name)
    for (const name of keyNames(offer).map(shortened)) if (!ofRun.has(name)) ofRun.set(name, { site, round })
  }

  return {
    take: isNear,
    hear(from, word) {
      if (!isNear(word)) return
      const round = roundOf(word.run, word.round)
      if (word.kind === 'release') round.releases.set(from, word.release)
      else if (word.kind !== 'key-offer') {
        if (!round.deals.has(from)) round.deals.set(from, { root: word.root, cid: word.cid })
      } else if (!round.offers.has(from)) {
        round.offers.set(from, word.offer)
        remember(from, word)
      }
    },
    of: (run, round) => heard.get(run)?.get(round) ?? NOTHING,
    seenBefore(run, round, site, offer) {
      const isFirst = (name: string): boolean => {
        const first = names.get(run)?.get(shortened(name))
        return first === undefined || (first.site === site && first.round === round)
      }
      return new Set(keyNames(offer).filter((name) => !isFirst(name)))
    },
  }
}

const shortened = (name: string): string => name.slice(0, NAME_LENGTH)
const NOTHING: RoundMail = { offers: new Map(), deals: new Map(), releases: new Map() }
