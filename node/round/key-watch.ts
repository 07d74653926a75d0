import { EMPTY, has, sizeOf } from '#base/bitmap.ts'
import { isRotaError } from '#base/errors.ts'
import type { SiteId, StudyId } from '#base/ids.ts'
import { PHASES, type StudyRecord } from '#ports/chain.ts'
import { drawersOf, rankOf } from './key-turns.ts'
import { isEpochDue } from './keyring.ts'
import type { Site } from './site.ts'
import type { Study } from './study.ts'
import { within } from './within.ts'

/** Sees to it that the members of a study share a key: draws the next epoch's when it is due, and reports one that cannot be had. */
export interface KeyWatch {
  look(record: StudyRecord, study: Study, signal: AbortSignal): Promise<void>
  /** Resolves when nothing that a look began goes on any more; its signal ends it. */
  settled(): Promise<void>
}

/** Approvals often come in a row: a key is drawn once the set has rested this long. For a key that was reported nobody waits: rounds open without one. */
const REST_MS = 700
/**
 * A key that this site has was reported: somebody cannot have it, or says so. The first time another is drawn at once; where that goes on, this long
 * after the second report, twice as long after the next: or a liar's reports would have keys drawn all the time, and give other liars their turn.
 */
const NEEDLESS_MS = 5_000
const MOST_NEEDLESS_MS = 60_000
/** Members try one after the other, by rank, so that they do not race; the first on chain counts. */
const RANK_MS = 2_000
/** The contract gives turns as far apart, in chain time: clocks of whoever makes blocks may differ by so much. */
const CLOCKS_DIFFER_MS = 1_000
/** Refused as too early: chain time stands still where nobody makes a block. */
const AGAIN_MS = 1_000
const TRY_MS = 5_000
/**
 * A bundle that nobody has given for this long is reported, and another member draws; sooner where rounds wait for less: each that opens before
 * comes to nothing.
 */
const REPORT_AFTER_MS = 20_000
const SOONEST_REPORT_MS = 8_000
/** Of what a round waits for contributions: then the next opens with a key. */
const SHARE_OF_LIMIT = 1 / 3
/** Whoever did not give the last key that it drew either: so the keys of two such drawers in a row spoil one round, and not two. */
const DOUBTED_AFTER_MS = 2_000

/** Newest key whose way back this site has looked at. */
interface Looked {
  readonly epoch: number
  readonly sinceMs: number
  isDone: boolean
}

/** A look at the way back that goes on beside the others. */
interface Bridging {
  readonly work: Promise<void>
  isOver: boolean
}

/** Undefined is nobody: the log always names who drew a key. */
type Doubts = Set<SiteId | undefined>

const reportAfterMs = ({ rules }: StudyRecord): number =>
  Math.max(SOONEST_REPORT_MS, Math.min(REPORT_AFTER_MS, 1000 * SHARE_OF_LIMIT * (rules.limits[PHASES.indexOf('Contributing')]?.seconds ?? 0)))

