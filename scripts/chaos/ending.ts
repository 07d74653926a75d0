import { liesOf } from '#adapters/sim/lies.ts'
import type { SimWorld } from '#adapters/sim/world.ts'
import type { SimulatedNetwork } from '#app/simulate/simulated-network.ts'
import { has as inSet } from '#base/bitmap.ts'
import { type RunId, runId, type SiteId, type StudyId, studyId } from '#base/ids.ts'
import type { RunView } from '#ports/chain.ts'
import { type Draw, type RunRecord, STALLED_MS } from './record.ts'

const LOOK_MS = 500
const OPENING_MS = 5 * 60_000
const KEY_MS = 60_000
/** So long after the end of the run each site must have come back and hold the model. */
const SETTLING_MS = 15 * 60_000
/** What was to happen in the last rounds may come after them. */
const REST_MS = 6_000
export const RUN = runId(1)

/**
 * A person opens a run when most sites hold the study's key: whoever drew the first may keep it back until another is drawn. A site may die
 * while it opens the run: then another does.
 */
export async function open({ world, study, openRun }: SimulatedNetwork): Promise<string | null> {
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

export const viewOf = (world: SimWorld, run: RunId): RunView | null => (world.chain.contracts.coordinator.runs.length < run ? null : world.chain.run(run))

/** Who was to join, and had no part in the study before the run was over. */
export const isStranger = ({ joining, chain }: SimWorld, site: SiteId): boolean =>
  joining?.id === site && !inSet(chain.contracts.studies.approvals(chain.contracts.coordinator.runs[0]?.study ?? studyId(1)), site)

/** A chain that goes back may take the end of a run with it: then it is played on. @returns why it was given up, or null */
export async function untilDone(network: SimulatedNetwork, draw: Draw, stopped: RunRecord['stopped']): Promise<string | null> {
  for (;;) {
    const why = await untilOver(network, draw, stopped)
    if (why !== null) return why
    if (chainIsBroken(network.world, stopped) || (await settles(network, draw, stopped))) return null
  }
}

async function untilOver({ world }: SimulatedNetwork, { rules }: Draw, stopped: RunRecord['stopped']): Promise<string | null> {
  let closed = -1
  let sinceMs = world.time.nowMs
  for (;;) {
    const view = viewOf(world, RUN)
    if (view === null) return 'the chain lost the run'
    const halted = view.state === 'Halted' && rules.exact && world.withdrawals.length > 0
    if (view.state === 'Finished' || halted || chainIsBroken(world, stopped)) return null
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

/** Too many have stopped to go on, as they should: the set that they acted on is another now. */
function chainIsBroken({ lostSets, sites }: SimWorld, stopped: RunRecord['stopped']): boolean {
  const waiting = stopped.filter(({ code, site }) => code === 'ROTA-5504' && sites[site]?.alive === false)
  return lostSets.size > 0 && 2 * waiting.length >= sites.length
}

/** Waits until every honest site is up and holds the model; nobody has to do anything for it. @returns false when the run is open again */
async function settles({ world }: SimulatedNetwork, { plan }: Draw, stopped: RunRecord['stopped']): Promise<boolean> {
  const honest = world.sites.filter((site) => liesOf(plan, site.id).size === 0 && !world.gone.has(site.id))
  const lastMs = world.time.nowMs + SETTLING_MS
  const restMs = world.time.nowMs + REST_MS
  for (;;) {
    const view = viewOf(world, RUN)
    if (view?.state !== 'Finished' && view?.state !== 'Halted') return false
    const has = (site: (typeof honest)[number]) => site.alive && (view.state === 'Halted' || world.disks.holds(view.model.cid, site.id))
    const settled = honest.every((site) => isStranger(world, site.id) || has(site) || (!site.alive && stopped.some((stop) => stop.site === site.id)))
    if (world.time.nowMs >= lastMs || (settled && world.time.nowMs >= restMs)) return true
    await world.time.sleep(LOOK_MS)
  }
}
