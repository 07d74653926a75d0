import { addWord, covers, epsilonOfWord, lanesOfWord, limitWord, rdpWord } from '../privacy/chain-lanes.ts'
import type { SampledGaussian } from '../privacy/mechanism.ts'
import { leastNoise } from '../privacy/noise.ts'
import type { LearnerSpec, PrivacySpec, Protocol } from './protocol.ts'

/** A protocol that has a privacy section. */
export type PrivateProtocol = Protocol & { readonly privacy: PrivacySpec }

export const isPrivate = (protocol: Protocol): protocol is PrivateProtocol => protocol.privacy !== undefined

/** Shares of distributed noise that are in a sum for sure, and that nobody can take off: a round below the quorum is void. */
export const sharesFor = ({ quorum, privacy }: PrivateProtocol): number => Math.max(1, quorum - (privacy.colluders ?? 0))

/** What a site gives away in one round: the noise of its release, or of each of a network's steps. */
export const mechanismOf = ({ noise, samplingRate, steps }: Pick<PrivacySpec, 'noise' | 'samplingRate' | 'steps'>): SampledGaussian => ({
  noise,
  samplingRate,
  steps,
})

/** What test metrics give away: one noisy sum of all test rows. */
export const metricsMechanism = (metrics: number): SampledGaussian => ({ noise: metrics, samplingRate: 1, steps: 1 })

/** Whether a round's charge pays for test metrics with this noise. */
export const isPaidFor = (metrics: number, charge: bigint): boolean => covers(charge, rdpWord([metricsMechanism(metrics)]))

/** The least noise on test metrics that a round's charge pays for: that of a round where all patients are in each, rounded up. Null where none is enough. */
export function metricsNoise(privacy: Pick<PrivacySpec, 'noise' | 'samplingRate' | 'steps'>): number | null {
  if (privacy.samplingRate === 1 && privacy.steps === 1) return privacy.noise
  const charge = rdpWord([mechanismOf(privacy)])
  const found = leastNoise((noise) => isPaidFor(noise, charge), 1, 1e-4)
  return found === null ? null : Math.ceil(found * 1000) / 1000
}

/** As the chain counts: what a round costs a site's dataset, and what that may come to. @throws ROTA-2351 to 2355, 2360 */
export const policyWords = (privacy: PrivacySpec): { readonly charge: bigint; readonly limit: bigint } => ({
  charge: rdpWord([mechanismOf(privacy)]),
  limit: limitWord(privacy.epsilon, privacy.delta),
})

/** Rounds of the fit, where none comes to nothing: under noise a fit does not settle, and has as many as it is given. */
export function plannedRounds(learner: LearnerSpec): number {
  if (learner.kind === 'statistics' || learner.kind === 'linear') return 1
  return learner.algorithm === 'newton' ? learner.maxIterations : learner.rounds
}

/** All rounds that are charged, that of the test metrics among them. */
export const plannedCharges = ({ learner, privacy }: Pick<PrivateProtocol, 'learner' | 'privacy'>): number =>
  plannedRounds(learner) + (privacy.metrics === undefined ? 0 : 1)

/** Rounds that a dataset which has spent so much can still pay for: until no lane is within the limit. */
export function roundsLeft(spent: bigint, { charge, limit }: { readonly charge: bigint; readonly limit: bigint }): number {
  const [before, cost, most] = [spent, charge, limit].map(lanesOfWord) as [number[], number[], number[]]
  return Math.max(...before.map((lane, i) => Math.max(0, Math.floor(((most[i] as number) - lane) / (cost[i] as number)))))
}

/** Epsilon of so many rounds as the chain counts it: never less than what is spent, Infinity where it can count no further. */
export function epsilonOnChain(privacy: PrivacySpec, rounds: number, before = 0n): number {
  const { charge } = policyWords(privacy)
  let word = before
  for (let round = 0; round < rounds; round++) word = addWord(word, charge)
  return epsilonOfWord(word, privacy.delta)
}
