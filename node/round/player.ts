import { has, sizeOf } from '#base/bitmap.ts'
import { isRotaError } from '#base/errors.ts'
import { type Bitmap, roundNo, type SiteId } from '#base/ids.ts'
import { freeKeptMemory } from '#base/large-memory.ts'
import type { RunView, StudyRecord } from '#ports/chain.ts'
import type { JournalEntry } from '#ports/journal.ts'
import { type ChainClock, chainClock } from './chain-clock.ts'
import { type ChainTime, limitPassed, thirdsPassed } from './clock.ts'
import { isHeldBack } from './held-back.ts'
import { followMasking } from './masking/follow.ts'
import { isOpening } from './masking/masked-round.ts'
import { maskingWork } from './masking/work.ts'
import { next, type RowName, type Situation, type SliceWork } from './next.ts'
import { followUpdates, openRound, type Play, type Round } from './play.ts'
import { canUnmask, mayBeReady, pauseOf, stays, tellOfPause } from './readiness.ts'
import { reliefOf } from './relief.ts'
import { doRow } from './round.ts'
import { watchRun } from './run-view.ts'
import { adopt } from './steps/adopt.ts'
import { agreedToAttest, agreedToPublish } from './steps/agreed.ts'
import { owesCharge } from './steps/charge.ts'
import { contestWork, dispute } from './steps/contest.ts'
import { isSettled } from './steps/gather.ts'
import { owesWord } from './steps/tell-slices.ts'
import { wishWork } from './steps/wish.ts'
import { heldOf } from './steps/witness.ts'
import { takeOver } from './take-over.ts'
import { endTraining, endUseless } from './training.ts'
import type { Waker } from './waker.ts'

/** How long a waiting node sleeps when nothing wakes it: it then looks at chain, clock and consent by itself. */
const LOOK_MS = 500
const AFTER_TROUBLE_MS = 250
/** A chain that makes blocks only when somebody calls needs a call after so long, for limits to pass. */
const SILENT_MS = 5_000
/** The chain lost the block that opened the run. */
export const RUN_GONE = 'ROTA-5110'

/**
 * Plays one run until it is over: look at the chain, decide by the table, do it, look again.
 * @throws what needs a person (reaction 'stop'), and the signal's reason
 */
