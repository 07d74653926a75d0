import { type SiteId, siteId } from '#base/ids.ts'
import { PHASES } from '#ports/chain.ts'
import {
  CRASH_POINTS,
  type Crash,
  type CrashPoint,
  type Disturbance,
  type DisturbanceBody,
  FALSE_DEALINGS,
  type FaultPlan,
  LIES,
  type Lie,
  MASKING_LIES,
  NO_FAULTS,
} from './faults.ts'
import type { SimRandom } from './random.ts'

/**
 * Draws one fault at most for each site, for `sites` sites, so that more than half of them stay alive and honest: then every round
 * must close. Crashed sites come back.
 */
export function drawFaults(random: SimRandom, sites: number): FaultPlan {
  const faulty = shuffled(random, sites).slice(0, random.int(0, mostFaulty(sites)))
  const plan = { crashes: [] as Crash[], silent: [] as SiteId[], liars: [] as SiteId[], withholding: [] as SiteId[], late: [] as FaultPlan['late'][number][] }
  for (const site of faulty) {
    const crash = () => plan.crashes.push(drawCrash(random, site, CRASH_POINTS))
    const kinds = [
      crash,
      crash,
      crash,
      () => plan.silent.push(site),
      () => plan.liars.push(site),
      () => plan.withholding.push(site),
      () => plan.late.push({ site, afterMs: random.int(0, 60_000) }),
    ]
    random.pick(kinds)()
  }
  return { ...NO_FAULTS, ...plan, gossip: drawGossip(random) }
}

/** What `drawChaos` may draw from. */
export interface ChaosBounds {
  readonly sites: number
  /** Rounds in which something may happen; after them the network is left alone. */
  readonly rounds: number
  /** How long the others wait for a site to contribute, in milliseconds. */
  readonly contributingMs: number
  /** Vectors are too large to be added up by everybody. */
  readonly large: boolean
}

/** The moments of a masked round that an open one does not have. */
export const MASKING_POINTS: readonly CrashPoint[] = [
  'journal.keys',
  'journal.dealt',
  'journal.keyed',
  'chain.key',
  'journal.justified',
  'chain.justify',
  'journal.released',
  'journal.leftOut',
  'gossip.publish',
  'store.put',
]
/** What others come to only where somebody lies so. */
const PROVOKED: readonly { readonly by: readonly Lie[]; readonly points: readonly CrashPoint[] }[] = [
  { by: ['leaves-out', 'false-complaints', 'chosen-holders', 'false-justification'], points: ['journal.justified', 'chain.justify'] },
  { by: FALSE_DEALINGS, points: ['journal.leftOut'] },
]
/** What a round of masks cannot bear out: random bytes under a mask look like any other. */
const UNMASKED_LIES: readonly Lie[] = ['garbage-vector']
/** Who is out of the study shows no shares, and of a set that a chain lost none are shown for another: then a run may end. */
export const UNBEARABLE: readonly DisturbanceBody['kind'][] = ['study-stopped', 'deep-reorganisation']

/**
 * The same faults as masked rounds bear them: fewer sites in trouble at one time; with crashes and lies that only masked rounds have.
 * @param bears so many may drop out or lie in a round
 */
