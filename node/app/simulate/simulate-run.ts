import { performance } from 'node:perf_hooks'
import { systemRandom } from '#adapters/host/system-host.ts'
import type { SimPorts } from '#adapters/sim/site.ts'
import type { SimTime } from '#adapters/sim/time.ts'
import type { SimWorld } from '#adapters/sim/world.ts'
import { type NamedParticipation, namedParticipation } from '#app/audit/participation.ts'
import { rehearsedRules } from '#app/protocol/study-rules.ts'
import type { RoundLine } from '#app/results/results.ts'
import { sitesOf } from '#base/bitmap.ts'
import { toHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import type { Model } from '#core/model/model.ts'
import type { SplitTable } from '#core/model/table.ts'
import { isPrivate } from '#core/protocol/private-rounds.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { Trainer } from '#ports/trainer.ts'
import type { Progress } from '#round/progress.ts'
import { dropOuts } from './drop-outs.ts'
import { type SimulatedNetwork, simulateNetwork } from './simulated-network.ts'

export interface SimulatedRun {
  readonly rounds: readonly RoundLine[]
  readonly participation: NamedParticipation
  /** The model that each round began with, in the order of rounds. */
  readonly bases: readonly Model[]
  readonly final: Model
  readonly finished: boolean
  /** What a site sent to others, in mean over sites and rounds; a message to two receivers counts twice. */
  readonly bytesPerSitePerRound: number
  /** From the run's opening to its end. */
  readonly seconds: number
}

export interface RunTools {
  readonly signal: AbortSignal
  readonly onRound?: (text: string) => void
  readonly trainer?: Trainer
  /** Probability with which each site drops out of each round. */
  readonly dropOut?: number
  /** Of the simulated world, its chain and its generators; default: always the same, but for a private study. */
  readonly seed?: string
}

const DROP_SEED = 1

/** Noise that can be drawn again can be taken off: a result that somebody might show has noise of its own. */
const seedFor = (protocol: Protocol): string => (isPrivate(protocol) ? `simulate ${toHex(systemRandom.bytes(16))}` : 'simulate')

/** Plays one run of a study with the code of real nodes over a simulated chain, network and clock. */
export async function playStudy(protocol: Protocol, tables: ReadonlyMap<string, SplitTable>, tools: RunTools): Promise<SimulatedRun> {
  const names = [...tables.keys()]
  const began = new Map<number, number>()
  const refusals: string[] = []
  const held = heldBack(names.length)
  const ports = new Map<SiteId, SimPorts>()
  const leave = dropOuts(protocol, tools.dropOut ?? 0, DROP_SEED)
  let world: SimWorld | null = null
  const network = await simulateNetwork({
    seed: tools.seed ?? seedFor(protocol),
    // Keys and shares travel by gossip, and by nothing else; in an open study it is a hint only.
    deaf: protocol.mode === 'open',
    chain: { fewestMasked: 1 },
    sites: [...tables].map(([name, rows]) => ({ name, rows })),
    protocol,
    rules: await rehearsedRules(protocol),
    ...(tools.trainer === undefined ? {} : { trainer: tools.trainer }),
    hooks: (site) => {
      ports.set(site.id, site)
      return leave(site, () => (world as SimWorld | null)?.time as SimTime)
    },
    onWorld: (made) => {
      world = made
    },
    tell: (site, progress) => {
      if (progress.kind === 'abstained') refusals.push(`${site.name}: ${progress.detail}`)
      held.note(site, progress)
      if (progress.kind !== 'contributed' || began.has(progress.round)) return
      began.set(progress.round, performance.now())
      tools.onRound?.(`round ${progress.round}`)
    },
  })
  const stop = () => network.stop()
  tools.signal.addEventListener('abort', stop, { once: true })
  try {
    const run = await untilAborted(network.openRun(), tools.signal)
    const started = performance.now()
    const view = await untilAborted(Promise.race([network.finish(run), held.run]), tools.signal)
    const ended = performance.now()
    const events = await network.events()
    const rounds = roundLines(events, names, network, began, ended)
    const final = network.model(view.model.root)
    if (final === undefined || view.state === 'Halted')
      throw new RotaError('ROTA-1105', { state: view.state, rounds: rounds.length, reason: refusals[0] ?? 'unknown' })
    const sent = [...ports.values()].reduce((sum, site) => sum + site.gossip.traffic.bytesOut + site.store.traffic.bytesOut, 0)
    return {
      rounds,
      participation: namedParticipation(events, run, (site) => names[site] ?? `site ${site}`),
      bases: rounds.map(({ baseRoot }) => network.model(baseRoot) as Model),
      final,
      finished: view.state === 'Finished',
      bytesPerSitePerRound: Math.round(sent / names.length / Math.max(1, rounds.length)),
      seconds: (ended - started) / 1000,
    }
  } finally {
    tools.signal.removeEventListener('abort', stop)
    network.stop()
  }
}

/** Nobody is there to go on for: a run that most sites wait in for people is over. */
function heldBack(sites: number): { readonly run: Promise<never>; note(site: Pick<SimPorts, 'id'>, progress: Progress): void } {
  const { promise, reject } = Promise.withResolvers<never>()
  promise.catch(() => undefined)
  const waiting = new Map<number, Set<SiteId>>()
  return {
    run: promise,
    note({ id }, progress) {
      if (progress.kind !== 'abstained' || progress.reason !== 'sumRefused') return
      const { round } = progress
      const those = (waiting.get(round) ?? new Set()).add(id)
      waiting.set(round, those)
      if (2 * those.size > sites) reject(new RotaError('ROTA-1105', { state: 'Paused', rounds: round, reason: progress.detail }))
    },
  }
}

/** A stopped world never answers: the signal does. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    work.then(resolve, reject)
  })
}

/** Closed rounds as the chain's log tells them; seconds are this machine's, from the first update to the next round's. */
function roundLines(
  events: readonly ChainEvent[],
  names: readonly string[],
  network: SimulatedNetwork,
  began: ReadonlyMap<number, number>,
  ended: number,
): RoundLine[] {
  const opened = new Map<number, Extract<ChainEvent, { kind: 'RoundOpened' }>>()
  const included = new Map<number, readonly SiteId[]>()
  const name = (site: SiteId): string => names[site] ?? `site ${site}`
  const lines: RoundLine[] = []
  for (const event of events) {
    if (event.kind === 'RoundOpened') opened.set(event.round, event)
    if (event.kind === 'Frozen') included.set(event.round, sitesOf(event.included))
    if (event.kind !== 'RoundClosed') continue
    const opening = opened.get(event.round)
    if (opening === undefined) continue
    const sites = included.get(event.round) ?? []
    const start = began.get(event.round)
    const next = began.get(event.round + 1) ?? ended
    lines.push({
      round: event.round,
      stage: network.model(opening.baseRoot)?.stage ?? '',
      leader: name(opening.leader),
      included: sites.map(name),
      missing: names.filter((_, site) => !sites.includes(site as SiteId)),
      seconds: start === undefined ? null : (next - start) / 1000,
      baseRoot: opening.baseRoot,
      modelRoot: event.modelRoot,
    })
  }
  return lines
}
