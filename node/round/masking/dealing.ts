import { has, sizeOf } from '#base/bitmap.ts'
import { toDigest } from '#base/bytes.ts'
import { nameOf } from '#base/errors.ts'
import type { Digest, RoundNo, RunId, SiteId } from '#base/ids.ts'
import type { DealingRound } from '#core/masking/context.ts'
import type { RoundKeys } from '#core/masking/round-keys.ts'
import type { ModelRef } from '#ports/chain.ts'
import type { EpochKey } from '#ports/model-store.ts'
import type { Play } from '../play.ts'
import { type Asking, createAsking } from './asking.ts'
import { createDeals, type Deals } from './deals.ts'
import { ownKeys } from './secrets.ts'

/** One exchange of keys and shares as this site sees it: of the round that is open, or of the next one as it is foreseen. */
export interface Dealing {
  readonly run: RunId
  readonly round: RoundNo
  readonly terms: DealingRound
  /** `terms.ctx`. */
  readonly ctx: Digest
  /** Null until they are drawn, and once they are burnt. */
  keys: RoundKeys | null
  readonly deals: Deals
  /** For what is lost of the others' words. */
  readonly asking: Asking
  /** How often each member was told again what this site said. */
  readonly answered: Map<SiteId, number>
  /** When this site last said its offer, by its own clock. */
  offeredMs: number
  /** Its own deal file, once it is made. */
  own: Uint8Array | null
  /** Whether that is being read, after a restart. */
  isLoading: boolean
  /** Whether the others were told of that. */
  isTold: boolean
  /** Whether it failed, before its round opened. */
  isGivenUp: boolean
}

export const NEVER = Number.NEGATIVE_INFINITY
/** Where nothing is lost all words are there by then, and nobody is asked: in large rounds they take longer. */
const LEAST_PATIENCE_MS = 500
const PATIENCE_MS = 10

export function openDealing({ site, wake }: Pick<Play, 'site' | 'wake'>, run: RunId, terms: DealingRound): Dealing {
  const of = { run, round: terms.round, ctx: toDigest(terms.ctx) }
  const deals = createDeals(site, wake)
  const patienceMs = Math.max(LEAST_PATIENCE_MS, PATIENCE_MS * sizeOf(terms.members))
  return {
    ...of,
    terms,
    keys: ownKeys(site, of),
    deals,
    asking: createAsking(site, { ...of, patienceMs, ended: deals.ended }),
    answered: new Map(),
    offeredMs: NEVER,
    own: null,
    isLoading: false,
    isTold: false,
    isGivenUp: false,
  }
}

export const isMember = ({ terms }: Pick<Dealing, 'terms'>, site: SiteId): boolean => has(terms.members, site)

/** This site's deal, as its journal names it; null while there is none. */
export function dealtBefore({ site }: Pick<Play, 'site'>, { run, round, ctx }: Dealing): ModelRef | null {
  const entry = site.journal.entries().findLast((e) => e.kind === 'dealt' && e.run === run && e.round === round && e.ctx === ctx)
  return entry?.kind === 'dealt' ? { root: entry.root, cid: entry.cid } : null
}

/** After a restart, in the background: a disk that lost it keeps this site out of the round, and from nothing else. */
export function followOwn(play: Play, dealing: Dealing, key: EpochKey, signal: AbortSignal): void {
  if (dealing.own !== null || dealing.isLoading || dealtBefore(play, dealing) === null) return
  dealing.isLoading = true
  loadOwn(play, dealing, key, signal)
    .then(play.wake, (error: unknown) => play.site.host.log.warn('masking.own-deal', { run: dealing.run, round: dealing.round, reason: nameOf(error) }))
    .finally(() => {
      dealing.isLoading = false
    })
}

/** Out of the store, where a restart finds it too. */
export async function loadOwn(play: Play, dealing: Dealing, key: EpochKey, signal: AbortSignal): Promise<void> {
  const dealt = dealing.own === null ? dealtBefore(play, dealing) : null
  if (dealt !== null) dealing.own = await play.site.store.get({ ...dealt, kind: 'masking' }, key, signal)
}
