import type { Model } from '../model/model.ts'
import type { RegressionSpec } from '../protocol/protocol.ts'
import type { SumValues } from '../ring/vectors.ts'
import type { Setup } from './setup.ts'
import { nums } from './state.ts'

/** A Newton step's score and information on the standardised scale, penalty included; the common intercept first. */
export interface NormalEquations {
  readonly rows: number
  readonly size: number
  readonly gradient: Float64Array
  readonly information: Float64Array
  /** Information without the penalty. */
  readonly unpenalised: Float64Array
  readonly score: Float64Array
  /** Log-likelihood (linear: Σ response²) without constants, and the same less the penalty. */
  readonly logLik: number
  readonly objective: number
  /** What rounding may change in the objective. */
  readonly noise: number
  /** Scale of the response: `high` for Poisson, else 1. */
  readonly unit: number
  /** Σ of the rows' weights (private intercepts: largest diagonal). */
  readonly weight: number
  /** Standard deviations in units of half the range. */
  readonly spreads: readonly number[]
}

export function normalEquations(setup: Setup, model: Model, sum: SumValues): NormalEquations {
  const spec = setup.protocol.learner as RegressionSpec
  const raw = readSum(setup, spec, sum)
  const { size, unit } = raw
  const coef = nums(model.state, 'coef')
  const { spreads, shifts } = coordinates(setup, model)
  const { score, information: unpenalised } = spec.siteIntercepts ? scaled(raw, spreads) : standardised(raw, spreads, shifts)
  const penalties = penaltiesOf(setup, spec, model, raw.rows)
  const gradient = score.map((g, j) => g - (penalties[j] as number) * (coef[j] as number))
  const information = unpenalised.slice()
  let objective = raw.logLik
  penalties.forEach((penalty, j) => {
    information[j * size + j] = (information[j * size + j] as number) + penalty
    objective -= (penalty * (coef[j] as number) * (coef[j] as number)) / 2
  })
  const noise = (unit * raw.rows) / setup.fractionScale + 1e-12 * Math.abs(objective)
  const weight = spec.siteIntercepts ? largestDiagonal(unpenalised, size) : (raw.information[0] as number)
  return { rows: raw.rows, size, gradient, information, unpenalised, score, logLik: raw.logLik, objective, noise, unit, weight, spreads }
}

interface Raw {
  readonly rows: number
  readonly size: number
  readonly unit: number
  readonly logLik: number
  readonly score: Float64Array
  readonly information: Float64Array
}

function readSum(setup: Setup, spec: RegressionSpec, sum: SumValues): Raw {
  const size = setup.names.length + (spec.siteIntercepts ? 0 : 1)
  const unit = spec.kind === 'poisson' ? setup.protocol.label.range[1] : 1
  const score = Float64Array.from({ length: size }, (_, j) => unit * sum.at(2 + j))
  const information = new Float64Array(size * size)
  let at = 2 + size
  for (let j = 0; j < size; j++) {
    for (let k = j; k < size; k++) {
      information[j * size + k] = unit * sum.at(at++)
      information[k * size + j] = information[j * size + k] as number
    }
  }
  return { rows: sum.at(0), size, unit, logLik: unit * sum.at(1), score, information }
}

/** Mean and standard deviation of each feature in units of its range: u = shift + spread · z. */
function coordinates({ half, middle }: Setup, model: Model): { spreads: number[]; shifts: number[] } {
  const mean = nums(model.state, 'mean')
  const std = nums(model.state, 'std')
  return {
    spreads: half.map((h, j) => (std[j] as number) / h),
    shifts: half.map((h, j) => ((mean[j] as number) - (middle[j] as number)) / h),
  }
}

/** From [1, u] to [1, z]. */
function standardised({ size, score, information }: Raw, spreads: readonly number[], shifts: readonly number[]): Pick<Raw, 'score' | 'information'> {
  const shift = (j: number): number => (j === 0 ? 0 : (shifts[j - 1] as number))
  const spread = (j: number): number => (j === 0 ? 1 : (spreads[j - 1] as number))
  const at = (j: number, k: number): number => information[j * size + k] as number
  const first = score[0] as number
  const out = new Float64Array(size * size)
  for (let j = 0; j < size; j++) {
    for (let k = 0; k < size; k++) {
      const centred = at(j, k) - shift(j) * at(0, k) - shift(k) * at(j, 0) + shift(j) * shift(k) * at(0, 0)
      out[j * size + k] = centred / (spread(j) * spread(k))
    }
  }
  return { score: score.map((g, j) => (g - shift(j) * first) / spread(j)), information: out }
}

/** Centred rows need no shift. */
function scaled({ size, score, information }: Raw, spreads: readonly number[]): Pick<Raw, 'score' | 'information'> {
  const out = information.map((h, i) => h / ((spreads[Math.floor(i / size)] as number) * (spreads[i % size] as number)))
  return { score: score.map((g, j) => g / (spreads[j] as number)), information: out }
}

/** rows · l2 for slopes on the scale that the protocol names, 0 for the intercept. */
function penaltiesOf(setup: Setup, spec: RegressionSpec, model: Model, rows: number): number[] {
  const std = nums(model.state, 'std')
  const slopes = setup.names.map((_, j) => {
    const s = spec.standardise === 'none' ? (std[j] as number) : 1
    return (rows * spec.l2) / (s * s)
  })
  return spec.siteIntercepts ? slopes : [0, ...slopes]
}

function largestDiagonal(matrix: Float64Array, size: number): number {
  let most = 0
  for (let j = 0; j < size; j++) if ((matrix[j * size + j] as number) > most) most = matrix[j * size + j] as number
  return most
}
