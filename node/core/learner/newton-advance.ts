import type { Model, ModelState } from '../model/model.ts'
import type { RegressionSpec } from '../protocol/protocol.ts'
import { powerOfTwo } from '../ring/powers.ts'
import type { SumValues } from '../ring/vectors.ts'
import { log } from './elementary.ts'
import { LOGIT_LIMIT } from './family.ts'
import type { Advance } from './learner.ts'
import { dependence, type Factor, factorise, invert, solve } from './linear-algebra.ts'
import type { Moments } from './moments.ts'
import { finalLinear, finalModel } from './newton-final.ts'
import { type NormalEquations, normalEquations } from './normal-equations.ts'
import { finishedWith, type Problem } from './problem.ts'
import type { Setup } from './setup.ts'
import { list, modelOf, num, nums, record } from './state.ts'

/**
 * Newton's method with step halving, one step a round. The state of stage `fit`:
 * `coef` is the candidate that sites evaluate next (standardised scale, common intercept first); `base` the last point that was
 * accepted with its objective and step; `start` the variances at the first point, against which divergence is judged.
 * A candidate whose objective is lower than its base's (beyond rounding) is pulled half way back.
 */

/**
 * Separated outcomes: the likelihood hardly gains any more, yet the steps do not shrink and a variance has grown without end
 * (each step takes the separated rows one logit further and leaves 1/e of their information). A fit that settles has steps
 * which shrink faster and faster by then, however far outliers made it travel.
 */
const STALLED_GAIN = 1e-4
const VANISHED = 1e3
/**
 * A step that no longer shrinks and gains less than this in log-likelihood (1e-5 standard errors) is rounding noise of the fixed
 * point: the fit has settled as well as it can. Well-conditioned fits reach the protocol's tolerance long before.
 */
const NOISE_GAIN = 1e-10
const NOISE_STEP = 1e-6
/** Halvings after which a step cannot help any more. */
const MOST_HALVINGS = 30

export function firstFit(setup: Setup, learner: string, { state, constant, problem }: Moments): Advance {
  const spec = setup.protocol.learner as RegressionSpec
  if (problem) return finishedWith(learner, { ...state, ...oneClassFit(setup, spec, state) }, problem)
  if (constant.length > 0 && spec.l2 === 0) return finishedWith(learner, state, { code: 'ROTA-2205', columns: constant })
  const slopes = new Array<number>(setup.names.length).fill(0)
  const intercept = spec.kind === 'poisson' ? log(num(state, 'labelMean')) : 0
  const coef = spec.siteIntercepts ? slopes : [intercept, ...slopes]
  return { model: modelOf(learner, 'fit', { ...state, iteration: 0, coef, base: null, start: [], halvings: 0, lastMove: 1 }), status: 'continue' }
}

/** With one outcome only, the model that always foretells it: of use for comparing, no fit. */
function oneClassFit(setup: Setup, spec: RegressionSpec, state: ModelState): ModelState {
  if (spec.kind !== 'logistic' || spec.siteIntercepts || state.rows === 0) return {}
  return { coef: [num(state, 'labelMean') > 0.5 ? LOGIT_LIMIT : -LOGIT_LIMIT, ...setup.names.map(() => 0)] }
}

export function advanceNewton(setup: Setup, model: Model, sum: SumValues): Advance {
  const spec = setup.protocol.learner as RegressionSpec
  const equations = normalEquations(setup, model, sum)
  if (equations.rows === 0) return finishedWith(model.learner, model.state, { code: 'ROTA-2206', columns: setup.names })
  const back = halved(setup, model, equations)
  if (back) return back
  const factor = factorise(equations.information, equations.size, tolerance(setup, model, equations))
  const problem = factor.dependent >= 0 ? whyDependent(setup, model, equations, factor) : null
  if (problem) return finishedWith(model.learner, model.state, problem)
  const step = solve(factor, equations.gradient)
  if (spec.kind === 'linear') return finalLinear(setup, model, equations, factor, step, sum.sites)
  return nextStep(setup, model, equations, factor, step)
}

function nextStep(setup: Setup, model: Model, equations: NormalEquations, factor: Factor, step: Float64Array): Advance {
  const spec = setup.protocol.learner as RegressionSpec
  const { state } = model
  const coef = nums(state, 'coef')
  const iteration = num(state, 'iteration') + 1
  const move = largest(step)
  const gain = step.reduce((sum, s, j) => sum + s * (equations.gradient[j] as number), 0)
  const settled = move <= spec.tolerance || (gain <= NOISE_GAIN && move >= num(state, 'lastMove') / 2)
  const candidate = list(coef.map((c, j) => c + (step[j] as number)))
  if (settled) return finalModel(setup, model, equations, factor, candidate, iteration)
  const variances = diagonal(invert(factor), factor.size)
  const start = iteration === 1 ? list(variances) : nums(state, 'start')
  const problem = diverged(setup, step, variances, start, gain <= STALLED_GAIN && move >= num(state, 'lastMove') / 2) ?? outOfTime(setup, spec, iteration, step)
  if (problem) return finishedWith(model.learner, { ...state, iteration }, problem)
  const base = { coef: list(coef), objective: equations.objective + 0, rows: equations.rows, step: list(step) }
  const next: ModelState = { ...state, iteration, coef: candidate, base, start, halvings: 0, lastMove: move }
  return { model: modelOf(model.learner, 'fit', next), status: 'continue' }
}

