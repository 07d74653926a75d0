import type { LogOptions } from '#adapters/host/log.ts'
import { systemClock } from '#adapters/host/system-host.ts'
import type { PasswordSource } from '#adapters/vault/password.ts'
import { absenceRecord } from '#app/audit/absence-record.ts'
import { type Shares, startShares } from '#app/audit/participation-shares.ts'
import { changeBetween } from '#app/model/model-change.ts'
import { type ModelShelf, openShelf } from '#app/model/model-shelf.ts'
import type { ServedPortal } from '#app/portal/serve-portal.ts'
import { sitePaths } from '#app/site/site-folder.ts'
import { participationOf } from '#audit/participation.ts'
import { absenceLines, type KnownRounds, missingIn, roundAbsences } from '#audit/participation-text.ts'
import { isRotaError, nameOf, RotaError } from '#base/errors.ts'
import type { Digest, RoundNo, RunId, SiteId } from '#base/ids.ts'
import type { ChainReader, RunView } from '#ports/chain.ts'
import type { Trainer } from '#ports/trainer.ts'
import { ROW_NAMES, type RowName } from '#round/next.ts'
import type { PlayHooks } from '#round/player.ts'
import type { Progress } from '#round/progress.ts'
import { type RunningNode, startNode } from './node.ts'
import { startRoots } from './node-consents.ts'
import { openHaltedAgain } from './open-again.ts'
import { type RecentRounds, recentRounds } from './recent-rounds.ts'
import { createRoundMeter, type RoundMeter } from './round-meter.ts'
import { noteRounds } from './round-notes.ts'
import { type RoundStory, roundStories } from './round-story.ts'
import { serveNode } from './serve-node.ts'

export interface RunOptions {
  readonly folder: string
  readonly password: PasswordSource | null
  readonly log: LogOptions
  /** Stop before this row of the protocol's table, and wait: for rehearsing a failure. */
  readonly drill: string | undefined
  readonly signal: AbortSignal
  /** In place of the backend's own. */
  readonly trainer?: Trainer
  /** Told what the chain shows at each look. */
  readonly seen?: (view: RunView) => void
  /** Called before each row is done. */
  readonly beforeRow?: PlayHooks['beforeRow']
}

export type { Progress }

/** What a person (or --json) is told while a node runs. */
export type NodeEvent =
  | { readonly event: 'started'; readonly site: SiteId; readonly name: string; readonly peerId: string; readonly web: string; readonly portal?: string }
  | { readonly event: 'drill'; readonly row: RowName; readonly run: RunId; readonly round: number }
  | { readonly event: 'progress'; readonly progress: Progress }
  | { readonly event: 'round'; readonly story: RoundLine }
  | {
      readonly event: 'run-over'
      readonly run: RunId
      readonly state: string
      readonly rounds: number
      readonly modelRoot: Digest
      /** A sentence for each site that was not in every round or did not do its share. */
      readonly absences: readonly string[]
    }
  | { readonly event: 'stopped' }

export interface RoundLine extends RoundStory {
  readonly names: Readonly<Record<number, string>>
  /** Seconds between the blocks that opened and ended it. */
  readonly seconds: number
  /** Bytes that this site moved while it saw this round on chain. */
  readonly bytesIn: number
  readonly bytesOut: number
  /** Processor time of its node then, training apart. */
  readonly workMs: number
  /** Largest move of a coefficient or weight; null where the stage has none. */
  readonly change: number | null
  readonly stage: string | null
  /** Who was not in it, each with the reason and how many rounds it has been missing from. */
  readonly absences: readonly string[]
}

const LOOK_MS = 250
/** Of larger models a round's line does not say how far they moved: reading two of 40 MB would cost as much as the round. */
const TOLD_MODEL_BYTES = 1024 * 1024
const NOTHING_KNOWN: KnownRounds = { rounds: [], sites: [] }

/** Runs a site's node until the signal aborts or something needs a person. */
export async function runNode(options: RunOptions, watcher: (event: NodeEvent) => void): Promise<void> {
  const note = noteRounds(sitePaths(options.folder).rounds)
  const tell = (event: NodeEvent): void => {
    note(event)
    watcher(event)
  }
  const drill = drillRow(options.drill)
  const over = new Map<RunId, string>()
  const meter = createRoundMeter()
  const node = await startNode({
    folder: options.folder,
    password: options.password,
    log: options.log,
    signal: options.signal,
    tell: (progress) => {
      web?.note(progress)
      if (progress.kind === 'run-over') over.set(progress.run, progress.state)
      tell({ event: 'progress', progress })
    },
    ...(options.trainer === undefined ? {} : { trainer: options.trainer }),
    hooks: {
      seen(view) {
        meter.see(view.run, view.round.round)
        options.seen?.(view)
      },
      async beforeRow(row, view) {
        await options.beforeRow?.(row, view)
        if (row === drill) await hold(row, view.run, view.round.round, tell, options.signal)
      },
    },
  })
  meter.connect(() => ({ ...node.network.traffic, workMs: node.work.totalMs() }))
  let web: Awaited<ReturnType<typeof serveNode>> | null = null
  let portal: ServedPortal | null = null
  let shares: Shares | null = null
  const roots = startRoots(node)
  let opening = Promise.resolve()
  const openAgain = (): void => {
    const { folder, chain, host } = node
    opening = opening.then(() => openHaltedAgain(folder.paths.opened, chain, host.log)).catch((e) => host.log.warn('run.not-opened-again', { code: nameOf(e) }))
  }
  try {
    web = await serveNode(node)
    if (node.folder.config.portal !== undefined) portal = await (await import('#app/portal/node-portal.ts')).serveNodePortal(node)
    shares = await startShares({ network: node.network, paths: node.folder.paths, clock: node.host.clock, log: node.host.log })
    tell({
      event: 'started',
      site: node.site.id,
      name: node.name,
      peerId: node.network.peerId,
      web: web.url,
      ...(portal === null ? {} : { portal: portal.url }),
    })
    openAgain()
    const tellAndCount = (event: NodeEvent) => {
      if (event.event === 'round' && event.story.state !== 'open') web?.noteRound(event.story.state)
      tell(event)
      if (event.event === 'round') shares?.ask(event.story.run, false)
      if (event.event === 'run-over') shares?.ask(event.run, true)
      if (event.event === 'run-over') openAgain()
    }
    await Promise.race([node.hospital.done, roots.done, follow(node, over, meter, tellAndCount, options.signal), aborted(options.signal)])
  } catch (error) {
    if (!options.signal.aborted) throw error
  } finally {
    await shares?.stop()
    await roots.stop()
    await portal?.stop()
    await web?.stop()
    await node.stop()
    tell({ event: 'stopped' })
  }
}