export function drawMasked(random: SimRandom, plan: FaultPlan, sites: number, bears: number): FaultPlan {
  const liars = [...new Set(plan.lies.map(({ site }) => site))].slice(0, bears)
  const masking = liars.flatMap((site) => (random.chance(0.5) ? [{ site, lie: random.pick(MASKING_LIES) }] : []))
  const lies = plan.lies.filter(({ site, lie }) => liars.includes(site) && !UNMASKED_LIES.includes(lie) && !masking.some((other) => other.site === site))
  const crashes = Array.from({ length: random.int(0, 3) }, () => ({
    ...drawCrash(random, siteId(random.int(0, sites - 1)), MASKING_POINTS),
    backAfterMs: drawLasting(random),
  }))
  const apart = random.fork('provoked crashes')
  const provoked = PROVOKED.filter(({ by }) => masking.some(({ lie }) => by.includes(lie)) && apart.chance(0.5)).map(({ points }) => ({
    ...drawCrash(apart, siteId(apart.int(0, sites - 1)), points),
    ...{ nth: apart.int(1, 2), backAfterMs: drawLasting(apart) },
  }))
  const drawn = drawHidden(random, sites, bears)
  const hidden = masking.some(({ lie }) => FALSE_DEALINGS.includes(lie)) ? null : drawn
  // Who deals to all as it should is asked for no justification.
  const holders = masking.flatMap(({ site, lie }) => (lie === 'false-justification' ? [{ site, lie: 'chosen-holders' } as const] : []))
  const others = alone([...lies, ...masking, ...holders])
    .filter(({ site }) => site !== hidden?.site)
    .filter((_, i, all) => hidden === null || new Set(all.slice(0, i + 1).map(({ site }) => site)).size < bears)
  return {
    ...plan,
    lies: hidden === null ? others : [...others, hidden],
    crashes: [...plan.crashes, ...crashes, ...provoked],
    disturbances: plan.disturbances.filter(({ kind }) => !UNBEARABLE.includes(kind)),
    mostInTrouble: bears,
  }
}

/** All others repeat a round that a false dealer spoilt: whoever of them kept away from it as long as it likes would hold the run up. */
function alone(lies: FaultPlan['lies']): FaultPlan['lies'] {
  const dealer = lies.find(({ lie }) => FALSE_DEALINGS.includes(lie))
  return dealer === undefined ? lies : lies.filter(({ site }) => site === dealer.site)
}

/** One at most: where every group may hide another, nobody can tell who it is, and the run waits for people. Below nine sites no group could spare a site. */
const drawHidden = (random: SimRandom, sites: number, bears: number): FaultPlan['lies'][number] | null =>
  bears > 0 && sites > FEWEST_FOR_HIDDEN && random.chance(0.3) ? { site: siteId(random.int(0, sites - 1)), lie: 'hidden-garbage' } : null
const FEWEST_FOR_HIDDEN = 8

/** Crash points beyond an ordinary round's. */
const RARE_POINTS: readonly CrashPoint[] = ['journal.abstained', 'chain.abstain', 'chain.ready', 'chain.publishEpoch', 'chain.extend', 'chain.halt']
const MOST_DISTURBANCES = 8
const MOST_CRASHES = 6
const FEWEST_FOUNDERS = 4

/**
 * Draws all faults together: noise on every link, liars, crashes at any moment of any site, and disturbances along the run. That not too
 * many are in trouble at one time is seen to when it happens (`mostInTrouble`); one seed in five also has a time without a majority.
 */
export function drawChaos(random: SimRandom, bounds: ChaosBounds): FaultPlan {
  const { sites, rounds, large } = bounds
  const order = shuffled(random, sites)
  // Drawn apart: what else a seed decides does not depend on it.
  const people = random.fork('people')
  const joining = sites > FEWEST_FOUNDERS && people.chance(0.1) ? siteId(sites - 1) : null
  const most = mostFaulty(foundersOf(sites, joining))
  const liars = order.slice(0, random.chance(0.6) ? random.int(0, most) : 0)
  const points = [...CRASH_POINTS, ...RARE_POINTS]
  const crashes = Array.from({ length: random.int(0, MOST_CRASHES) }, () => ({
    ...drawCrash(random, siteId(random.int(0, sites - 1)), points),
    backAfterMs: drawLasting(random),
  }))
  const disturbances = Array.from({ length: random.int(1, MOST_DISTURBANCES) }, () => drawDisturbance(random, order, rounds))
  if (random.chance(0.2)) disturbances.push({ at: drawMoment(random, rounds), ...drawOutage(random, order) })
  if (random.chance(0.04))
    disturbances.push({ at: drawMoment(random, rounds), kind: 'study-stopped', group: drawMost(random, order), lastsMs: drawLasting(random) })
  if (random.chance(0.05)) disturbances.push(drawDeep(random, rounds))
  disturbances.push(...drawPeople(people, rounds, order, joining))
  return {
    ...NO_FAULTS,
    joining,
    gossip: random.chance(0.8) ? drawGossip(random) : NO_FAULTS.gossip,
    fetchLoss: random.chance(0.5) ? random.fraction() * 0.3 : 0,
    crashes,
    lies: withinPromise(liars.flatMap((site) => drawLies(random, large).map((lie) => ({ site, lie })))),
    late: random.chance(0.3) ? [{ site: siteId(random.int(1, sites - 1)), afterMs: drawLasting(random) }] : [],
    clockOffsets: random.chance(0.5) ? order.map((site) => ({ site, offsetMs: random.int(-600_000, 600_000) })) : [],
    training: random.chance(0.12) ? drawTraining(random, order, bounds) : [],
    disturbances,
    mostInTrouble: most,
  }
}

