import { RotaError } from '#base/errors.ts'

/** So many wrong tries are free. */
const FREE = 5
const FIRST_DELAY_MS = 30_000
const LONGEST_DELAY_MS = 15 * 60_000
/** Names without an account are counted too, so that being locked says nothing; the oldest is forgotten first. */
const MOST_STRANGERS = 10_000

interface Tries {
  wrong: number
  lockedUntilMs: number
}

/**
 * Counts tries by name, and makes the next one wait longer each time: 30 s after five wrong ones, then 1, 2, 4 … at most 15 minutes.
 * A short longest delay, since anyone who knows a steward's name can lock it: at four tries an hour nobody guesses password and code.
 */
export class Locks {
  readonly #known = new Map<string, Tries>()
  readonly #strangers = new Map<string, Tries>()

  /** Counts the try as wrong before it is looked at, so that many at once are many. @throws ROTA-6702 while the name is locked */
  begin(name: string, isKnown: boolean, nowMs: number): void {
    const tries = this.#triesOf(name, isKnown)
    if (nowMs < tries.lockedUntilMs) throw new RotaError('ROTA-6702', { seconds: Math.ceil((tries.lockedUntilMs - nowMs) / 1000) })
    tries.wrong++
    if (tries.wrong >= FREE) tries.lockedUntilMs = nowMs + Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (tries.wrong - FREE))
  }

  /** It was right after all. */
  clear(name: string): void {
    this.#known.delete(name)
  }

  #triesOf(name: string, isKnown: boolean): Tries {
    const names = isKnown ? this.#known : this.#strangers
    const tries = names.get(name) ?? { wrong: 0, lockedUntilMs: 0 }
    names.delete(name)
    names.set(name, tries)
    if (!isKnown && names.size > MOST_STRANGERS) names.delete(names.keys().next().value as string)
    return tries
  }
}
