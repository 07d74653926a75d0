import { RotaError } from '#base/errors.ts'
import { type Accountant, epsilonOf } from '#core/privacy/accountant.ts'
import { addWord, epsilonOfWord, limitWord, MOST_CHAIN_EPSILON, rdpWord } from '#core/privacy/chain-lanes.ts'
import { checkDelta, checkEpsilon, checkSteps, LEAST_PATIENTS, MOST_NOISE, type SampledGaussian } from '#core/privacy/mechanism.ts'
import { noiseFor } from '#core/privacy/noise.ts'
import { prvEpsilon } from '#core/privacy/prv.ts'
import { metricsMechanism, metricsNoise } from '#core/protocol/private-rounds.ts'

export const LEAST_COHORT = LEAST_PATIENTS

export interface PlanQuestion {
  /** Patients at the site. */
  readonly cohort: number
  /** Of the fit. */
  readonly rounds: number
  /** Whether test metrics are told: one round more. */
  readonly metrics: boolean
  /** Steps of DP-SGD in one round. */
  readonly localSteps: number
  /** Patients expected in one step; each is drawn with probability batch / cohort. */
  readonly batch: number
  readonly epsilon: number
  readonly delta: number
  readonly accountant: Accountant
}

/** What has been spent once a round is over. */
export interface SpentAfter {
  readonly round: number
  readonly rdp: number
  readonly prv: number
  /** As the chain counts: eight orders, whole numbers, rounded up; null where it can count no further. */
  readonly onChain: number | null
}

export interface TargetLine {
  readonly epsilon: number
  readonly noise: number
  /** Standard deviation of the noise on the mean gradient of a step, in clip norms. */
  readonly noiseOnMean: number
}

export interface PrivacyPlan extends Omit<PlanQuestion, 'metrics'> {
  readonly samplingRate: number
  readonly steps: number
  readonly noise: number
  readonly noiseOnMean: number
  /** On the sums that test metrics are made from, in units of what one patient can move them by; null where none are told. */
  readonly metricsNoise: number | null
  /** All rounds, the metrics' the last of them, or about twenty of many; the last one always. */
  readonly spent: readonly SpentAfter[]
  readonly targets: readonly TargetLine[]
  /** What a round costs on chain, and the least limit that lets all rounds through; null where lanes cannot hold it. */
  readonly chain: { readonly rdpWord: string; readonly epsilon: number; readonly limitWord: string } | null
}

const TARGETS = [0.5, 1, 2, 3, 5, 8, 10]
const MOST_LINES = 20
/** Points of a ring for lines of a table and a plot: within a thousandth. */
const TABLE_POINTS = 2 ** 15

/**
 * Which noise keeps a promise over a whole study, what is spent after each round, and what other promises would take.
 * @throws ROTA-2351, ROTA-2352, ROTA-2355 to ROTA-2359
 */
export function planPrivacy(question: PlanQuestion, tell: (text: string) => void = () => undefined): PrivacyPlan {
  check(question)
  const { metrics, ...asked } = question
  const { cohort, localSteps, batch, epsilon, delta, accountant } = asked
  const samplingRate = batch / cohort
  const charges = asked.rounds + (metrics ? 1 : 0)
  const steps = charges * localSteps
  const noiseAt = (target: number): number => {
    let found = noiseFor({ samplingRate, steps, epsilon: target, delta }, accountant)
    if (!metrics || (samplingRate === 1 && localSteps === 1)) return found
    // The metrics' round has another noise, which costs as the chain counts no more, and by other counts at times a little.
    while (epsilonOf(whole(found), delta, accountant) > target) found *= 1.0005
    return found
  }
  const whole = (noise: number): readonly SampledGaussian[] => [
    { samplingRate, noise, steps: asked.rounds * localSteps },
    metricsMechanism(noiseOnMetrics({ noise, samplingRate, steps: localSteps })),
  ]
  tell('the noise')
  const noise = noiseAt(epsilon)
  const targets = [...new Set([...TARGETS, epsilon])]
    .sort((a, b) => a - b)
    .map((target) => {
      tell(`epsilon ${target}`)
      const its = target === epsilon ? noise : noiseAt(target)
      return { epsilon: target, noise: its, noiseOnMean: its / batch }
    })
  const onMetrics = metrics ? noiseOnMetrics({ noise, samplingRate, steps: localSteps }) : null
  const spent = linesOf(charges).map((round) => {
    tell(`round ${round}`)
    return spentAfter(round, { samplingRate, noise, localSteps, delta, onMetrics: round > asked.rounds ? onMetrics : null })
  })
  const chain = chainOf(charges, question, samplingRate, noise)
  return { ...asked, samplingRate, steps: asked.rounds * localSteps, noise, noiseOnMean: noise / batch, metricsNoise: onMetrics, spent, targets, chain }
}

