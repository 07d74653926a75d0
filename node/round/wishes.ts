import { concat, equalBytes, utf8 } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import type { RoundNo, RunId, SiteId } from '#base/ids.ts'
import type { Clock } from '#ports/host.ts'
import { type WishBy, type WishWord, wishBytes } from '#wire/wish.ts'
import type { Round } from './play.ts'
import type { Site } from './site.ts'

/** So often every site says in an exact run whether it wishes a halt: a new wish waits for the next time, or its hour would show whose it is. */
export const WISH_EVERY_MS = 2_000
/** Who says it much more often is not listened to. */
const SOONEST_MS = WISH_EVERY_MS / 4
const DAY_MS = 86_400_000

/** What members said of halting in the exact runs that are under way; what is sealed, a play opens. */
export interface Wishes {
  /** Whether the round is near enough to matter, and the site has not spoken just before. */
  take(from: SiteId, word: WishWord): boolean
  hear(from: SiteId, word: WishWord): void
  /** The last of each site. */
  of(run: RunId, round: RoundNo): ReadonlyMap<SiteId, Uint8Array>
  /** Notes that this site had a run halted. @returns how many it has within a day, this one too */
  count(site: SiteId, run: RunId): number
}

/** @param rounds the round that each run is in; rounds more than one away are late or too early to matter */
export function createWishes(rounds: ReadonlyMap<RunId, number>, clock: Pick<Clock, 'nowMs'>): Wishes {
  const heard = new Map<RunId, Map<SiteId, { readonly round: RoundNo; readonly sealed: Uint8Array; readonly atMs: number }>>()
  const counted = new Map<SiteId, { readonly run: RunId; readonly atMs: number }[]>()

  function isNear({ run, round }: WishWord): boolean {
    const current = rounds.get(run)
    if (current === undefined) heard.delete(run)
    return current !== undefined && Math.abs(round - current) <= 1
  }

  return {
    take(from, word) {
      const last = heard.get(word.run)?.get(from)
      return isNear(word) && (last === undefined || last.round !== word.round || clock.nowMs() - last.atMs >= SOONEST_MS)
    },
    hear(from, word) {
      if (!isNear(word)) return
      const ofRun = heard.get(word.run) ?? new Map()
      heard.set(word.run, ofRun.set(from, { round: word.round, sealed: word.sealed, atMs: clock.nowMs() }))
    },
    of: (run, round) => new Map([...(heard.get(run) ?? [])].flatMap(([site, said]) => (said.round === round ? [[site, said.sealed] as const] : []))),
    count(site, run) {
      const now = clock.nowMs()
      const before = (counted.get(site) ?? []).filter((each) => now - each.atMs < DAY_MS && each.run !== run)
      counted.set(site, [...before, { run, atMs: now }])
      return before.length + 1
    },
  }
}

type Sealer = Pick<Site, 'vault' | 'sha256'>

/** A key of its own, of the round's: no bundle's and no object's. */
const wishKey = ({ sha256 }: Sealer, { key }: Pick<Round, 'key'>): Uint8Array => sha256(concat(utf8('rota/wish/1'), key))

export const sealWish = (site: Sealer, round: Pick<Round, 'key'>, wish: WishBy): Uint8Array => site.vault.seal(wishBytes(wish), wishKey(site, round))

/** Whether it is this site's wish to halt; false for what is no wish of that site and round, and for what the key does not open. */
export function isWish(site: Sealer, round: Pick<Round, 'key'>, sealed: Uint8Array, by: Omit<WishBy, 'wishes'>): boolean {
  try {
    return equalBytes(site.vault.open(sealed, wishKey(site, round)), wishBytes({ ...by, wishes: true }))
  } catch (error) {
    if (!isRotaError(error)) throw error
    return false
  }
}
