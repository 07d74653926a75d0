import { RotaError } from '#base/errors.ts'
import { judgesOutcomes } from '#core/learner/private/evaluation-stage.ts'
import { testSensitivity } from '#core/learner/private/score-sums.ts'
import { LEAST_SHARE, shareSize } from '#core/learner/private/shared-noise.ts'
import { privateSensitivity } from '#core/learner/private/stages.ts'
import { checkNoiseFits } from '#core/learner/private/sums.ts'
import { setupOf } from '#core/learner/setup.ts'
import { checkDelta, checkEpsilon, checkMechanism, LEAST_PATIENTS } from '#core/privacy/mechanism.ts'
import { epsilonOnChain, isPaidFor, mechanismOf, metricsNoise, type PrivateProtocol, plannedCharges, policyWords, sharesFor } from './private-rounds.ts'
import type { LearnerSpec, PrivacySpec } from './protocol.ts'

/**
 * The rules of a privacy section.
 * @throws ROTA-2351 to 2356, 2359, 2360 numbers out of range; 2384 what this learner takes otherwise; 2385 when noisy sums could overflow the ring; 2387 a
 * learner without a private form; 2388 when the planned rounds spend more than the limit
 */
export function checkPrivacy(protocol: PrivateProtocol, sites = protocol.maxSites): void {
  const { learner, privacy } = protocol
  checkEpsilon(privacy.epsilon)
  checkDelta(privacy.delta)
  checkMechanism(mechanismOf(privacy))
  checkCohort(privacy)
  checkLearner(learner)
  checkShape(learner, privacy)
  const sensitivity = learner.kind === 'neural' ? null : privateSensitivity(setupOf(protocol), protocol)
  if (sensitivity !== null) checkRing(protocol, sites, privacy.noise, sensitivity)
  policyWords(privacy)
  checkMetrics(protocol, sites)
  const rounds = plannedCharges(protocol)
  const needed = epsilonOnChain(privacy, rounds)
  if (!(needed <= privacy.epsilon)) throw new RotaError('ROTA-2388', { rounds, needed: Number(needed.toPrecision(6)), epsilon: privacy.epsilon })
}

function checkCohort({ minPatients, delta }: PrivacySpec): void {
  if (!(Number.isInteger(minPatients) && minPatients >= LEAST_PATIENTS)) throw new RotaError('ROTA-2356', { cohort: minPatients, least: LEAST_PATIENTS })
  if (!(delta < 1 / minPatients)) throw new RotaError('ROTA-2359', { delta, cohort: minPatients, advised: (0.1 / minPatients).toPrecision(1) })
}

function checkLearner(learner: LearnerSpec): void {
  const refuse = (reason: string): RotaError => new RotaError('ROTA-2387', { learner: learner.kind, reason })
  if (learner.kind === 'poisson') throw refuse('a count can be large, and one patient would need as much noise as the largest')
  if (learner.kind === 'logistic' && learner.algorithm === 'fedavg') throw refuse('averaging has no noisy form here; newton has')
  if ('siteIntercepts' in learner && learner.siteIntercepts) throw refuse('private intercepts are fitted without noise')
  if (learner.kind === 'linear' && learner.l2 > 0) throw refuse('a penalty; where noise makes it necessary the fit is drawn towards 0 anyway')
}

/** Ranges are those in which noise can be drawn on its grid. */
function checkShape({ kind }: LearnerSpec, { clip, samplingRate, steps, expectedBatch, noise }: PrivacySpec): void {
  within('privacy.clip', clip, 1e-6, 1e6)
  if (kind === 'neural') {
    within('privacy.noise', noise, 0.01, 10_000)
    within('privacy.expectedBatch', expectedBatch ?? 0, 1e-3, 1e9)
    return
  }
  if (samplingRate !== 1) throw wrong('privacy.samplingRate', samplingRate, `1: a ${kind} study uses all patients in every round`)
  if (steps !== 1) throw wrong('privacy.steps', steps, `1: a ${kind} study releases one sum a round`)
}

/** A round's charge has to pay for them, so that the chain need not tell one round from another. */
function checkMetrics(protocol: PrivateProtocol, sites: number): void {
  const { learner, privacy } = protocol
  const { metrics } = privacy
  if (metrics === undefined) return
  if (learner.kind === 'statistics') throw wrong('privacy.metrics', metrics, 'none: statistics foretell nothing that test rows could judge')
  // A charge of one unit in each lane, the least there is, pays for noise of 17,400.
  within('privacy.metrics', metrics, 0.01, 20_000)
  const least = metricsNoise(privacy)
  if (!isPaidFor(metrics, policyWords(privacy).charge))
    throw wrong('privacy.metrics', metrics, `${least ?? 'more than can be drawn'} at least: what a round is charged`)
  checkRing(protocol, sites, metrics, testSensitivity(judgesOutcomes(protocol), { rowsPerPatient: 1 }))
}

function checkRing(protocol: PrivateProtocol, sites: number, noise: number, sensitivity: number): void {
  const { privacy, cohort } = protocol
  const setup = setupOf(protocol)
  // Exact sums are of 64 bits in words of either size.
  checkNoiseFits({ sites, maxRows: cohort.maxRows, sensitivity, fractionBits: setup.fractionBits, wordBits: 64 }, { noise, rowsPerPatient: 1 })
  const share = shareSize(noise * sensitivity * setup.fractionScale, sharesFor(protocol))
  if (privacy.place === 'distributed' && share < LEAST_SHARE)
    throw wrong('privacy.noise', privacy.noise, `shares of ${LEAST_SHARE} steps of the grid at least: more noise or fraction bits`)
}

function within(parameter: string, value: number, low: number, high: number): void {
  if (!(value >= low && value <= high)) throw wrong(parameter, value, `a number from ${low} to ${high}`)
}

const wrong = (parameter: string, value: number, expected: string): RotaError => new RotaError('ROTA-2384', { parameter, value, expected })