/** What a round's charge pays for. @throws ROTA-2357 */
function noiseOnMetrics(round: SampledGaussian): number {
  const found = metricsNoise(round)
  if (found === null) throw new RotaError('ROTA-2357', { most: MOST_NOISE, epsilon: 0, delta: 0, steps: 1, samplingRate: 1 })
  return found
}

function check({ cohort, rounds, localSteps, batch, epsilon, delta }: PlanQuestion): void {
  checkEpsilon(epsilon)
  checkDelta(delta)
  checkSteps(rounds)
  checkSteps(localSteps)
  checkSteps(rounds * localSteps)
  if (!(cohort >= LEAST_COHORT)) throw new RotaError('ROTA-2356', { cohort, least: LEAST_COHORT })
  if (!(batch >= 1 && batch <= cohort)) throw new RotaError('ROTA-2358', { batch, cohort })
  if (!(delta < 1 / cohort)) throw new RotaError('ROTA-2359', { delta, cohort, advised: (0.1 / cohort).toPrecision(1) })
}

interface RoundNoise {
  readonly samplingRate: number
  readonly noise: number
  readonly localSteps: number
  readonly delta: number
  /** Of the last round, where it is that of the test metrics. */
  readonly onMetrics: number | null
}

function spentAfter(round: number, { samplingRate, noise, localSteps, delta, onMetrics }: RoundNoise): SpentAfter {
  const fit = { samplingRate, noise, steps: (onMetrics === null ? round : round - 1) * localSteps }
  const mechanisms = onMetrics === null ? [fit] : [fit, metricsMechanism(onMetrics)]
  return {
    round,
    rdp: epsilonOf(mechanisms, delta, 'rdp'),
    prv: prvEpsilon(mechanisms, delta, TABLE_POINTS).upper,
    onChain: finite(epsilonOfWord(times(rdpWord([{ samplingRate, noise, steps: localSteps }]), round), delta)),
  }
}

const finite = (x: number): number | null => (Number.isFinite(x) ? x : null)

/** A charge added n times as the contract adds it: full lanes stay full, so doubling comes to the same. */
function times(charge: bigint, n: number): bigint {
  let [sum, power] = [0n, charge]
  for (let rest = n; rest >= 1; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) sum = addWord(sum, power)
    power = addWord(power, power)
  }
  return sum
}

function chainOf(charges: number, { localSteps, delta }: PlanQuestion, samplingRate: number, noise: number): PrivacyPlan['chain'] {
  const charge = rdpWord([{ samplingRate, noise, steps: localSteps }])
  const least = epsilonOfWord(times(charge, charges), delta)
  // Rounded up in the fourth digit: a limit that people can read, and that lets the last round through.
  const epsilon = Math.ceil(least * 1000 + 0.001) / 1000
  if (!(epsilon <= MOST_CHAIN_EPSILON)) return null
  return { rdpWord: hex(charge), epsilon, limitWord: hex(limitWord(epsilon, delta)) }
}

const hex = (word: bigint): string => `0x${word.toString(16).padStart(64, '0')}`

/** Every round, or about twenty of them, closer together at the start. */
function linesOf(rounds: number): number[] {
  if (rounds <= MOST_LINES) return Array.from({ length: rounds }, (_, i) => i + 1)
  const some = Array.from({ length: MOST_LINES }, (_, i) => Math.round(rounds * ((i + 1) / MOST_LINES) ** 1.7))
  return [...new Set(some.filter((round) => round >= 1))]
}