/** Waits at the row until the process is ended: what a drill is for. */
async function hold(row: RowName, run: RunId, round: number, tell: (event: NodeEvent) => void, signal: AbortSignal): Promise<void> {
  tell({ event: 'drill', row, run, round })
  await aborted(signal)
  signal.throwIfAborted()
}

function drillRow(text: string | undefined): RowName | null {
  if (text === undefined) return null
  const row = ROW_NAMES.find((name) => name === text)
  if (row === undefined) throw new RotaError('ROTA-1212', { row: text, rows: ROW_NAMES.join(', ') })
  return row
}

const aborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted ? Promise.resolve() : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

/** Tells each round once when it has ended, and each run that this node played once it is over. */
async function follow(node: RunningNode, over: Map<RunId, string>, meter: RoundMeter, tell: (event: NodeEvent) => void, signal: AbortSignal): Promise<void> {
  const recent = recentRounds(node.chain)
  const record = absenceRecord(node.chain)
  const shelf = openShelf({ chain: { ...node.chain, events: recentOf(recent) }, store: node.site.store, vault: node.folder.vault }, TOLD_MODEL_BYTES)
  const names = Object.fromEntries((await node.chain.sites()).map((site) => [site.id, site.name]))
  const name = (site: number): string => names[site] ?? `site ${site}`
  const told = await endedSoFar(node)
  const due = new Set<RunId>()
  while (!signal.aborted) {
    try {
      for (const run of [...(await recent.changed()), ...over.keys()]) due.add(run)
      for (const run of due) {
        const events = await recent.of(run)
        const stories = roundStories(events, run)
        // A round whose sum was disputed after its close ends a second time.
        const ended = new Set(endedOf(stories).filter((round) => told.get(run)?.has(round)))
        const fresh = stories.filter((story) => story.state !== 'open' && !ended.has(story.round))
        told.set(run, ended)
        const known = fresh.length > 0 ? await record.of(run, events) : NOTHING_KNOWN
        for (const story of fresh) {
          ended.add(story.round)
          tell({
            event: 'round',
            story: {
              ...story,
              ...(story.included.length === 0 ? {} : { missing: missingIn(known, story.round) }),
              names,
              ...meter.of(run, story.round),
              ...(await changeOf(shelf, story, signal)),
              seconds: (story.endedAt ?? story.openedAt) - story.openedAt,
              absences: roundAbsences(known, story.round, name),
            },
          })
        }
        if (over.has(run)) {
          const view = await node.chain.run(run)
          over.delete(run)
          tell({
            event: 'run-over',
            run,
            state: view.state,
            rounds: view.closedRounds,
            modelRoot: view.model.root,
            absences: absenceLines(participationOf(await node.chain.events(0), run), name),
          })
        }
        recent.settle(run)
        due.delete(run)
      }
    } catch (error) {
      if (!isRotaError(error)) throw error
      node.host.log.warn('story.failed', { code: error.code })
    }
    await systemClock.sleep(LOOK_MS, signal).catch(() => undefined)
  }
}

const endedOf = (stories: readonly RoundStory[]): readonly RoundNo[] => stories.flatMap(({ state, round }) => (state === 'open' ? [] : [round]))

async function endedSoFar(node: RunningNode): Promise<Map<RunId, ReadonlySet<RoundNo>>> {
  const events = await node.chain.events(0)
  return new Map((await node.chain.runs()).map(({ run }) => [run, new Set(endedOf(roundStories(events, run)))]))
}

/** The last rounds of a run name what a line about them compares. */
const recentOf =
  (recent: RecentRounds): ChainReader['events'] =>
  async (_, { run, kinds } = {}) => {
    const events = run === undefined ? [] : await recent.of(run)
    return events.filter((e) => 'run' in e && e.run === run && (kinds === undefined || kinds.includes(e.kind)))
  }

async function changeOf(shelf: ModelShelf, story: RoundStory, signal: AbortSignal): Promise<{ change: number | null; stage: string | null }> {
  if (story.modelRoot === null) return { change: null, stage: null }
  const [before, after] = await Promise.all([shelf.model(story.run, story.baseRoot, signal), shelf.model(story.run, story.modelRoot, signal)])
  return { change: before === null || after === null ? null : changeBetween(before, after), stage: before?.stage ?? null }
}
