import process from 'node:process'
import { curvesOf, type ResultsView, viewOf } from '#app/results/results.ts'
import { problemError } from '#core/learner/problem.ts'
import type { Model } from '#core/model/model.ts'
import { checkProtocol } from '#core/protocol/check.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { Trainer } from '#ports/trainer.ts'
import { trainAlone } from './simulate-alone.ts'
import { answerOf, type SimulationAnswer } from './simulate-answer.ts'
import { isBinary, privateIntercepts, testMetrics } from './simulate-metrics.ts'
import type { SimulateOptions } from './simulate-options.ts'
import { playStudy, type RunTools, type SimulatedRun } from './simulate-run.ts'
import { type SimulatedStudy, simulatedStudy } from './simulate-study.ts'

/** A simulated chain's set of sites is as large as it has to be; a real one's has 256. */
const MOST_SIMULATED_SITES = 10_000
/** Each site's own model is judged on all sites' test rows: with a thousand sites that would take longer than the study. */
const MOST_ALONE = 256

export interface Simulation {
  /** What --json prints. */
  readonly answer: SimulationAnswer
  /** What tables, CSV and report show. */
  readonly view: ResultsView
  readonly seconds: number
}

/**
 * A whole study in one process: the network's run, its metrics, and what each site would have had alone.
 * @throws ROTA-11xx, 22xx (the fit), 23xx (the protocol), 3xxx (the rows)
 */
export async function simulate(options: SimulateOptions, tools: RunTools): Promise<Simulation> {
  const study = await simulatedStudy(options)
  checkProtocol(study.protocol, MOST_SIMULATED_SITES)
  const trainer = await trainerFor(study.protocol)
  try {
    const withTrainer = { ...tools, ...(trainer === null ? {} : { trainer }), dropOut: options.dropOut ?? 0 }
    const run = await playStudy(study.protocol, study.tables, withTrainer)
    const problem = problemError(run.final)
    if (problem !== null) throw problem
    const view = await shown(study, run, withTrainer)
    return { view, answer: answerOf(view, run, process.resourceUsage().maxRSS * 1024), seconds: run.seconds }
  } finally {
    await trainer?.stop()
  }
}

async function shown({ protocol, tables, leftOut, truth }: SimulatedStudy, run: SimulatedRun, tools: RunTools): Promise<ResultsView> {
  const known = { origin: 'simulation', rounds: run.rounds, participation: run.participation, leftOut, truth } as const
  if (protocol.learner.kind === 'statistics') return viewOf(run.final, protocol, known)
  const { metrics, pooled } = testMetrics(run.final, protocol, tables)
  return viewOf(run.final, protocol, {
    ...known,
    test: metrics,
    siteIntercepts: privateIntercepts(run.final, protocol, tables),
    ...(tables.size > MOST_ALONE ? {} : { alone: await alone(protocol, tables, run, tools) }),
    curves: isBinary(protocol) && pooled.scores.length > 0 ? curvesOf('the test rows of all sites', pooled.scores, pooled.outcomes) : null,
  })
}

function alone(protocol: Protocol, tables: SimulatedStudy['tables'], run: SimulatedRun, tools: RunTools): ReturnType<typeof trainAlone> {
  tools.onRound?.('each site alone')
  return trainAlone(protocol, tables, afterMoments(run), { signal: tools.signal, ...(tools.trainer === undefined ? {} : { train: tools.trainer.train }) })
}

/** The first model of the fit: it holds the pooled scale. */
const afterMoments = (run: SimulatedRun): Model => run.bases.find((model) => model.stage === 'fit') ?? run.final

/** TensorFlow.js is loaded for neural studies only. */
async function trainerFor({ learner }: Protocol): Promise<Trainer | null> {
  if (learner.kind !== 'neural') return null
  const { createTrainer } = await import('#adapters/training/trainer.ts')
  return createTrainer()
}
