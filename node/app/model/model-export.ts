import { type ChosenModel, chooseModel } from '#app/node/run-choice.ts'
import { modeLabel } from '#app/results/privacy-statement.ts'
import { type ResultsView, viewOf } from '#app/results/results.ts'
import { writeText } from '#app/results/results-csv.ts'
import { atSite } from '#app/site/at-site.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { weightsOf } from '#core/learner/neural.ts'
import { hasOwnIntercepts } from '#core/learner/predict.ts'
import type { RegressionResults } from '#core/learner/results.ts'
import type { Model } from '#core/model/model.ts'
import type { NeuralSpec, Protocol } from '#core/protocol/protocol.ts'

/** A model for use elsewhere: all that a program needs to predict, and what proves where it comes from. */
export type ExportedModel = ReturnType<typeof exported>

/** @throws ROTA-1213, 1214 no model here, 1306 the disk refuses */
export const exportModel = (call: StudyCall & { readonly run: string | undefined; readonly outFile: string }): Promise<ExportedModel> =>
  atSite(call, async (site) => {
    const chosen = await chooseModel(site, call.run, call.signal)
    const made = exported(chosen)
    await writeText(call.outFile, `${JSON.stringify(made, null, 2)}\n`)
    return made
  })

function exported({ run, view, protocol, model }: ChosenModel) {
  const shown = viewOf(model, protocol)
  return {
    format: 'rota-model/1',
    title: protocol.title,
    study: view.study,
    run,
    state: view.state,
    protocolDigest: shown.protocolDigest,
    modelRoot: view.model.root,
    stage: model.stage,
    converged: shown.results.converged,
    rows: shown.results.rows,
    learner: protocol.learner,
    features: protocol.features.map(({ name, unit, range }) => ({ name, unit, range })),
    label: protocol.label,
    mode: protocol.mode,
    modeLabel: modeLabel(protocol.mode),
    privacy: protocol.privacy ?? 'no differential privacy',
    ...parameters(shown, model, protocol),
  }
}

function parameters({ results }: ResultsView, model: Model, protocol: Protocol) {
  if (results.kind === 'regression') return { regression: regression(results, protocol) }
  if (results.kind === 'statistics') return { statistics: results.variables }
  const { mean, std, weights } = model.state
  const fitted = weights instanceof Uint8Array ? { mean, std, layers: layers(model, protocol) } : null
  return { network: fitted }
}

/**
 * prediction = link⁻¹(intercept + Σ coef · feature), per unit of each feature; `standardised` has them per standard deviation.
 * Where intercepts are private there is none: each site's stays with it.
 */
function regression(results: RegressionResults, protocol: Protocol) {
  const { columns, mean, std, coef, se, raw } = results
  return {
    link: protocol.learner.kind === 'linear' ? 'identity' : protocol.learner.kind === 'poisson' ? 'log' : 'logit',
    columns,
    coef: raw.coef,
    se: raw.se,
    standardised: { mean, std, coef, se },
    privateIntercepts: hasOwnIntercepts(protocol),
  }
}

/** Dense layers as tfjs has them: kernel inputs × units, row-major, for features that were standardised with mean and std. */
function layers(model: Model, protocol: Protocol) {
  const weights = weightsOf(model)
  let inputs = protocol.features.length
  let at = 0
  const take = (length: number): number[] => Array.from(weights.subarray(at, (at += length)))
  return (protocol.learner as NeuralSpec).layers.map(({ className, config }) => {
    const layer = {
      className,
      config,
      kernelShape: [inputs, config.units],
      kernel: take(inputs * config.units),
      bias: config.useBias ? take(config.units) : null,
    }
    inputs = config.units
    return layer
  })
}