export async function playRun(play: Play, wakeUp: Waker, signals: PlaySignals, hooks: PlayHooks = {}): Promise<void> {
  const { site } = play
  const { stop, leave } = signals
  const clock = chainClock(site.chain, site.host.clock)
  const readRun = watchRun(site.chain, play.run, site.host.clock)
  try {
    while (!leave.aborted) {
      stop.throwIfAborted()
      const seen = wakeUp.mark()
      const row = await lookAndDo(play, clock, readRun, stop, hooks)
      if (row === 'over') return
      if (row === 'wait') await wakeUp.next(seen, site.host.clock, LOOK_MS, stop)
      else if (row === 'trouble') await wakeUp.next(seen, site.host.clock, AFTER_TROUBLE_MS, stop)
    }
  } finally {
    await endTraining(play)
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

async function lookAndDo(
  play: Play,
  clock: ChainClock,
  readRun: ReturnType<typeof watchRun>,
  signal: AbortSignal,
  hooks: PlayHooks,
): Promise<RowName | 'trouble' | 'over'> {
  const { site } = play
  const startedMs = site.host.clock.nowMs()
  let row: RowName = 'wait'
  try {
    const [view, head, record] = await Promise.all([readRun(play.last?.row), clock.head(), play.study.record()])
    hooks.seen?.(view)
    endUseless(play, view, has(record.approved, site.id))
    // The model that this site itself attested needs no fetching.
    if (play.attested?.root === view.model.root) takeOver(play, play.attested)
    if (isOver(view)) {
      const contest = await contestWork(play, view)
      if (contest === null) return await finish(play, view, signal)
      if (!contest.isDue) return row
      row = 'dispute'
      await hooks.beforeRow?.(row, view)
      await dispute(play, view, signal)
      return row
    }
    const round = await openRound(play, view, signal).catch((error) => goOnWithoutKey(play, view, record, head, clock, error))
    await followMasking(play, round, record.rules, signal)
    if (play.base?.root === view.model.root) await followUpdates(play, round, await reliefOf(play, round, record.rules, head))
    const seen = await situation(play, round, record, head, clock)
    tellOfPause(play, round)
    row = next(seen)
    play.last = { round: view.round.round, row }
    await hooks.beforeRow?.(row, view)
    if (row === 'wait') return row
    await doRow(row, play, round, seen, signal)
    play.trouble = null
    site.tell({ kind: 'step', run: play.run, round: view.round.round, row, ms: site.host.clock.nowMs() - startedMs })
    return row
  } catch (error) {
    return trouble(play, row, error, signal)
  }
}

/**
 * What needs no key is done by a site that cannot have the round's: a withdrawal stops an exact run at once, by its own call (it could not tell
 * others of a wish), a pause ends, a round whose
 * key its drawer keeps back passes its limit, and the next one waits for those who could not be in it.
 */
async function goOnWithoutKey(play: Play, view: RunView, record: StudyRecord, head: ChainTime, clock: ChainClock, error: unknown): Promise<never> {
  const { chain, id, resting } = play.site
  const approved = has(record.approved, id)
  const overdue = limitPassed(record.rules, view.round, head) || clock.silentMs() >= SILENT_MS
  if (approved && view.state === 'Active' && (await play.cohortWatch.changed(play))) await chain.halt(view.run, 'cohortChanged')
  else if (approved && !resting() && !has(view.ready, id) && (isLeftOut(view, record, head, id) || (await endsPause(play, view, record, head))))
    await chain.ready(view.run)
  else if (approved && isKeptBack(play, view, record, head)) await chain.reportEpoch(record.id, record.epoch.epoch)
  else if (approved && (view.state === 'Active' ? overdue : view.state === 'Paused' && mayResume(view, record))) await chain.tick(view.run)
  throw error
}

const endsPause = async (play: Play, view: RunView, record: StudyRecord, head: ChainTime): Promise<boolean> =>
  view.state === 'Paused' && mayBeReady(await pauseOf(play, view, record, head, null))

/** So long a site tries to get a round's key before it says that it cannot. */
const KEY_MS = 2_000

/** A round without its key comes to nothing, and so does the next that opens with it: the site does not wait for that. */
function isKeptBack(play: Play, { state, round }: RunView, { rules, epoch }: StudyRecord, head: ChainTime): boolean {
  const now = play.site.host.clock.nowMs()
  if (play.keyless?.epoch !== round.epoch) play.keyless = { epoch: round.epoch, sinceMs: now }
  const isOpen = state === 'Active' && (round.phase === 'Keying' || round.phase === 'Contributing') && round.epoch === epoch.epoch && !epoch.reported
  return isOpen && now - play.keyless.sinceMs >= KEY_MS && thirdsPassed(rules, round, head) >= 1
}

/** Soon nobody would wait for this site any more, as if it were gone. */
function isLeftOut({ state, round }: RunView, { rules }: StudyRecord, head: ChainTime, me: SiteId): boolean {
  const missing = round.rota.includes(me) && !has(round.contributed, me) && !has(round.abstained, me)
  return state === 'Active' && missing && (round.phase !== 'Contributing' || thirdsPassed(rules, round, head) >= 2)
}

/** As the contract counts it: more than half of the members, and enough sites for a rota; of a masked sum that is published so many that it can be unmasked. */
function mayResume(view: RunView, record: StudyRecord): boolean {
  const { approved, epoch, rules } = record
  const there = (view.ready & approved) as Bitmap
  if (2 * sizeOf(there) <= sizeOf(approved)) return false
  const hasRota = sizeOf((epoch.members & approved) as Bitmap) >= rules.minSites
  if (!stays(view, record)) return hasRota
  // Where so many are members no more, the call ends the run.
  return (hasRota && canUnmask(view, there)) || !canUnmask(view, approved)
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
    chainSilentMs: clock.silentMs(),
    chainGapMs: clock.gapMs(),
    journal: site.journal.entries().filter((e) => e.run === view.run && e.round === view.round.round && isOf(view, play.masked, e)),
    held: view.round.witnessed.map((_, slice) => heldOf(play, round, slice)),
    slices: sliceWork(play, round),
    hasBase: play.base?.root === view.model.root,
    resting: site.resting(),
    mayBeReady: mayBeReady(await pauseOf(play, view, record, head, round)),
    mayResume: mayResume(view, record),
    cohortChanged: await play.cohortWatch.changed(play),
    last: play.last?.round === view.round.round ? play.last.row : null,
    wish: wishWork(play, round),
    masking: maskingWork(play, round, record.rules, head),
    heldBack: await isHeldBack(play, view, record),
    owesCharge: await owesCharge(play, view),
    disputeDue: (await contestWork(play, view))?.isDue === true,
  }
}

function sliceWork(play: Play, round: Round): SliceWork {
  const settled = (phase: string, agreed: typeof agreedToPublish): boolean => round.view.round.phase === phase && isSettled(play, round, agreed)
  return {
    owed: owesWord(play, round),
    settledToPublish: settled('Publishing', agreedToPublish),
    settledToAttest: settled('Attesting', agreedToAttest),
  }
}

/** A chain that went back may open the same round on another base, or for other members: what was contributed to the first, or keyed in it, is nothing here. */
function isOf(view: RunView, masked: Play['masked'], entry: JournalEntry): boolean {
  if (entry.kind === 'keyed') return masked !== null && isOpening(masked, view) && entry.ctx === masked.ctx
  return entry.kind !== 'contributed' || entry.base === view.model.root
}

/** Late and duplicate calls are nothing; what may pass is tried again; what needs a person stops the node. */
function trouble(play: Play, row: RowName, error: unknown, signal: AbortSignal): RowName | 'trouble' {
  signal.throwIfAborted()
  if (!isRotaError(error)) throw error
  // Late: the chain has moved on, and wakes this site if it has not yet.
  if (error.reaction === 'ignore') return 'wait'
  if (error.reaction === 'stop' || error.code === RUN_GONE) throw error
  if (play.trouble !== error.code)
    play.site.host.log.warn('round.trouble', {
      run: play.run,
      round: play.holdings?.round.round ?? roundNo(0),
      action: row,
      code: error.code,
      what: error.message,
    })
  if (play.trouble !== error.code)
    play.site.tell({ kind: 'trouble', run: play.run, round: play.holdings?.round.round ?? roundNo(0), code: error.code, message: error.message })
  play.trouble = error.code
  return 'trouble'
}

const isOver = (view: RunView): boolean => view.state === 'Finished' || view.state === 'Halted' || view.state === 'Ended'

async function finish(play: Play, view: RunView, signal: AbortSignal): Promise<'over'> {
  play.holdings?.stop()
  play.masked?.deals.stop()
  play.ahead?.deals.stop()
  // Those of the round that was prepared for too.
  await play.site.journal.burn(view.run, roundNo(view.round.round + 2))
  freeKeptMemory()
  // What it attested may have been lost from its disk since.
  if (view.state === 'Finished' && (play.base?.root !== view.model.root || !(await play.site.store.has(view.model.cid)))) await adopt(play, view, signal)
  play.site.tell({ kind: 'run-over', run: play.run, state: view.state })
  return 'over'
}
