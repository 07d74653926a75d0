import type { SampledGaussian } from './mechanism.ts'
import { prvEpsilon } from './prv.ts'
import { rdpEpsilon } from './rdp-epsilon.ts'

/** rdp: adds up, enforced on chain. prv: tight, reported beside it. */
export type Accountant = 'rdp' | 'prv'

/**
 * The epsilon that may be promised: never less than the true one.
 * @throws ROTA-2352 to ROTA-2355
 */
export const epsilonOf = (mechanisms: readonly SampledGaussian[], delta: number, accountant: Accountant): number =>
  accountant === 'rdp' ? rdpEpsilon(mechanisms, delta).epsilon : prvEpsilon(mechanisms, delta).upper
