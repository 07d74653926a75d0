import { bitmapOf, EMPTY } from '../../node/base/bitmap.ts'
import { attemptNo, digest, roundNo, runId, siteId, studyId } from '../../node/base/ids.ts'
import { PHASES, type Phase, type RoundView, type StudyRules } from '../../node/ports/chain.ts'
import { next, type RowName, type Situation } from '../../node/round/next.ts'

/** Seven sites, one in each role and some without one: enough for leader, standbys and others. */
const SITES = [0, 1, 2, 3, 4, 5, 6].map(siteId)
const ROOT = digest(`0x${'00'.repeat(32)}`)
const LIMIT = { seconds: 30, blocks: 30 }

const RULES: StudyRules = {
  minSites: 3,
  quorum: 3,
  maxRounds: 50,
  wordBits: 64,
  slices: 1,
  mode: 'open',
  exact: true,
  limits: PHASES.map(() => LIMIT),
  arithmeticVersion: ROOT,
}

/** The places of a round, counted from the turn; the last one's update is not in the frozen set. */
export const PLACES = { leader: 0, 'first standby': 1, 'second standby': 2, 'any other site': 4, 'a site left out': 5 } as const
export type PlaceName = keyof typeof PLACES

/**
 * What the phase table tells a site to do, asked of the table itself.
 * @param thirds of the phase's limit that have passed: 3 is the limit
 */
export function rowFor(phase: Phase, place: PlaceName, thirds: 0 | 1 | 2 | 3): RowName {
  return next(situation(phase, SITES[PLACES[place]] as Situation['me'], thirds))
}

function situation(phase: Phase, me: Situation['me'], thirds: number): Situation {
  const passed = (thirds * LIMIT.seconds) / 3
  return {
    me,
    rules: RULES,
    approved: true,
    view: {
      run: runId(1),
      study: studyId(1),
      state: 'Active',
      round: roundIn(phase),
      model: { root: ROOT, cid: ROOT },
      closedRounds: 0,
      voidsInARow: 0,
      ready: EMPTY,
    },
    head: { number: 100 + passed, timestamp: 1000 + passed },
    chainSilentMs: 0,
    chainGapMs: 0,
    journal: [],
    held: [bitmapOf(SITES)],
    slices: { owed: false, settledToPublish: true, settledToAttest: true },
    hasBase: true,
    resting: false,
    mayResume: false,
    cohortChanged: false,
  }
}

function roundIn(phase: Phase): RoundView {
  const all = bitmapOf(SITES)
  const later = PHASES.indexOf(phase) > PHASES.indexOf('Contributing')
  const frozen = PHASES.indexOf(phase) > PHASES.indexOf('Witnessing')
  return {
    round: roundNo(1),
    phase,
    attempt: attemptNo(0),
    rota: SITES,
    turn: 0,
    openedAtBlock: 99,
    epoch: 0,
    since: { block: 100, timestamp: 1000 },
    extended: false,
    awaited: all,
    keyed: EMPTY,
    justifying: false,
    justified: EMPTY,
    threshold: 0,
    contributed: later ? all : EMPTY,
    abstained: EMPTY,
    custodianPlaces: [3],
    witnessed: [EMPTY],
    included: frozen ? bitmapOf(SITES.filter((site) => site !== SITES[PLACES['a site left out']])) : EMPTY,
    firstPlace: 0,
    publications: 0,
    publication: null,
    attested: EMPTY,
  }
}

/** Phases in which some site has something to do besides waiting for the clock: those that this version plays. */
export const playedPhases = (): readonly Phase[] =>
  PHASES.filter((phase) =>
    (Object.keys(PLACES) as PlaceName[]).some((place) => ([0, 1, 2] as const).some((thirds) => !['wait', 'tick'].includes(rowFor(phase, place, thirds)))),
  )
