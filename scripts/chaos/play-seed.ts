import type { SimEvent } from '#adapters/sim/chain/ledger.ts'
import type { FaultPlan } from '#adapters/sim/faults.ts'
import { liesOf } from '#adapters/sim/lies.ts'
import type { SimWorld } from '#adapters/sim/world.ts'
import { type SimulatedNetwork, simulateNetwork } from '#app/simulated-network.ts'
import { bitmapOf } from '#base/bitmap.ts'
import { nameOf } from '#base/errors.ts'
import { type Digest, type RunId, runId, type SiteId, type StudyId } from '#base/ids.ts'
import type { ChainEvent, RunView } from '#ports/chain.ts'
import type { Trainer } from '#ports/trainer.ts'
import { eventText } from './chain-text.ts'
import { drawSeed } from './draw.ts'
import type { Draw, Entry, RunRecord } from './record.ts'

const LOOK_MS = 500
/** So long nothing may close once a majority is there: far more than all limits of a round one after the other. */
const STALLED_MS = 30 * 60_000
const OPENING_MS = 5 * 60_000
const KEY_MS = 60_000
/** So long after the end of the run each site must have come back and hold the model. */
const SETTLING_MS = 15 * 60_000
/** What was to happen in the last rounds may come after them. */
const REST_MS = 6_000
const RUN = runId(1)

/** Weights shrink: what is learned matters to nobody here, that all learn the same does. */
const shrinking: Trainer = { backend: 'none', train: async (task) => task.weights.map((weight) => 0.99 * weight), stop: async () => undefined }

/**
 * Plays what one seed decides, to the end of the run and until everybody is back. The same seed plays the same run.
 * @param plan what goes wrong, in place of what the seed would draw
 */
export async function playSeed(seed: number, sites?: number, plan?: FaultPlan): Promise<RunRecord> {
  const { draw: drawn, study } = await drawSeed(seed, sites)
  const draw = plan === undefined ? drawn : { ...drawn, plan }
  const notes = new Notes()
  const stopped: { site: SiteId; error: string }[] = []
  const network = await simulateNetwork({
    seed: `chaos ${seed}`,
    sites: study.sites,
    protocol: study.protocol,
    rules: draw.rules,
    faults: draw.plan,
    chain: { mayGoBack: true },
    trainer: shrinking,
    hooks: (ports) => ({ beforeRow: async (row, view) => notes.add(ports.id, 'row', row, view.round.round) }),
    tell: (ports, progress) => {
      if (progress.kind === 'wrong-sum') notes.add(ports.id, 'told', `finds the sum of site ${progress.publisher} wrong`, progress.round)
      if (progress.kind === 'abstained') notes.add(ports.id, 'told', `abstains: ${progress.reason}`, progress.round)
      if (progress.kind === 'trouble') notes.add(ports.id, 'told', `has trouble: ${progress.code} ${progress.message}`, progress.round)
    },
    onWorld: (world) => notes.watch(world),
    onStopped: (site, error) => {
      stopped.push({ site: site.id, error: error instanceof Error ? `${nameOf(error)} ${error.message}` : String(error) })
      notes.add(site.id, 'fault', `its node ends: ${nameOf(error)}`)
    },
  })
  try {
    const gaveUp = (await open(network)) ?? (await untilDone(network, draw))
    return record(network, draw, notes, { gaveUp, stopped })
  } finally {
    network.stop()
  }
}

/** What is seen of a run while it is played. */
class Notes {
  readonly timeline: Entry[] = []
  readonly said: { atMs: number; event: ChainEvent }[] = []
  readonly vectors = new Map<Digest, Uint8Array>()
  #world: SimWorld | null = null

