import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import type { Clock, Log } from '#ports/host.ts'
import { type DeskAct, type DeskLog, isLook } from './desk-log.ts'

export const HOUR_MS = 3_600_000
/** A steward who goes on and on is noted this often. */
const NOTE_MS = 10 * 60_000

export interface LookLimits {
  /** People that one steward may look at within an hour. */
  readonly looksPerHour: number
  /** People that one steward may import within an hour: a file names them, so more at a time are usual. */
  readonly importedPerHour: number
}

export interface LooksParts {
  readonly log: DeskLog
  readonly clock: Pick<Clock, 'nowMs'>
  readonly notes: Pick<Log, 'warn'>
  readonly limits: LookLimits
}

type Bulk = 'previewed' | 'imported'

/**
 * Notes every look at a person before anything is shown, and stops a steward who looks at more people within an hour than the hospital
 * allows. A person looked at twice counts once. Kept by steward, and read back from the log: neither a new session nor a restart helps.
 */
export class Looks {
  readonly #parts: LooksParts
  /** By steward: whom, and when first within the hour; oldest first. */
  readonly #people = new Map<string, Map<Digest, number>>()
  readonly #imported = new Map<string, Map<Digest, number>>()
  readonly #notedMs = new Map<string, number>()

  /** Entries of the log that are counted; there may be a second desk on the same folder. */
  #counted = 0

  private constructor(parts: LooksParts) {
    this.#parts = parts
  }

  static async open(parts: LooksParts): Promise<Looks> {
    const made = new Looks(parts)
    await made.#catchUp()
    return made
  }

  /** On disk when it returns. @throws ROTA-6705 over the limit: then nothing may be shown; ROTA-1306 */
  async note(who: string, what: Exclude<DeskAct, Bulk>, patient: Digest, programme?: string): Promise<void> {
    await this.#catchUp()
    const nowMs = this.#parts.clock.nowMs()
    const seen = this.#window(this.#people, who, nowMs)
    const { looksPerHour: limit } = this.#parts.limits
    if (!seen.has(patient)) {
      if (seen.size >= limit) {
        await this.#report(who, nowMs, limit)
        const [oldestMs = nowMs] = seen.values()
        throw new RotaError('ROTA-6705', { limit, minutes: Math.ceil((oldestMs + HOUR_MS - nowMs) / 60_000) })
      }
      seen.set(patient, nowMs)
    }
    await this.#parts.log.append([{ at: new Date(nowMs).toISOString(), who, what, patient, ...(programme === undefined ? {} : { programme }) }])
  }

  /** The same for all whom a file names. @throws ROTA-6720 over the limit of imports */
  async noteMany(who: string, what: Bulk, patients: readonly Digest[], programme?: string): Promise<void> {
    await this.#catchUp()
    const nowMs = this.#parts.clock.nowMs()
    const seen = this.#window(this.#imported, who, nowMs)
    const fresh = [...new Set(patients)].filter((patient) => !seen.has(patient))
    const { importedPerHour: limit } = this.#parts.limits
    if (seen.size + fresh.length > limit) {
      await this.#report(who, nowMs, limit)
      throw new RotaError('ROTA-6720', { imported: seen.size, more: fresh.length, limit })
    }
    for (const patient of fresh) seen.set(patient, nowMs)
    const at = new Date(nowMs).toISOString()
    await this.#parts.log.append(patients.map((patient) => ({ at, who, what, patient, ...(programme === undefined ? {} : { programme }) })))
  }

  async #catchUp(): Promise<void> {
    const entries = await this.#parts.log.entries()
    const fromMs = this.#parts.clock.nowMs() - HOUR_MS
    const from = this.#counted > entries.length ? 0 : this.#counted
    this.#counted = entries.length
    for (const { at, who, what, patient } of entries.slice(from)) {
      const atMs = Date.parse(at)
      if (atMs <= fromMs) continue
      if (what === 'limited') this.#notedMs.set(who, atMs)
      if (patient === undefined || !isLook({ what })) continue
      const seen = this.#window(isBulk(what) ? this.#imported : this.#people, who, atMs)
      if (!seen.has(patient)) seen.set(patient, atMs)
    }
  }

  async #report(who: string, nowMs: number, limit: number): Promise<void> {
    if (nowMs - (this.#notedMs.get(who) ?? Number.NEGATIVE_INFINITY) < NOTE_MS) return
    this.#notedMs.set(who, nowMs)
    this.#parts.notes.warn('desk.limited', { account: who, count: limit })
    await this.#parts.log.append([{ at: new Date(nowMs).toISOString(), who, what: 'limited' }])
  }

  #window(of: Map<string, Map<Digest, number>>, who: string, nowMs: number): Map<Digest, number> {
    const window = of.get(who) ?? new Map<Digest, number>()
    of.set(who, window)
    for (const [patient, atMs] of window) if (atMs <= nowMs - HOUR_MS) window.delete(patient)
    return window
  }
}

const isBulk = (what: DeskAct): what is Bulk => what === 'previewed' || what === 'imported'
