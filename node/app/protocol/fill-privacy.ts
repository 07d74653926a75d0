import { RotaError } from '#base/errors.ts'
import { checkDelta, checkEpsilon, checkMechanism, LEAST_NOISE, LEAST_PATIENTS, MOST_NOISE } from '#core/privacy/mechanism.ts'
import { leastNoise } from '#core/privacy/noise.ts'
import { epsilonOnChain, metricsNoise, plannedRounds } from '#core/protocol/private-rounds.ts'
import type { LearnerSpec, PrivacySpec, Protocol } from '#core/protocol/protocol.ts'
import { wrongValue, type YamlFile } from '../yaml-file.ts'
import type { WrittenPrivacy } from './protocol-schema.ts'

/** Each noisy Newton step is spent, and noise grows with the root of their number: three come within a tenth of a deviation of where many would end. */
const NOISY_STEPS = 3

/** A private logistic model that names no number of iterations takes few. */
export function stepsUnderNoise(learner: LearnerSpec, yaml: YamlFile): LearnerSpec {
  const written = yaml.value as { readonly privacy?: unknown; readonly learner?: { readonly maxIterations?: unknown } }
  const isOpen = written.privacy === undefined || written.learner?.maxIterations !== undefined
  return isOpen || learner.kind !== 'logistic' || learner.algorithm !== 'newton' ? learner : { ...learner, maxIterations: NOISY_STEPS }
}

/**
 * What a privacy section leaves out.
 * @throws ROTA-3043 with the line where it cannot be left out; 2351 to 2355 when the noise to fill in follows from what is out of range; 2357 when none is enough
 */
export function fillPrivacy(
  written: WrittenPrivacy,
  learner: LearnerSpec,
  { cohort, quorum }: Pick<Protocol, 'cohort' | 'quorum'>,
  yaml: YamlFile,
): PrivacySpec {
  const isNetwork = learner.kind === 'neural'
  if (isNetwork && written.samplingRate === undefined)
    throw wrongValue(yaml, ['privacy', 'samplingRate'], 'a network needs it: the probability that a patient is in a step')
  if (isNetwork && written.expectedBatch === undefined)
    throw wrongValue(yaml, ['privacy', 'expectedBatch'], 'a network needs it: patients that a step is expected to draw, the same number at all sites')
  const { expectedBatch, noise: given, colluders, metrics, ...rest } = written
  const samplingRate = written.samplingRate ?? 1
  const spec = {
    ...rest,
    samplingRate,
    steps: written.steps ?? (isNetwork ? Math.max(1, Math.round(learner.localEpochs / samplingRate)) : 1),
    ...(expectedBatch === undefined ? {} : { expectedBatch }),
    ...(written.place === 'local' && colluders === undefined ? {} : { colluders: colluders ?? Math.floor(quorum / 3) }),
    minPatients: written.minPatients ?? Math.max(LEAST_PATIENTS, cohort.minRows),
  }
  const isJudged = metrics === undefined ? given === undefined && learner.kind !== 'statistics' : metrics !== 'none'
  const noise = given ?? noiseOf(spec, plannedRounds(learner) + (isJudged ? 1 : 0))
  return { ...spec, noise, ...(isJudged ? { metrics: metricsGiven(metrics, { ...spec, noise }) } : {}) }
}

/** As much as a round's charge pays for. */
function metricsGiven(written: WrittenPrivacy['metrics'], spec: Omit<PrivacySpec, 'metrics'>): number {
  if (typeof written === 'number') return written
  checkMechanism(spec)
  const found = metricsNoise(spec)
  if (found === null) throw new RotaError('ROTA-2357', { most: MOST_NOISE, epsilon: spec.epsilon, delta: spec.delta, steps: 1, samplingRate: 1 })
  return found
}

/** The least noise with which all planned rounds, and a tenth more for those that come to nothing, stay within the limit as the chain counts. */
function noiseOf(spec: Omit<PrivacySpec, 'noise'>, planned: number): number {
  const { epsilon, delta, samplingRate, steps } = spec
  checkEpsilon(epsilon)
  checkDelta(delta)
  checkMechanism({ samplingRate, steps, noise: 1 })
  const rounds = planned + Math.floor(planned / 10)
  const found = leastNoise((noise) => epsilonOnChain({ ...spec, noise }, rounds) <= epsilon, 1, 1e-4)
  if (found === null) throw new RotaError('ROTA-2357', { most: MOST_NOISE, epsilon, delta, steps: rounds * steps, samplingRate })
  // A number that people can read, and never less.
  return Math.max(LEAST_NOISE, Math.ceil(found * 1000) / 1000)
}
