import type { TextTable } from '#app/results/results-tables.ts'
import { count, NO_VALUE, percent } from '#base/format.ts'
import { deltaText, roundedUp } from './bare-questions.ts'
import type { PrivacyPlan } from './plan.ts'

/** What was asked and what it takes, as names and values. */
export function planFacts(plan: PrivacyPlan): readonly (readonly [string, string])[] {
  const { cohort, rounds, localSteps, batch, samplingRate, steps, epsilon, delta, noise, noiseOnMean, accountant, chain } = plan
  const last = plan.spent.at(-1)
  return [
    [
      'patients',
      `${count(cohort)}, of whom ${Number(batch.toPrecision(4))} are expected in a step (sampling rate ${percent(samplingRate, samplingRate < 0.1 ? 2 : 0)})`,
    ],
    ['steps', `${count(steps)}: ${count(rounds)} rounds of ${count(localSteps)}`],
    ['promise', `epsilon ${epsilon} at delta ${deltaText(delta)}, counted by ${accountant === 'rdp' ? 'RDP' : 'PRV'}`],
    ['noise', `${roundedUp(noise, 5)} × the clip norm on each step's sum`],
    ['on the mean', `${roundedUp(noiseOnMean)} × the clip norm`],
    ['test metrics', onMetrics(plan)],
    ['spent at the end', last === undefined ? NO_VALUE : `epsilon ${roundedUp(last.prv)} (PRV), ${roundedUp(last.rdp)} (RDP)`],
    ['limit on chain', chain === null ? 'beyond what the chain can count' : `epsilon ${chain.epsilon}`],
    ...(chain === null ? [] : [['in the protocol', protocolSection(plan)] as const]),
  ]
}

const onMetrics = ({ metricsNoise }: PrivacyPlan): string =>
  metricsNoise === null ? 'none are told' : `one round more, with noise of ${roundedUp(metricsNoise, 5)} × what one patient can change`

/** The section that a protocol needs for this plan; steps and sampling are a network's. */
export function protocolSection({ chain, delta, noise, metricsNoise, samplingRate, localSteps, batch, epsilon }: PrivacyPlan): string {
  const network =
    samplingRate === 1 && localSteps === 1 ? '' : `, samplingRate: ${samplingRate}, steps: ${localSteps}, expectedBatch: ${Number(batch.toPrecision(4))}`
  return `privacy: { epsilon: ${chain?.epsilon ?? epsilon}, delta: ${deltaText(delta)}, noise: ${Number(roundedUp(noise, 5))}, metrics: ${metricsNoise === null ? 'none' : Number(roundedUp(metricsNoise, 5))}${network} }`
}

export const spentTable = ({ spent }: PrivacyPlan, most = spent.length): TextTable => ({
  title: 'After each round',
  head: ['round', 'PRV', 'RDP', 'on chain'],
  rows: thinned(spent, most).map(({ round, prv, rdp, onChain }) => [
    count(round),
    roundedUp(prv),
    roundedUp(rdp),
    onChain === null ? NO_VALUE : roundedUp(onChain),
  ]),
  note: 'Epsilon, rounded up. PRV is tight; RDP adds up over studies; the chain counts RDP in whole numbers at eight orders and refuses by it. Test metrics are a round, the last one.',
})

export const targetTable = ({ targets, accountant, epsilon }: PrivacyPlan): TextTable => ({
  title: 'Other promises',
  head: ['epsilon', 'noise', 'on the mean', ''],
  rows: targets.map((line) => [String(line.epsilon), roundedUp(line.noise), roundedUp(line.noiseOnMean), line.epsilon === epsilon ? 'planned' : '']),
  note: `Least noise for each epsilon with the same cohort, batch, rounds and delta, by ${accountant === 'rdp' ? 'RDP' : 'PRV'}, in clip norms.`,
})

/** The last line stays; before it every second, third, … one. */
function thinned<T>(lines: readonly T[], most: number): readonly T[] {
  const every = Math.ceil(lines.length / Math.max(1, most))
  return lines.filter((_, i) => (lines.length - 1 - i) % every === 0)
}
