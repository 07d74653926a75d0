import type { SimEvent } from '#adapters/sim/chain/ledger.ts'
import { drawChaos, mostFaulty } from '#adapters/sim/draw-faults.ts'
import type { DisturbanceBody, FaultPlan, Moment } from '#adapters/sim/faults.ts'
import { addressOf } from '#adapters/sim/hash.ts'
import { SimRandom } from '#adapters/sim/random.ts'
import type { SimWorld } from '#adapters/sim/world.ts'
import { type SimulatedNetwork, simulateNetwork } from '#app/simulate/simulated-network.ts'
import { nameOf } from '#base/errors.ts'
import { type RunId, runId, type SiteId, siteId } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { consentDomain } from '#patient/typed-data.ts'
import { signWithdrawal } from '#patient/withdrawal.ts'
import { ABSTAIN_REASONS, type ChainEvent, PHASES, type StudyRules } from '#ports/chain.ts'
import type { Trainer } from '#ports/trainer.ts'
import { CONTRIBUTING_S, ROUNDS } from '../../../scripts/chaos/chaos-study.ts'
import { open, viewOf } from '../../../scripts/chaos/ending.ts'
import { type ConsentingSite, consent, type People, type Person, putRoots } from './consenting.ts'
import { type Findings, only, outsider } from './outsider.ts'

/** Who withdraws when, and by which road; what else happens meanwhile is the plan's. */
export interface Schedule {
  readonly seed: number
  readonly plan: FaultPlan
  readonly withdrawals: readonly { readonly person: Person; readonly at: Moment; readonly desk: boolean }[]
}

/** Rounds that are left after the last withdrawal, and after the first. */
const ROUNDS_AFTER = 3
const ROUNDS_AFTER_FIRST = 5
/** What patients do is drawn here; what ends a membership, or needs a person at the node, would leave less to look at. */
const LEFT_OUT: readonly DisturbanceBody['kind'][] = ['withdrawal', 'resign', 'other-chain', 'deep-reorganisation', 'study-stopped', 'admission']

/**
 * What a chain that goes back has lost, nodes and relays send again, if it still holds; or it mines what it kept in its pool once more, where a
 * contribution to a round that was opened anew since is refused.
 *
 * Chaos without lies, in which some leader dies, the chain goes back, and patients withdraw at any moment of the first rounds.
 * @param most of two to so many hospitals
 */
export function drawSchedule(seed: number, sites: readonly ConsentingSite[], most: number): Schedule {
  const random = new SimRandom(`withdrawals ${seed}`)
  const drawn = drawChaos(random, { sites: sites.length, rounds: ROUNDS - 1, contributingMs: 1_000 * CONTRIBUTING_S, large: false })
  const moment = (after = ROUNDS_AFTER): Moment => ({
    round: random.int(1, ROUNDS + 1 - after),
    phase: random.pick(PHASES.slice(1)),
    afterMs: random.chance(0.5) ? random.int(0, 40) : random.int(0, 5_000),
  })
  const from = random.int(0, sites.length - 1)
  const people = Array.from({ length: random.int(2, most) }, (_, i) => random.pick((sites[(from + i) % sites.length] as ConsentingSite).people))
  return {
    seed,
    withdrawals: people.map((person, i) => ({ person, at: moment(i < 2 ? ROUNDS_AFTER_FIRST : ROUNDS_AFTER), desk: random.chance(0.3) })),
    plan: {
      ...drawn,
      lies: [],
      joining: null,
      silent: random.chance(0.3) ? [siteId(random.int(0, sites.length - 1))] : [],
      disturbances: [
        ...drawn.disturbances.filter(({ kind }) => !LEFT_OUT.includes(kind)),
        { at: { ...moment(), phase: 'Publishing' }, kind: 'kill', who: 'leader', backAfterMs: random.int(1_000, 60_000) },
        { at: moment(), kind: 'reorganisation', blocks: random.int(1, 12), returned: 0 },
      ],
      mostInTrouble: mostFaulty(sites.length),
    },
  }
}

export interface Study {
  readonly protocol: Protocol
  readonly rules: StudyRules
  readonly people: People
  readonly rows: Parameters<typeof simulateNetwork>[0]['sites']
}

export interface Played extends Findings {
  readonly seed: number
  readonly state: string
  /** How often each fault struck; `takeover`: publications by another than the leader; `held back`: updates that were not sent again. */
  readonly strikes: ReadonlyMap<string, number>
}

/** Weights shrink: what is learned matters to nobody here. */
const shrinking: Trainer = { backend: 'none', train: async (task) => task.weights.map((weight) => 0.99 * weight), stop: async () => undefined }
const RUN_MS = 3_600_000
const LOOK_MS = 500
const SETTLING_MS = 10_000

