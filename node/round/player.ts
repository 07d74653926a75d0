import { has } from '#base/bitmap.ts'
import { isRotaError } from '#base/errors.ts'
import { roundNo } from '#base/ids.ts'
import type { RunView, StudyRecord } from '#ports/chain.ts'
import type { JournalEntry } from '#ports/journal.ts'
import type { ChainTime } from './clock.ts'
import { next, type RowName, type Situation } from './next.ts'
import { adds, followUpdates, openRound, type Play, type Round } from './play.ts'
import { doRow } from './round.ts'
import type { Waker } from './waker.ts'

/** How long a waiting node sleeps when nothing wakes it: it then looks at chain, clock and consent by itself. */
const LOOK_MS = 500
const AFTER_TROUBLE_MS = 250
/** The chain lost the block that opened the run. */
export const RUN_GONE = 'ROTA-5110'

/**
 * Plays one run until it is over: look at the chain, decide by the table, do it, look again.
 * @throws what needs a person (reaction 'stop'), and the signal's reason
 */
export async function playRun(play: Play, wakeUp: Waker, signals: PlaySignals, hooks: PlayHooks = {}): Promise<void> {
  const { site } = play
  const { stop, leave } = signals
  const clock = chainClock(play)
  while (!leave.aborted) {
    stop.throwIfAborted()
    const seen = wakeUp.mark()
    const row = await lookAndDo(play, clock, stop, hooks)
    if (row === 'over') return
    if (row === 'wait') await wakeUp.next(seen, site.host.clock, LOOK_MS, stop)
    else if (row === 'trouble') await wakeUp.next(seen, site.host.clock, AFTER_TROUBLE_MS, stop)
  }
}

export interface PlaySignals {
  /** Give up at once. */
  readonly stop: AbortSignal
  /** Finish the step under way and begin no other. */
  readonly leave: AbortSignal
}

export interface PlayHooks {
  /** Told what the chain shows at each look. */
  readonly seen?: (view: RunView) => void
  /** Called before each row is done, so that a process can be killed at a named row. */
  readonly beforeRow?: (row: RowName, view: RunView) => Promise<void>
}

async function lookAndDo(play: Play, clock: ChainClock, signal: AbortSignal, hooks: PlayHooks): Promise<RowName | 'trouble' | 'over'> {
  const { site } = play
  const startedMs = site.host.clock.nowMs()
  let row: RowName = 'wait'
  try {
    const [view, head, record] = await Promise.all([site.chain.run(play.run), clock.head(), play.study.record()])
    hooks.seen?.(view)
    // The model that this site itself attested needs no fetching.
    if (play.attested?.root === view.model.root) play.base = play.attested
    if (isOver(view)) return await finish(play, view, signal)
    const round = await openRound(play, view, signal)
    if (play.base?.root === view.model.root) await followUpdates(play, round)
    row = next(await situation(play, round, record, head, clock))
    if (row === 'wait') return row
    await hooks.beforeRow?.(row, view)
    await doRow(row, play, round, signal)
    play.trouble = null
    site.tell({ kind: 'step', run: play.run, round: view.round.round, row, ms: site.host.clock.nowMs() - startedMs })
    return row
  } catch (error) {
    return trouble(play, row, error, signal)
  }
}

async function situation(play: Play, round: Round, record: StudyRecord, head: ChainTime, clock: ChainClock): Promise<Situation> {
  const { site } = play
  const { view } = round
  return {
    me: site.id,
    rules: record.rules,
    approved: has(record.approved, site.id),
    view,
    head,
    chainSilentMs: clock.silentMs(head),
    chainGapMs: clock.gapMs(),
    journal: site.journal.entries().filter((e) => e.run === view.run && e.round === view.round.round && isOf(view, e)),
    held: play.holdings?.held() ?? (0n as Situation['held']),
    adds: adds(play, round),
    hasBase: play.base?.root === view.model.root,
    resting: site.resting(),
    cohortChanged: await play.cohortWatch.changed(play),
  }
}

/** A chain that went back may open the same round on another base: what was contributed to the first is nothing here. */
const isOf = (view: RunView, entry: JournalEntry): boolean => entry.kind !== 'contributed' || entry.base === view.model.root

/** Late and duplicate calls are nothing; what may pass is tried again; what needs a person stops the node. */
function trouble(play: Play, row: RowName, error: unknown, signal: AbortSignal): RowName | 'trouble' {
  signal.throwIfAborted()
  if (!isRotaError(error)) throw error
  if (error.reaction === 'ignore') return row
  if (error.reaction === 'stop' || error.code === RUN_GONE) throw error
  if (play.trouble !== error.code)
    play.site.host.log.warn('round.trouble', { run: play.run, round: play.holdings?.round ?? roundNo(0), action: row, code: error.code, what: error.message })
  if (play.trouble !== error.code)
    play.site.tell({ kind: 'trouble', run: play.run, round: play.holdings?.round ?? roundNo(0), code: error.code, message: error.message })
  play.trouble = error.code
  return 'trouble'
}

const isOver = (view: RunView): boolean => view.state === 'Finished' || view.state === 'Halted' || view.state === 'Ended'

async function finish(play: Play, view: RunView, signal: AbortSignal): Promise<'over'> {
  play.holdings?.stop()
  if (view.state === 'Finished' && play.base?.root !== view.model.root) {
    const round = await openRound(play, view, signal)
    await doRow('adopt', play, round, signal)
  }
  play.site.tell({ kind: 'run-over', run: play.run, state: view.state })
  return 'over'
}

/** The chain's time and height as this node last learned them. */
interface ChainClock {
  head(): Promise<ChainTime>
  /** How long the chain has not grown, by this node's own clock. */
  silentMs(head: ChainTime): number
  /** How long it took to grow the last time: a chain with regular blocks needs no help to make the next. */
  gapMs(): number
}

/** So long the newest event stands for the head: every wake but those by time comes with one. */
const ASK_HEAD_MS = 400

function chainClock({ site }: Play): ChainClock {
  let asked = { atMs: Number.NEGATIVE_INFINITY, head: { number: -1, timestamp: 0 } }
  let last = -1
  let since = 0
  let gap = 0
  return {
    gapMs: () => gap,
    async head() {
      const now = site.host.clock.nowMs()
      if (now - asked.atMs >= ASK_HEAD_MS) asked = { atMs: now, head: await site.chain.head() }
      const newest = (await site.chain.events(asked.head.number)).at(-1)
      return newest !== undefined && newest.block > asked.head.number ? { number: newest.block, timestamp: newest.timestamp } : asked.head
    },
    silentMs({ number }) {
      const now = site.host.clock.nowMs()
      if (number !== last) {
        if (last >= 0) gap = now - since
        last = number
        since = now
      }
      return now - since
    },
  }
}
