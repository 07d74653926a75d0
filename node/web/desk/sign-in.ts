import { RotaError } from '#base/errors.ts'
import type { Clock } from '#ports/host.ts'
import type { DeskLog } from './desk-log.ts'
import { Locks } from './locks.ts'
import { stepOf } from './one-time-codes.ts'
import { isPassword } from './passwords.ts'
import { type DeskUser, type DeskUsers, isUserName } from './users.ts'

export interface SignInParts {
  readonly users: DeskUsers
  readonly log: DeskLog
  readonly clock: Pick<Clock, 'nowMs'>
}

/** Keeps the thirty-two bytes of Base32 that stand in for the secret of a name without an account. */
const NO_CODES = 'A'.repeat(32)

/**
 * Lets a steward in by password and one-time code. Says the same, after the same work, whether name, password or code was wrong.
 * Tries and used codes are read back from the log, so that neither a lock nor a used code ends with the process.
 */
export class SignIn {
  readonly #parts: SignInParts
  readonly #locks = new Locks()
  readonly #usedSteps = new Map<string, number>()
  /** Entries of the log that are counted; there may be a second desk on the same folder. */
  #counted = 0
  /** Refusals that this desk wrote, until they are met in the log. */
  readonly #own: string[] = []

  private constructor(parts: SignInParts) {
    this.#parts = parts
  }

  static async open(parts: SignInParts): Promise<SignIn> {
    const made = new SignIn(parts)
    await made.#catchUp()
    return made
  }

  /** @throws ROTA-6701 wrong, 6702 locked, 6717 too much to do, 1306 when the log cannot be written */
  async enter(typed: string, password: string, code: string): Promise<DeskUser> {
    const { users, clock, log } = this.#parts
    const name = typed.normalize('NFC')
    const user = isUserName(name) ? await users.find(name) : null
    const known = user !== null && user.password !== null
    await this.#catchUp()
    this.#locks.begin(name, known, clock.nowMs())
    const right = await isPassword(password, user?.password ?? null)
    const nowMs = clock.nowMs()
    const step = stepOf(user?.codes ?? NO_CODES, code, nowMs)
    const at = new Date(nowMs).toISOString()
    if (user === null || !right || step === null || !this.#isFresh(name, step)) {
      // Not awaited: a name without an account leaves no entry, and the answer must not come sooner for that.
      if (known) this.#refused(name, at)
      throw new RotaError('ROTA-6701')
    }
    this.#usedSteps.set(name, step)
    this.#locks.clear(name)
    await log.append([{ at, who: name, what: 'signed in', step }])
    return user
  }

  #refused(who: string, at: string): void {
    this.#own.push(`${who} ${at}`)
    this.#parts.log.append([{ at, who, what: 'refused' }]).catch(() => undefined)
  }

  /** What this desk wrote itself is counted already: a refusal when the try began, a code when it was used. */
  async #catchUp(): Promise<void> {
    const entries = await this.#parts.log.entries()
    const from = this.#counted > entries.length ? 0 : this.#counted
    this.#counted = entries.length
    for (const { what, who, at, step } of entries.slice(from)) {
      if (what === 'refused' && !this.#isOwn(`${who} ${at}`)) this.#recall(who, Date.parse(at))
      if (what !== 'signed in') continue
      this.#locks.clear(who)
      if (step !== undefined) this.#usedSteps.set(who, Math.max(step, this.#usedSteps.get(who) ?? -1))
    }
  }

  #isOwn(refusal: string): boolean {
    const place = this.#own.indexOf(refusal)
    if (place >= 0) this.#own.splice(place, 1)
    return place >= 0
  }

  #isFresh(name: string, step: number): boolean {
    return step > (this.#usedSteps.get(name) ?? -1)
  }

  /** A try that came while the name was locked was not written down. */
  #recall(name: string, atMs: number): void {
    try {
      this.#locks.begin(name, true, atMs)
    } catch {}
  }
}
