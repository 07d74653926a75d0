import type { Model, ModelState } from '../model/model.ts'
import type { RegressionSpec } from '../protocol/protocol.ts'
import type { Advance } from './learner.ts'
import { type Factor, invert } from './linear-algebra.ts'
import type { NormalEquations } from './normal-equations.ts'
import type { Setup } from './setup.ts'
import { list, modelOf, num } from './state.ts'

/**
 * The settled fit, before its evaluation. `coef` (common intercept first) and `covariance` (upper triangle by rows, empty under a
 * penalty) are on the standardised scale; linear coefficients in the label's unit, and their covariance still without sigma².
 */
export function finalModel(setup: Setup, model: Model, equations: NormalEquations, factor: Factor, coef: readonly number[], iteration: number): Advance {
  const spec = setup.protocol.learner as RegressionSpec
  const { state } = model
  const poisson = spec.kind === 'poisson'
  const logLik = poisson ? equations.logLik - num(state, 'logFactorials') : equations.logLik
  const deviance = poisson ? 2 * (num(state, 'saturated') - equations.logLik) : -2 * equations.logLik
  return evaluationOf(model, { iteration, coef: list(coef), covariance: covarianceOf(spec, factor), logLik, deviance })
}

export function finalLinear(setup: Setup, model: Model, equations: NormalEquations, factor: Factor, coef: Float64Array, sites: number): Advance {
  const spec = setup.protocol.learner as RegressionSpec
  const { size, score, unpenalised, logLik: squares, rows } = equations
  let rest = squares
  for (let j = 0; j < size; j++) {
    const c = coef[j] as number
    rest -= 2 * c * (score[j] as number)
    for (let k = 0; k < size; k++) rest += c * (unpenalised[j * size + k] as number) * (coef[k] as number)
  }
  const half = setup.labelHalf
  const rss = rest > 0 ? rest * half * half : 0
  const df = rows - size - (spec.siteIntercepts ? sites : 0)
  const own = list(coef.map((c, j) => c * half + (j === 0 && !spec.siteIntercepts ? setup.labelMiddle : 0)))
  return evaluationOf(model, { iteration: 1, coef: own, covariance: covarianceOf(spec, factor), deviance: rss, df })
}

const TRANSIENT = new Set(['base', 'start', 'halvings', 'lastMove', 'coef', 'iteration'])

function evaluationOf(model: Model, fitted: ModelState): Advance {
  const kept = Object.fromEntries(Object.entries(model.state).filter(([key]) => !TRANSIENT.has(key)))
  return { model: modelOf(model.learner, 'evaluation', { ...kept, ...fitted }), status: 'continue' }
}

/** Empty under a penalty, where standard errors have no meaning. */
function covarianceOf({ l2 }: RegressionSpec, factor: Factor): number[] {
  if (l2 > 0) return []
  const inverse = invert(factor)
  const upper: number[] = []
  for (let j = 0; j < factor.size; j++) for (let k = j; k < factor.size; k++) upper.push((inverse[j * factor.size + k] as number) + 0)
  return upper
}
