import { utf8 } from '#base/bytes.ts'
import { nameOf } from '#base/errors.ts'
import type { ChainWriter } from '#ports/chain.ts'
import type { Clock, Log } from '#ports/host.ts'
import { type DeskEntry, type DeskLog, isLook } from '#web/desk/desk-log.ts'
import { DESK_DAY, encodeDeskDay } from '#wire/desk-day.ts'
import { sha256 } from '../sha256.ts'

/** A desk that stood still for longer declares the newest of the days that it missed. */
const MOST_DAYS = 31
const LOOK_MS = 10 * 60_000

export interface Declaring {
  readonly log: DeskLog
  /** False: the chain is away, and is tried again later. */
  readonly declare: (work: (chain: Pick<ChainWriter, 'audit'>) => Promise<void>) => Promise<boolean>
  readonly clock: Clock
  readonly notes: Pick<Log, 'info' | 'warn'>
  /** Begins another file of the log where it is full. */
  readonly putAway?: (nowMs: number) => Promise<boolean>
}

/** What is to be declared: days that are over, from the first entry or the last declared day on; a day without looks too. */
export function daysToDeclare(
  entries: readonly DeskEntry[],
  nowMs: number,
): readonly { readonly day: string; readonly looks: number; readonly of: readonly DeskEntry[] }[] {
  const first = entries[0]?.at.slice(0, 10)
  if (first === undefined) return []
  const last = entries.findLast(({ what }) => what === 'declared')?.day
  const today = dayOf(nowMs)
  const days: string[] = []
  for (let day = last === undefined ? first : after(last); day < today; day = after(day)) days.push(day)
  return days.slice(-MOST_DAYS).map((day) => {
    const of = entries.filter(({ at, what }) => at.startsWith(day) && what !== 'declared' && what !== 'continued')
    return { day, looks: of.filter(isLook).length, of }
  })
}

/** Once a day, until the signal aborts: how many looks the day before had, and a digest of its entries, on AuditLog. */
export async function declareLooks(parts: Declaring, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await declareNow(parts)
      if (await parts.putAway?.(parts.clock.nowMs())) parts.notes.info('desk.log-put-away')
    } catch (error) {
      parts.notes.warn('desk.declaring-failed', { reason: nameOf(error) })
    }
    await parts.clock.sleep(LOOK_MS, signal).catch(() => undefined)
  }
}

export async function declareNow({ log, declare, clock, notes }: Declaring): Promise<void> {
  for (const { day, looks, of } of daysToDeclare(await log.entries(), clock.nowMs())) {
    const subject = encodeDeskDay(day, looks, sha256(utf8(of.map((entry) => `${JSON.stringify(entry)}\n`).join(''))))
    if (!(await declare((chain) => chain.audit(DESK_DAY, subject)))) return
    await log.append([{ at: new Date(clock.nowMs()).toISOString(), who: '', what: 'declared', day, looks }])
    notes.info('desk.declared', { count: looks })
  }
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
const after = (day: string): string => dayOf(Date.parse(`${day}T00:00:00Z`) + 86_400_000)
