import type { Sha256 } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Model } from '../model/model.ts'
import { isPrivate } from '../protocol/private-rounds.ts'
import type { Protocol } from '../protocol/protocol.ts'
import type { VectorLayout } from '../ring/vectors.ts'
import { DRAW, drawLayout, drawStage } from './draw-stage.ts'
import { advanceEvaluation, contributeEvaluation, evaluationLayout } from './evaluation-stage.ts'
import { advanceFedAvg, contributeFedAvg, fedavgLayout, firstFedAvg } from './fedavg.ts'
import type { Learner, Stage } from './learner.ts'
import { contributeMoments, finishMoments, type Moments, momentsLayout } from './moments.ts'
import { advanceNeural, contributeNeural, firstNeural, neuralLayout } from './neural.ts'
import { advanceNewton, firstFit } from './newton-advance.ts'
import { contributeNewton, newtonLayout } from './newton-contribute.ts'
import { initialPrivate, privateStages } from './private/stages.ts'
import { type Setup, setupOf } from './setup.ts'
import { modelOf } from './state.ts'
import { advanceStatistics, contributeStatistics, statisticsLayout } from './statistics.ts'

const learnerName = ({ learner }: Protocol): string => (learner.kind === 'statistics' ? 'statistics' : `${learner.kind}/${learner.algorithm}`)

/** Stages and their vectors; statistics have one, all else moments → fit → evaluation, in groups after the draw. The overflow check reads the layouts. */
export function stageLayouts(protocol: Protocol): readonly { readonly stage: string; readonly layout: VectorLayout }[] {
  const setup = setupOf(protocol)
  if (isPrivate(protocol)) return Object.entries(privateStages(setup, protocol)).map(([stage, { layout }]) => ({ stage, layout }))
  if (protocol.learner.kind === 'statistics') return [{ stage: 'statistics', layout: statisticsLayout(setup) }]
  return [
    ...(protocol.mode === 'groups' ? [{ stage: DRAW, layout: drawLayout(setup) }] : []),
    { stage: 'moments', layout: momentsLayout(setup) },
    { stage: 'fit', layout: fitLayout(setup) },
    { stage: 'evaluation', layout: evaluationLayout(setup) },
  ]
}

function fitLayout(setup: Setup): VectorLayout {
  const spec = setup.protocol.learner
  if (spec.kind === 'neural') return neuralLayout(setup)
  return 'algorithm' in spec && spec.algorithm === 'fedavg' ? fedavgLayout(setup) : newtonLayout(setup)
}

/** The learner that a protocol names. @param sha256 draws a network's first weights and orders its rows */
export function learnerFor(protocol: Protocol, sha256: Sha256): Learner {
  const setup = setupOf(protocol)
  const name = learnerName(protocol)
  const given = isPrivate(protocol) ? privateStages(setup, protocol) : plainStages(setup, name, sha256)
  const first = (): Model => (isPrivate(protocol) ? initialPrivate(setup, protocol, name, sha256) : modelOf(name, Object.keys(given)[0] as string, {}))
  const isDrawn = protocol.mode === 'groups'
  const stages = isDrawn ? { [DRAW]: drawStage(setup, first), ...given } : given
  const stageOf = (model: Model): Stage => {
    const stage = model.learner === name ? (stages as Readonly<Record<string, Stage>>)[model.stage] : undefined
    if (!stage) throw new RotaError('ROTA-2111', { stage: model.stage, learner: name })
    return stage
  }
  return {
    initial: () => (isDrawn ? modelOf(name, DRAW, {}) : first()),
    layout: (model) => stageOf(model).layout,
    contribute: (model, cohort, tools) => stageOf(model).contribute(model, cohort, tools),
    advance: (model, sum) => stageOf(model).advance(model, sum),
  }
}

const plainStages = (setup: Setup, name: string, sha256: Sha256): Readonly<Record<string, Stage>> =>
  setup.protocol.learner.kind === 'statistics' ? { statistics: statisticsStage(setup) } : fitStages(setup, name, sha256)

const statisticsStage = (setup: Setup): Stage => ({
  layout: statisticsLayout(setup),
  contribute: async (_model, cohort) => contributeStatistics(setup, cohort),
  advance: (model, sum) => advanceStatistics(setup, model, sum),
})

function fitStages(setup: Setup, name: string, sha256: Sha256): Readonly<Record<string, Stage>> {
  const spec = setup.protocol.learner
  const neural = spec.kind === 'neural'
  const fedavg = spec.kind === 'logistic' && spec.algorithm === 'fedavg'
  const first = (moments: Moments) => {
    if (neural) return firstNeural(setup, name, moments, sha256)
    return fedavg ? firstFedAvg(setup, name, moments) : firstFit(setup, name, moments)
  }
  return {
    moments: {
      layout: momentsLayout(setup),
      contribute: async (_model, cohort) => contributeMoments(setup, cohort),
      advance: (_model, sum) => first(finishMoments(setup, sum)),
    },
    fit: { layout: fitLayout(setup), ...(neural ? neuralFit(setup, sha256) : fedavg ? fedavgFit(setup) : newtonFit(setup)) },
    evaluation: {
      layout: evaluationLayout(setup),
      contribute: async (model, cohort) => contributeEvaluation(setup, model, cohort),
      advance: (model, sum) => advanceEvaluation(setup, model, sum),
    },
  }
}

const newtonFit = (setup: Setup): Pick<Stage, 'contribute' | 'advance'> => ({
  contribute: async (model, cohort) => contributeNewton(setup, model, cohort),
  advance: (model, sum) => advanceNewton(setup, model, sum),
})

const fedavgFit = (setup: Setup): Pick<Stage, 'contribute' | 'advance'> => ({
  contribute: async (model, cohort) => contributeFedAvg(setup, model, cohort),
  advance: (model, sum) => advanceFedAvg(setup, model, sum),
})

const neuralFit = (setup: Setup, sha256: Sha256): Pick<Stage, 'contribute' | 'advance'> => ({
  contribute: (model, cohort, tools) => contributeNeural(setup, model, cohort, tools, sha256),
  advance: (model, sum) => advanceNeural(setup, model, sum),
})