/** New accounts, and when a hospital joins. */
function drawPeople(random: SimRandom, rounds: number, order: readonly SiteId[], joining: SiteId | null): Disturbance[] {
  const drawn: Disturbance[] = []
  if (random.chance(0.12)) {
    const [who, role] = [random.pick([random.pick(order), 'leader', 'standby'] as const), random.pick(['node', 'node', 'steward'] as const)]
    drawn.push({ at: drawMoment(random, rounds), kind: 'new-account', who, role, lastsMs: drawLasting(random) })
  }
  if (joining !== null) drawn.push({ at: drawMoment(random, rounds), kind: 'admission', lastsMs: drawLasting(random) })
  return drawn
}

/** Until somebody joins, more than half of these have to be sound. */
export const foundersOf = (sites: number, joining: SiteId | null): number => (joining === null ? sites : sites - 1)

/** One or two that need more than two thirds of the limit, and less than two limits. */
const drawTraining = (random: SimRandom, order: readonly SiteId[], { contributingMs }: ChaosBounds): FaultPlan['training'] =>
  order.slice(-random.int(1, 2)).map((site) => ({ site, ms: [0.6 * contributingMs, random.pick([0.9, 1.5]) * contributingMs] as const }))

export const mostFaulty = (sites: number): number => Math.floor((sites - 1) / 2)

function shuffled(random: SimRandom, sites: number): SiteId[] {
  const order = Array.from({ length: sites }, (_, i) => siteId(i))
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.int(0, i)
    ;[order[i], order[j]] = [order[j] as SiteId, order[i] as SiteId]
  }
  return order
}

const drawGossip = (random: SimRandom): FaultPlan['gossip'] => ({
  loss: random.fraction() * 0.5,
  duplicate: random.fraction() * 0.2,
  delay: random.fraction() * 0.3,
  slowMs: random.int(100, 10_000),
})

export const drawCrash = (random: SimRandom, site: SiteId, points: readonly CrashPoint[]): Crash => {
  const point = random.pick(points)
  return {
    site,
    point,
    when: random.pick(point.startsWith('journal.') ? (['before', 'torn', 'after'] as const) : (['before', 'after'] as const)),
    nth: random.int(1, 4),
    backAfterMs: random.int(0, 60_000),
  }
}

/** What is said of slices is a lie only where vectors are large. */
const SLICE_LIES: readonly Lie[] = ['wrong-slice-word', 'wrong-slice', 'two-slices', 'withheld-slice-word']
const SMALL_LIES = LIES.filter((lie) => !SLICE_LIES.includes(lie))

const drawLies = (random: SimRandom, large: boolean): Lie[] => {
  const pick = () => random.pick(large ? (random.chance(0.4) ? SLICE_LIES : LIES) : SMALL_LIES)
  return [...new Set(Array.from({ length: random.int(1, 3) }, pick))]
}

/** All custodians of a slice who lie alike would pass a wrong one, and so would two with a publisher: three may not be allied. */
const ALLIED: readonly Lie[] = ['wrong-sum', 'wrong-slice', 'two-slices']
const MOST_ALLIED = 2
/** What is beyond what is promised is not drawn: another lie takes its place. As many as may lie may keep the keys back that they draw. */
function withinPromise(lies: FaultPlan['lies']): FaultPlan['lies'] {
  if (!lies.some(({ lie }) => lie === 'wrong-slice' || lie === 'two-slices')) return lies
  const allied = new Set([...new Set(lies.flatMap(({ site, lie }) => (ALLIED.includes(lie) ? [site] : [])))].slice(0, MOST_ALLIED))
  return lies.map((entry) => (ALLIED.includes(entry.lie) && !allied.has(entry.site) ? { ...entry, lie: 'withheld-slice-word' } : entry))
}

