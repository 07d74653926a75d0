import type { ModelState } from '#core/model/model.ts'
import type { PrivateProtocol } from '#core/protocol/private-rounds.ts'
import type { StatisticsSpec } from '#core/protocol/protocol.ts'
import type { Stage } from '../learner.ts'
import type { Setup } from '../setup.ts'
import { modelOf } from '../state.ts'
import type { PrivateEstimate } from './estimates.ts'
import { noiseInSum, noisyLayout, noisyUpdate } from './stage.ts'
import { describeStatistics, type PrivateSummary, releaseStatistics, statisticsLength, statisticsSensitivity } from './statistics.ts'

const QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95] as const
/** A bin is told from an empty one where its count is so many deviations of the noise above 0. */
const CLEAR = 3

/** One round, one release. No cell is withheld: noise covers each of them alike. */
export function privateStatisticsStage(setup: Setup, protocol: PrivateProtocol): Stage {
  const { bins } = protocol.learner as StatisticsSpec
  const policy = { noise: protocol.privacy.noise, rowsPerPatient: 1 }
  const sensitivity = statisticsSensitivity(setup, policy)
  const layout = noisyLayout(setup, protocol, statisticsLength(setup, bins), sensitivity)
  return {
    layout,
    contribute: async (_model, cohort, tools) =>
      noisyUpdate(setup, protocol, layout, cohort, tools, (patients, noise) => releaseStatistics(setup, bins, cohort.train, patients, policy, noise)),
    advance(model, sum) {
      const deviation = noiseInSum(protocol, sensitivity, sum)
      const described = describeStatistics(setup, bins, sum.at, deviation)
      const variables = [...protocol.features, protocol.label].map((variable, j) => summaryOf(variable, described[j] as PrivateSummary, sum.at(0), deviation))
      return { model: modelOf(model.learner, 'done', { rows: sum.at(0), noiseInCounts: deviation, iteration: 1, variables }), status: 'finished' }
    },
  }
}

interface Variable {
  readonly name: string
  readonly range: readonly [number, number]
}

function summaryOf(
  { name, range: [low, high] }: Variable,
  { present, mean, variance, histogram }: PrivateSummary,
  rows: number,
  deviation: number,
): ModelState {
  const counts = histogram.map(({ value }) => value)
  const width = (high - low) / counts.length
  const clear = counts.flatMap((count, bin) => (count > CLEAR * deviation ? [bin] : []))
  const first = clear[0]
  return {
    ...{ name, low, high },
    present: present.value,
    missing: rows - present.value,
    mean: mean?.value ?? null,
    variance: variance?.value ?? null,
    min: first === undefined ? null : low + width * first,
    max: first === undefined ? null : low + width * ((clear.at(-1) as number) + 1),
    histogram: counts,
    quantiles: QUANTILES.map((q) => quantile(q, counts, clear.length > 0, low, width)),
    ci95: { present: interval(present), mean: interval(mean), variance: interval(variance) },
  }
}

const interval = (estimate: PrivateEstimate | null): readonly number[] | null => (estimate?.ci95 ? [...estimate.ci95] : null)

/** Of the counts with what is below 0 left out: linear within a bin; null where no bin is clear of its noise. */
function quantile(q: number, counts: readonly number[], isClear: boolean, low: number, width: number): number | null {
  const positive = counts.map((count) => (count > 0 ? count : 0))
  const rank = q * positive.reduce((sum, count) => sum + count, 0)
  if (!isClear) return null
  let below = 0
  for (let bin = 0; bin < positive.length; bin++) {
    const count = positive[bin] as number
    if (count > 0 && below + count >= rank) return low + width * (bin + (rank - below) / count)
    below += count
  }
  return null
}
