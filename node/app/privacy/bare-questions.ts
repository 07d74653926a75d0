import { type Accountant, epsilonOf } from '#core/privacy/accountant.ts'
import { noiseFor, type Target } from '#core/privacy/noise.ts'

export interface EpsilonQuestion {
  readonly samplingRate: number
  readonly noise: number
  readonly steps: number
  readonly delta: number
}

/**
 * The epsilon that may be promised: an upper bound, with PRV a tight one.
 * @throws ROTA-2352 to ROTA-2355
 */
export const epsilonFor = ({ delta, ...mechanism }: EpsilonQuestion, accountant: Accountant): number => epsilonOf([mechanism], delta, accountant)

/**
 * The least noise that keeps the promise.
 * @throws ROTA-2351 to ROTA-2353, ROTA-2355, ROTA-2357
 */
export const noiseOf = (target: Target, accountant: Accountant): number => noiseFor(target, accountant)

/** 1e-5, as people write it. */
export const deltaText = (delta: number): string => delta.toExponential()

/** Shown to people: epsilon and noise are bounds, so their last digit is rounded up. */
export function roundedUp(x: number, digits = 4): string {
  const rounded = Number(x.toPrecision(digits))
  if (rounded >= x || x === 0) return x.toPrecision(digits)
  const unit = 10 ** (Math.floor(Math.log10(x)) - digits + 1)
  return (rounded + unit).toPrecision(digits)
}