  watch(world: SimWorld): void {
    this.#world = world
    world.onNote = (site, what) => this.add(site, 'fault', what)
    world.disks.onPut = (kind, root, plaintext) => {
      // A copy: nodes give the memory of large vectors back as soon as they can.
      if (kind === 'update') this.vectors.set(root, plaintext.slice())
    }
    world.chain.onEvent((event) => this.#heard(event, world.time.nowMs))
  }

  add(site: SiteId | null, kind: Entry['kind'], text: string, round: number | null = null): void {
    this.timeline.push({ atMs: this.#world?.time.nowMs ?? 0, site, kind, text, round })
  }

  #heard(event: SimEvent, atMs: number): void {
    this.said.push({ atMs, event: event as ChainEvent })
    const text = eventText(event)
    if (text !== null)
      this.timeline.push({ atMs, site: 'site' in event ? event.site : null, kind: 'chain', text, round: 'round' in event ? event.round : null })
  }
}

/**
 * A person opens a run when most sites hold the study's key: whoever drew the first may keep it back until another is drawn. A site may die
 * while it opens the run: then another does.
 */
async function open({ world, study, openRun }: SimulatedNetwork): Promise<string | null> {
  const lastMs = world.time.nowMs + OPENING_MS
  const keyMs = world.time.nowMs + KEY_MS
  while (world.time.nowMs < keyMs && !mostHoldKey(world, study)) await world.time.sleep(LOOK_MS)
  while (world.chain.contracts.coordinator.runs.length === 0) {
    if (world.time.nowMs > lastMs) return 'no run could be opened'
    await world.within(openRun(), 20_000).catch(() => world.time.sleep(LOOK_MS))
  }
  return null
}

function mostHoldKey({ chain, disks, sites }: SimWorld, study: StudyId): boolean {
  const { bundle } = chain.study(study).epoch
  return 2 * sites.filter(({ id }) => disks.holds(bundle, id)).length > sites.length
}

const viewOf = (world: SimWorld, run: RunId): RunView | null => (world.chain.contracts.coordinator.runs.length < run ? null : world.chain.run(run))

/** A chain that goes back may take the end of a run with it: then it is played on. */
async function untilDone(network: SimulatedNetwork, draw: Draw): Promise<string | null> {
  for (;;) {
    const stopped = await untilOver(network)
    if (stopped !== null) return stopped
    if (await settles(network, draw)) return null
  }
}

async function untilOver({ world }: SimulatedNetwork): Promise<string | null> {
  let closed = -1
  let sinceMs = world.time.nowMs
  for (;;) {
    const view = viewOf(world, RUN)
    if (view === null) return 'the chain lost the run'
    if (view.state === 'Finished') return null
    if (view.state !== 'Active' && view.state !== 'Paused') return `it is ${view.state}`
    const { nowMs } = world.time
    if (view.closedRounds !== closed || world.outages.some(({ toMs }) => toMs >= nowMs)) {
      closed = view.closedRounds
      sinceMs = nowMs
    }
    if (nowMs - sinceMs > STALLED_MS) return `nothing closed for ${STALLED_MS / 60_000} minutes in round ${view.round.round}, ${view.round.phase}`
    await world.time.sleep(LOOK_MS)
  }
}

/** Waits until every honest site is up and holds the model; nobody has to do anything for it. @returns false when the run is open again */
async function settles({ world }: SimulatedNetwork, { plan }: Draw): Promise<boolean> {
  const honest = world.sites.filter(({ id }) => liesOf(plan, id).size === 0)
  const lastMs = world.time.nowMs + SETTLING_MS
  const restMs = world.time.nowMs + REST_MS
  for (;;) {
    const view = viewOf(world, RUN)
    if (view?.state !== 'Finished') return false
    const settled = honest.every((site) => site.alive && world.disks.holds(view.model.cid, site.id))
    if (world.time.nowMs >= lastMs || (settled && world.time.nowMs >= restMs)) return true
    await world.time.sleep(LOOK_MS)
  }
}

function record({ world }: SimulatedNetwork, draw: Draw, notes: Notes, end: Pick<RunRecord, 'gaveUp' | 'stopped'>): RunRecord {
  const view = viewOf(world, RUN)
  const among = (is: (site: (typeof world.sites)[number]) => boolean) => bitmapOf(world.sites.filter(is).map(({ id }) => id))
  return {
    draw,
    ...end,
    honest: world.sites.map(({ id }) => id).filter((id) => liesOf(draw.plan, id).size === 0),
    view,
    events: [...world.chain.ledger.eventsFrom(0)],
    said: notes.said,
    timeline: notes.timeline,
    vectors: notes.vectors,
    journals: new Map(world.sites.map(({ id, journal }) => [id, [...journal]])),
    restoredAtMs: new Map(world.sites.map(({ id, restoredAtMs }) => [id, restoredAtMs])),
    holders: among(({ id }) => view !== null && world.disks.holds(view.model.cid, id)),
    up: among(({ alive }) => alive),
    casualties: world.casualties.all,
    outages: world.outages,
    endMs: world.time.nowMs,
  }
}