export function watchKeys(site: Site): KeyWatch {
  const due = new Map<StudyId, { key: string; sinceMs: number; againMs?: number }>()
  const missing = new Map<StudyId, { epoch: number; sinceMs: number }>()
  /** By study: whose last key this site did not get. What is forgotten at a restart costs a little time. */
  const doubted = new Map<StudyId, Doubts>()
  /** How many keys in a row were reported although this site has them. */
  const needless = new Map<StudyId, { epoch: number; times: number }>()
  const looked = new Map<StudyId, Looked>()
  const bridging = new Map<StudyId, Bridging>()

  async function drawInTurn(record: StudyRecord, study: Study, signal: AbortSignal): Promise<void> {
    const now = site.host.clock.nowMs()
    const key = `${record.approved} ${record.epoch.epoch} ${record.epoch.reported}`
    if (due.get(record.id)?.key !== key) due.set(record.id, { key, sinceMs: now })
    const waitedMs = now - (due.get(record.id)?.sinceMs ?? now)
    const places = rankOf(record, site.id, await drawersOf(site, record.id)) + ((await hasGap(record, study)) ? sizeOf(record.approved) : 0)
    const turnMs = places === 0 ? 0 : RANK_MS * places + CLOCKS_DIFFER_MS
    if (waitedMs < (record.epoch.reported ? needlessMs(record, study) : REST_MS) + turnMs || now < (due.get(record.id)?.againMs ?? now)) return
    try {
      await within(site, TRY_MS, signal, (limited) => study.keys.renew(record, limited))
    } catch (error) {
      signal.throwIfAborted()
      if (isRotaError(error, 'ROTA-5317')) return void due.set(record.id, { key, sinceMs: now - waitedMs, againMs: now + AGAIN_MS })
      // The epoch before is out of reach, and its members changed before anybody could say so: nobody could ever draw the next.
      const lost = !record.epoch.reported && has(record.epoch.members, site.id) && waitedMs >= reportAfterMs(record)
      if (!lost) throw error
      await site.chain.reportEpoch(record.id, record.epoch.epoch).catch(ignoreLate)
    }
  }

  function needlessMs({ id, epoch: { epoch } }: StudyRecord, { keys }: Study): number {
    const before = needless.get(id)
    const inARow = before?.epoch === epoch - 1 ? before.times : 0
    if (before?.epoch !== epoch) needless.set(id, { epoch, times: keys.holds(epoch) ? inARow + 1 : 0 })
    const times = needless.get(id)?.times ?? 0
    return times < 2 ? 0 : Math.min(MOST_NEEDLESS_MS, NEEDLESS_MS * 2 ** (times - 2))
  }

  /**
   * Who came, or came back, after a key that others have cannot hand that one on, and with it what was made under it would be out of reach
   * for whoever joins later, and for itself.
   */
  async function hasGap({ id, epoch: newest }: StudyRecord, { keys }: Study): Promise<boolean> {
    if (!newest.reported) return false
    for (let { epoch } = newest; epoch >= 0; epoch--) if (!keys.holds(epoch) && (await isFor(id, epoch)) === 'others') return true
    return false
  }

  const isFor = async (study: StudyId, epoch: number): Promise<'me' | 'others'> =>
    has((await site.chain.epoch(study, epoch)).members, site.id) ? 'me' : 'others'

  /**
   * Whoever drew the newest key may not have had those before: it had just come while the others were away, or keeps them back. What was made under
   * them, as the last model of a run that is over, would be out of reach for members who came later: who has them says that another key is to be drawn,
   * one after the other.
   */
  async function bridge(record: StudyRecord, { keys }: Study, signal: AbortSignal): Promise<void> {
    const { id, epoch: newest } = record
    const now = site.host.clock.nowMs()
    const before = looked.get(id)
    const look = before?.epoch === newest.epoch ? before : { epoch: newest.epoch, sinceMs: now, isDone: false }
    looked.set(id, look)
    if (look.isDone) return
    const { epochs, sure } = await keys.cutOff(newest.epoch, signal)
    const waitedMs = now - look.sinceMs
    const wentMs = sure ? 0 : reportAfterMs(record)
    if (!(await isMissed(record, epochs))) look.isDone = waitedMs >= wentMs
    else if (waitedMs >= wentMs + REST_MS + RANK_MS * rankOf(record, site.id, await drawersOf(site, id))) {
      await site.chain.reportEpoch(id, newest.epoch).catch(ignoreLate)
      look.isDone = true
    }
  }

  /** Bundles that nobody gives take their time, and runs do not wait for it: only what the last one came to is told, at the next look. */
  async function bridgeAside(record: StudyRecord, study: Study, signal: AbortSignal): Promise<void> {
    const before = bridging.get(record.id)
    if (before?.isOver === false) return
    const work = bridge(record, study, signal).finally(() => {
      now.isOver = true
    })
    const now: Bridging = { work, isOver: false }
    work.catch(() => undefined)
    bridging.set(record.id, now)
    await before?.work
  }

  /** Whether a member has one of these keys in no wrap. */
  async function isMissed({ id, epoch: { members } }: StudyRecord, epochs: readonly number[]): Promise<boolean> {
    for (const epoch of epochs) if ((members & ~(await site.chain.epoch(id, epoch)).members) !== EMPTY) return true
    return false
  }

  async function hold(record: StudyRecord, study: Study, signal: AbortSignal): Promise<void> {
    const { id, epoch } = record
    const isHeld = study.keys.holds(epoch.epoch)
    if (isHeld && !missing.has(id)) return bridgeAside(record, study, signal)
    const now = site.host.clock.nowMs()
    const { drawer, doubts } = await doubtsOf(record, now)
    const patienceMs = doubts.has(drawer) ? DOUBTED_AFTER_MS : reportAfterMs(record)
    try {
      if (!isHeld) await within(site, Math.min(TRY_MS, patienceMs), signal, (limited) => study.keys.key(epoch.epoch, limited))
      missing.delete(id)
      doubts.delete(drawer)
    } catch (error) {
      signal.throwIfAborted()
      if (missing.get(id)?.epoch !== epoch.epoch) missing.set(id, { epoch: epoch.epoch, sinceMs: now })
      if (now - (missing.get(id)?.sinceMs ?? now) < patienceMs) throw error
      await site.chain.reportEpoch(id, epoch.epoch).catch(ignoreLate)
    }
  }

  /** Doubted is whoever drew a key that this site missed for a while, until another was drawn: whoever it was that reported it. */
  async function doubtsOf({ id, epoch }: StudyRecord, now: number): Promise<{ readonly drawer: SiteId | undefined; readonly doubts: Doubts }> {
    const doubts = doubted.get(id) ?? new Set()
    doubted.set(id, doubts)
    const drawers = await drawersOf(site, id)
    const missed = missing.get(id)
    if (missed !== undefined && missed.epoch !== epoch.epoch) {
      missing.delete(id)
      if (now - missed.sinceMs >= DOUBTED_AFTER_MS) doubts.add(drawers[missed.epoch])
    }
    return { drawer: drawers[epoch.epoch], doubts }
  }

  return {
    async look(record, study, signal) {
      if (isEpochDue(record)) await drawInTurn(record, study, signal)
      else if (has(record.epoch.members, site.id)) await hold(record, study, signal)
    },
    async settled() {
      await Promise.allSettled([...bridging.values()].map(({ work }) => work))
    },
  }
}

function ignoreLate(error: unknown): void {
  if (!isRotaError(error) || error.reaction !== 'ignore') throw error
}
