import type { Attempt, Bitmap, Digest, RoundNo, RunId, SiteId, StudyId } from '#base/ids.ts'
import type { ModelRef, Phase, Publication, RunState, StudyRules } from '#ports/chain.ts'
import type { Planes } from './planes.ts'
import type { Tally } from './tally.ts'

/** A run as RoundCoordinator stores it. Never written to: each step makes a new one, so that a failed call leaves no trace. */
export interface Run {
  readonly id: RunId
  readonly study: StudyId
  readonly rules: StudyRules
  readonly state: RunState
  readonly model: ModelRef
  readonly closedRounds: number
  readonly voidsInARow: number
  readonly ready: Bitmap
  /** How often a site is still stepped over when turns are given. */
  readonly passedOver: ReadonlyMap<SiteId, number>
  /** The last opened round; after a dispute of a closed round, that one. */
  readonly round: Round
  /** The others that are still in the ring, oldest first. */
  readonly past: readonly Round[]
  /** The highest number that a round had. */
  readonly opened: RoundNo
  /** Of masked runs: the last closed round, while nothing struck it, and the model that it began from. */
  readonly closed: RoundNo | null
  readonly base: ModelRef | null
  /** Digests of the partial sums that sites left in their disputes. */
  readonly kept: ReadonlyMap<SiteId, Digest>
  /** Models of which a sum over masked updates was published: no round opens on one again. */
  readonly revealed: ReadonlySet<Digest>
  /** Contributions are charged in the PrivacyLedger. */
  readonly accounted: boolean
}

export interface Round {
  readonly round: RoundNo
  readonly phase: Phase
  readonly attempt: Attempt
  /** Ascending by id. */
  readonly rota: readonly SiteId[]
  readonly rotaSet: Bitmap
  readonly turn: number
  /** All of the rota are custodians, and a majority has to name an update. */
  readonly deep: boolean
  /** How often Witnessing began again. */
  readonly extensions: number
  readonly openedAtBlock: number
  readonly epoch: number
  readonly since: Moment
  /** Site that asked for more time in Contributing. */
  readonly asker: SiteId | null
  readonly awaited: Bitmap
  /** Sites of its set that a masked sum needs, by who was awaited when Keying opened; 0 of open rounds. */
  readonly threshold: number
  /** Of masked studies: whose key shares are out. */
  readonly keyed: Bitmap
  /** Over the deals that each of these holds, while all hold the same; null once two differ. */
  readonly held: string | null
  /** Those who keyed hold different deals: nobody keys any more, and dealers show shares. */
  readonly justifying: boolean
  readonly justified: Bitmap
  readonly contributed: Bitmap
  readonly abstained: Bitmap
  readonly accumulator: Digest
  readonly slices: readonly Slice[]
  readonly included: Bitmap
  readonly firstPlace: number
  readonly publications: number
  /** Of a masked round that stayed: publications before the row that it is in. */
  readonly rowStart: number
  /** The last one made, discarded or not. */
  readonly publication: Publication | null
  /** Of the last publication. */
  readonly attested: Bitmap
  readonly tally: Tally
}

export interface Moment {
  readonly block: number
  readonly timestamp: number
}

/** A slice's custodians and what their bitmaps say. */
export interface Slice {
  readonly places: number
  readonly witnessed: Bitmap
  /** How many bitmaps name each update. */
  readonly named: Planes
}

/** Rounds that stay in storage. */
export const RING_ROUNDS = 8

/** A round that is still in the ring. */
export const roundOf = (run: Run, number: RoundNo): Round | undefined => [run.round, ...run.past].find((r) => r.round === number)

/** Where a site stands, counted from the turn; −1 when it is not in the rota. */
export function placeOf(round: Round, site: SiteId): number {
  const index = indexIn(round.rota, site)
  return index < 0 ? -1 : (index - round.turn + round.rota.length) % round.rota.length
}

export const siteAt = (round: Round, place: number): SiteId => round.rota[(round.turn + place) % round.rota.length] as SiteId

/** The rota is sorted: a thousand sites are found in ten steps. */
function indexIn(rota: readonly SiteId[], site: SiteId): number {
  let low = 0
  let high = rota.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const here = rota[middle] as SiteId
    if (here === site) return middle
    if (here < site) low = middle + 1
    else high = middle - 1
  }
  return -1
}