const drawMoment = (random: SimRandom, rounds: number): Disturbance['at'] => ({
  round: random.int(1, rounds),
  phase: random.pick(PHASES.slice(1)),
  afterMs: random.chance(0.5) ? random.int(0, 40) : random.int(0, 5_000),
})

/** From a tenth of a second to forty, short ones as often as long ones: longer ones only repeat the limits that have passed by then. */
export const drawLasting = (random: SimRandom): number => Math.round(100 * 400 ** random.fraction())

function drawDisturbance(random: SimRandom, order: readonly SiteId[], rounds: number): Disturbance {
  const who = random.pick([random.pick(order), random.pick(order), 'leader', 'standby'] as const)
  const lastsMs = drawLasting(random)
  const kinds: readonly (() => DisturbanceBody)[] = [
    () => ({ kind: 'kill', who, backAfterMs: lastsMs }),
    () => ({ kind: 'kill', who: 'leader', backAfterMs: lastsMs }),
    () => ({ kind: 'restore', who, backAfterMs: lastsMs }),
    () => ({ kind: 'copy', who }),
    () => ({ kind: 'lost-blocks', who, share: random.fraction() }),
    () => ({ kind: 'disk-full', who, lastsMs, filling: lastsMs % 2 === 1 }),
    () => ({ kind: 'slow', who, byMs: random.int(50, 3_000), lastsMs }),
    () => ({ kind: 'clock-jump', who, byMs: random.pick([-3_600_000, -600_000, -5_000, 5_000, 600_000, 3_600_000]) }),
    () => ({ kind: 'endpoint-away', who, lastsMs }),
    () => ({ kind: 'endpoint-behind', who, byMs: random.int(500, 10_000), lastsMs }),
    () => ({ kind: 'endpoint-forgetful', who, lastsMs }),
    () => ({ kind: 'partition', group: order.slice(0, random.int(1, mostFaulty(order.length))), chainToo: random.chance(0.5), lastsMs }),
    () => ({
      kind: 'partition',
      group: shuffled(random, order.length).slice(0, random.int(1, mostFaulty(order.length))),
      chainToo: random.chance(0.5),
      lastsMs,
    }),
    () => ({ kind: 'reorganisation', blocks: random.int(1, 8), returned: random.pick([0, 0.5, 1]) }),
    () => ({ kind: 'no-blocks', lastsMs: Math.min(lastsMs, 30_000) }),
    () => ({ kind: 'rest', who, lastsMs }),
    () => ({ kind: 'approval-withdrawn', who, lastsMs }),
    () => ({ kind: 'resign', who }),
    () => ({ kind: 'withdrawal', who }),
    () => ({ kind: 'other-chain', who, lastsMs }),
  ]
  return { at: drawMoment(random, rounds), ...random.pick(kinds)() }
}

/** Long enough now and then for three voids in a row, and a pause. */
const drawOutage = (random: SimRandom, order: readonly SiteId[]): DisturbanceBody => ({
  kind: 'outage',
  group: drawMost(random, order),
  how: random.pick(['down', 'cut'] as const),
  lastsMs: random.chance(0.25) ? 150_000 : drawLasting(random) * 2,
})

/** So many that the others are no majority. */
const drawMost = (random: SimRandom, order: readonly SiteId[]): readonly SiteId[] => order.slice(0, random.int(mostFaulty(order.length) + 1, order.length))

/** While a set is frozen and some have acted on it: only its publisher, or more than half. */
const drawDeep = (random: SimRandom, rounds: number): Disturbance => ({
  at: { round: random.int(1, rounds), phase: random.pick(['Publishing', 'Attesting'] as const), afterMs: random.int(0, 40) },
  kind: 'deep-reorganisation',
  returned: random.pick([0, 0.5]),
  goneMs: 60_000,
})
