import { liesOf } from '#adapters/sim/lies.ts'
import { SimRandom } from '#adapters/sim/random.ts'
import type { SimWorld } from '#adapters/sim/world.ts'
import { type SimulatedNetwork, simulateNetwork } from '#app/simulate/simulated-network.ts'
import { participationOf } from '#audit/participation.ts'
import { absenceLines } from '#audit/participation-text.ts'
import { bitmapOf } from '#base/bitmap.ts'
import { nameOf } from '#base/errors.ts'
import { type RunId, type SiteId, studyId } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { Trainer } from '#ports/trainer.ts'
import { auditOf } from './audit-run.ts'
import { drawSeed, type Given } from './draw.ts'
import { isStranger, open, RUN, untilDone, viewOf } from './ending.ts'
import { hidersOf } from './invariants/masked.ts'
import { Notes } from './notes.ts'
import type { Draw, RunRecord } from './record.ts'

/** Weights shrink: what is learned matters to nobody here, that all learn the same does. */
const shrinking: Trainer = { backend: 'none', train: async (task) => task.weights.map((weight) => 0.99 * weight), stop: async () => undefined }

type Stop = RunRecord['stopped'][number]

/** Plays what one seed decides, but for what is given, to the end of the run and until everybody is back. The same seed plays the same run. */
export async function playSeed(seed: number, sites?: number, given: Given = {}): Promise<RunRecord> {
  const { draw, study } = await drawSeed(seed, sites, given)
  const notes = new Notes((site) => liesOf(draw.plan, site).size === 0)
  const stopped: Stop[] = []
  let world: SimWorld | null = null
  let looked = false
  const network = await simulateNetwork({
    seed: `chaos ${seed}`,
    sites: study.sites,
    protocol: study.protocol,
    rules: draw.rules,
    faults: draw.plan,
    chain: { mayGoBack: true },
    trainer: shrinking,
    trainMs: trainingOf(draw, () => world?.strikes.count('slow-training')),
    hooks: (ports) => ({ beforeRow: async (row, view) => notes.add(ports.id, 'row', row, view.round.round) }),
    tell: (ports, progress) => {
      notes.tell(ports.id, progress)
      if (progress.kind === 'abstained' && progress.reason === 'sumRefused' && !looked) {
        looked = true
        if (world !== null) void takeOut(world, hidersOf({ draw }))
      }
    },
    onWorld: (made) => {
      world = made
      notes.watch(made)
    },
    onStopped: (site, error) => {
      stopped.push({ site: site.id, code: nameOf(error), error: error instanceof Error ? `${nameOf(error)} ${error.message}` : String(error) })
      notes.add(site.id, 'fault', `its node ends: ${nameOf(error)}`)
    },
  })
  try {
    const gaveUp = (await open(network)) ?? (await untilDone(network, draw, stopped))
    const played = record(network, draw, notes, { gaveUp, stopped })
    return (draw.isInGroups || given.audited === true) && gaveUp === null ? { ...played, audit: await auditOf(network, played, study.protocol) } : played
  } finally {
    network.stop()
  }
}

/** So long people take to find out who spoils the sums. */
const PEOPLE_MS = 120_000

/** A run waits for people: the hospitals find the liar, and its steward takes it out of the study. */
async function takeOut(world: SimWorld, sites: readonly SiteId[]): Promise<void> {
  await world.time.sleep(PEOPLE_MS)
  for (const site of sites) {
    world.note(site, 'its steward takes it out of the study, since it spoils sums')
    await world
      .steward(world.site(site))
      .studyDesk()
      .withdrawSite(studyId(1))
      .catch(() => undefined)
  }
}

/** How long each training of a slow site takes: another time each time. */
function trainingOf({ seed, plan }: Draw, strike: () => void): (site: SiteId) => number {
  const random = new SimRandom(`training of chaos ${seed}`)
  return (site) => {
    const slow = plan.training.find((entry) => entry.site === site)
    if (slow === undefined) return 0
    strike()
    return random.int(...(slow.ms as [number, number]))
  }
}

function record({ world }: SimulatedNetwork, draw: Draw, notes: Notes, end: Pick<RunRecord, 'gaveUp' | 'stopped'>): RunRecord {
  const view = viewOf(world, RUN)
  const events = [...world.chain.ledger.eventsFrom(0)]
  const among = (is: (site: (typeof world.sites)[number]) => boolean) => bitmapOf(world.sites.filter(is).map(({ id }) => id))
  return {
    draw,
    ...end,
    honest: world.sites.map(({ id }) => id).filter((id) => liesOf(draw.plan, id).size === 0),
    view,
    events,
    said: notes.said,
    timeline: notes.timeline,
    vectors: notes.vectors,
    unheld: notes.unheld,
    shown: notes.shown,
    journals: new Map(world.sites.map(({ id, journal }) => [id, [...journal]])),
    restoredAtMs: new Map(world.sites.map(({ id, restoredAtMs }) => [id, restoredAtMs])),
    holders: among(({ id }) => view !== null && world.disks.holds(view.model.cid, id)),
    up: among(({ alive }) => alive),
    expectedStops: world.expectedStops,
    gone: world.sites.map(({ id }) => id).filter((id) => world.gone.has(id) || isStranger(world, id)),
    withdrawals: world.withdrawals,
    lostSets: world.lostSets,
    strikes: world.strikes.all,
    casualties: world.casualties.all,
    outages: world.outages,
    audit: null,
    told: view === null ? null : toldOf(events, view.run),
    endMs: world.time.nowMs,
  }
}

/** As every view of a run has it. */
export function toldOf(events: readonly ChainEvent[], run: RunId): RunRecord['told'] {
  const found = participationOf(events, run)
  return { rounds: found.rounds, absences: absenceLines(found, (site) => `site ${site}`) }
}
