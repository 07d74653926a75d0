import { NORMAL_95 } from '../evaluation/distributions.ts'

/** What an attack measured: 95 %, or a bound, whose ends are itself. */
export interface Measured {
  readonly value: number
  readonly low: number
  readonly high: number
}

export interface AttackFigures {
  /** Without masks and noise. */
  readonly unprotected: Measured
  /** Null where the study promises nothing against this attack. */
  readonly protected: Measured | null
  /** What an attack that knows nothing comes to. */
  readonly guessing: number
  /** Null where nothing is promised that would bound it. */
  readonly ceiling: number | null
}

export const VERDICTS = ['under its ceiling', 'over its ceiling', 'too few to tell', 'the attack failed', 'nothing promised'] as const
export type AttackVerdict = (typeof VERDICTS)[number]

/**
 * An attack that does not succeed on what is not protected shows nothing about what is. Under its ceiling is what lies below it with its whole
 * interval; over it, what lies above with its whole interval.
 */
export function verdictOn({ unprotected, protected: guarded, guessing, ceiling }: AttackFigures): AttackVerdict {
  if (!(unprotected.low > guessing)) return 'the attack failed'
  if (guarded === null || ceiling === null) return 'nothing promised'
  if (guarded.high <= ceiling) return 'under its ceiling'
  return guarded.low > ceiling ? 'over its ceiling' : 'too few to tell'
}

export const exactly = (value: number): Measured => ({ value, low: value, high: value })

/** The mean of independent values with its interval, by the normal: for twenty of them and more. */
export function meanOf(values: readonly number[]): Measured {
  const n = Math.max(1, values.length)
  const value = values.reduce((sum, x) => sum + x, 0) / n
  const squares = values.reduce((sum, x) => sum + (x - value) ** 2, 0)
  const half = NORMAL_95 * Math.sqrt(squares / Math.max(1, n - 1) / n)
  return { value, low: value - half, high: value + half }
}