/** @param sabotaged whose node does not ask the chain who has withdrawn: the one of the first to withdraw */
export async function playSchedule({ protocol, rules, people, rows }: Study, seed: number, sabotaged = false): Promise<Played> {
  const sites = people.sites()
  const { plan, withdrawals } = drawSchedule(seed, sites, rules.exact ? 2 : 5)
  const stopped: string[] = []
  const network = await simulateNetwork({
    ...{ seed: `withdrawals ${seed}`, sites: rows, protocol, rules, faults: plan, chain: { mayGoBack: true }, trainer: shrinking },
    onWorld: (world) => consent(world, sites, sabotaged ? (withdrawals[0]?.person.site as SiteId) : null),
    onStopped: (site, error) => stopped.push(`site ${site.id} stopped: ${nameOf(error)}`),
  })
  try {
    const { world } = network
    await putRoots(world, sites, protocol.programme)
    for (const withdrawal of withdrawals) atMoment(world, withdrawal.at, () => void withdraw(world, sites, protocol.programme, withdrawal))
    const gaveUp = await open(network)
    if (gaveUp !== null) throw new Error(`seed ${seed}: ${gaveUp}`)
    let run = runId(1)
    while ((await ended(world, run)) === 'Halted' && run < MOST_RUNS) run = await openNext(network)
    const found = outsider(
      world,
      sites,
      protocol.programme,
      withdrawals.map(({ person }) => person),
    )
    const events = world.chain.ledger.eventsFrom(0)
    const heldBack = only(events, 'Abstained').filter(({ reason }) => ABSTAIN_REASONS[reason] === 'cohortChanged').length
    const strikes = new Map([...world.strikes.all, ['takeover', takeoversIn(events)] as const, ['held back', heldBack] as const])
    return { seed, state: viewOf(world, run)?.state ?? 'lost', strikes, ...found, violations: [...found.violations, ...stopped] }
  } finally {
    network.stop()
  }
}

/** An exact run that a withdrawal has halted is begun anew, as a person would. */
const MOST_RUNS = 3

/** A chain that goes back may take the end of a run with it: then it is waited for again. */
async function ended(world: SimWorld, run: RunId): Promise<string> {
  const untilMs = world.time.nowMs + RUN_MS
  const state = (): string => viewOf(world, run)?.state ?? 'Active'
  const isOver = (): boolean => !['Active', 'Paused'].includes(state())
  while (world.time.nowMs < untilMs) {
    while (!isOver() && world.time.nowMs < untilMs) await world.time.sleep(LOOK_MS)
    await world.time.sleep(SETTLING_MS)
    if (isOver()) break
  }
  return state()
}

/** The endpoint of whoever opens it may be away just now. */
async function openNext({ world, openRun }: SimulatedNetwork): Promise<RunId> {
  const untilMs = world.time.nowMs + RUN_MS
  for (;;) {
    const run = await world.within(openRun(), 60_000).catch((error) => {
      if (world.time.nowMs > untilMs) throw error
    })
    if (run !== undefined) return run
    await world.time.sleep(LOOK_MS)
  }
}

/** Publications by another than the leader. */
const takeoversIn = (events: readonly ChainEvent[]): number =>
  only(events, 'Published').filter((e) => only(events, 'RoundOpened').some(({ run, round, leader }) => run === e.run && round === e.round && leader !== e.site))
    .length

function atMoment(world: SimWorld, at: Moment, act: () => void): void {
  let done = false
  world.chain.onEvent((event: SimEvent) => {
    if (done || (event.kind !== 'RoundOpened' && event.kind !== 'PhaseBegan') || event.round !== at.round) return
    if (at.phase !== (event.kind === 'RoundOpened' ? 'Contributing' : event.phase)) return
    done = true
    world.time.after(at.afterMs, act)
  })
}

const AGAIN_MS = 3_000

/**
 * By page or call, and for some at the desk first. Whoever relays it looks at the chain again and again: one that goes back may lose it, and then
 * it counts from the block in which it stands at last.
 */
async function withdraw(
  world: SimWorld,
  sites: readonly ConsentingSite[],
  programme: string,
  { person, desk }: Schedule['withdrawals'][number],
): Promise<void> {
  if (desk) (sites[person.site] as ConsentingSite).withdrawHere(person.tag)
  const relay = world.chain.connect(addressOf('relay', person.tag))
  const {
    programme: id,
    blind,
    patientKey,
    tag,
    signature,
  } = signWithdrawal(person.secret, programme, consentDomain(world.chain.chainId, world.chain.consentRegistry))
  for (;;) {
    if (!(await relay.isWithdrawn(id, tag))) await relay.withdraw(id, blind, patientKey, signature).catch(() => undefined)
    await world.time.sleep(AGAIN_MS)
  }
}