/** Half way back to the base if the candidate is worse; the base itself once halving no longer helps. Null if it is better. */
function halved(setup: Setup, model: Model, equations: NormalEquations): Advance | null {
  const spec = setup.protocol.learner as RegressionSpec
  const { state } = model
  const base = record(state, 'base')
  // Another number of rows means another set of sites: the objectives cannot be compared.
  if (!base || num(base, 'rows') !== equations.rows || equations.objective >= num(base, 'objective') - equations.noise) return null
  const iteration = num(state, 'iteration') + 1
  const halvings = num(state, 'halvings') + 1
  const share = powerOfTwo(-Math.min(halvings, 60))
  const step = nums(base, 'step').map((s) => s * share)
  const from = nums(base, 'coef')
  const coef = list(from.map((c, j) => c + (step[j] as number)))
  const factor = factorise(equations.information, equations.size, 0)
  if ((largest(step) <= NOISE_STEP || halvings >= MOST_HALVINGS) && factor.dependent < 0)
    return finalModel(setup, model, equations, factor, list(from), iteration)
  const problem = outOfTime(setup, spec, iteration, step)
  if (problem) return finishedWith(model.learner, { ...state, iteration }, problem)
  return { model: modelOf(model.learner, 'fit', { ...state, iteration, coef, halvings }), status: 'continue' }
}

/** Pivots below this part of the total weight cannot be told from rounding: the column depends on those before it. */
function tolerance(setup: Setup, model: Model, { rows, unit, weight, spreads }: NormalEquations): number {
  const { l2 } = setup.protocol.learner as RegressionSpec
  if (l2 > 0 || num(model.state, 'iteration') > 0) return 0
  let narrowest = 1
  for (const spread of spreads) if (spread < narrowest) narrowest = spread
  const noise = (unit * Math.sqrt(rows) * (spreads.length + 1) * 4) / (setup.fractionScale * weight * narrowest * narrowest)
  return weight * (noise > 1e-8 ? noise : 1e-8)
}

function whyDependent(setup: Setup, model: Model, equations: NormalEquations, factor: Factor): Problem {
  const spec = setup.protocol.learner as RegressionSpec
  const columns = columnsOf(setup, spec)
  if (spec.kind !== 'linear' && num(model.state, 'iteration') > 0) return { code: 'ROTA-2202', columns: setup.names }
  if (spec.kind !== 'linear' && equations.weight === 0) return { code: 'ROTA-2203', columns: [setup.protocol.label.name] }
  if (equations.rows <= columns.length) return { code: 'ROTA-2206', columns: setup.names }
  const parts = dependence(factor)
  const involved = columns.filter((name, j) => name !== INTERCEPT && (j === factor.dependent || (j < factor.dependent && Math.abs(parts[j] as number) > 1e-3)))
  return { code: involved.length > 1 ? 'ROTA-2201' : 'ROTA-2205', columns: involved }
}

const INTERCEPT = '(intercept)'
const columnsOf = (setup: Setup, spec: RegressionSpec): readonly string[] => (spec.siteIntercepts ? setup.names : [INTERCEPT, ...setup.names])

/** Names the columns that still run and whose variance has grown without end. */
function diverged(setup: Setup, step: Float64Array, variances: Float64Array, start: readonly number[], stalled: boolean): Problem | null {
  const spec = setup.protocol.learner as RegressionSpec
  const growth = variances.map((v, j) => v / (start[j] as number))
  if (spec.l2 > 0 || !stalled || largest(growth) < VANISHED) return null
  const slopes = spec.siteIntercepts ? step : step.subarray(1)
  const offset = step.length - slopes.length
  const running = setup.names.filter(
    (_, j) => Math.abs(slopes[j] as number) >= 0.1 * largest(slopes) && (growth[j + offset] as number) >= 0.01 * largest(growth),
  )
  return { code: 'ROTA-2202', columns: running.length > 0 ? running : setup.names }
}

function outOfTime(setup: Setup, spec: RegressionSpec, iteration: number, step: ArrayLike<number>): Problem | null {
  if (iteration < spec.maxIterations) return null
  const most = largest(step)
  return { code: 'ROTA-2204', columns: columnsOf(setup, spec).filter((_, j) => Math.abs(step[j] as number) >= 0.1 * most) }
}

const diagonal = (matrix: Float64Array, size: number): Float64Array => Float64Array.from({ length: size }, (_, j) => matrix[j * size + j] as number)

function largest(values: ArrayLike<number>): number {
  let most = 0
  for (let j = 0; j < values.length; j++) {
    const size = Math.abs(values[j] as number)
    if (size > most) most = size
  }
  return most
}
