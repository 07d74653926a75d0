import { addWord, epsilonOfWord, lanesOfWord, limitWord, rdpWord } from '../privacy/chain-lanes.ts'
import type { SampledGaussian } from '../privacy/mechanism.ts'
import type { LearnerSpec, PrivacySpec, Protocol } from './protocol.ts'

/** A protocol that has a privacy section. */
export type PrivateProtocol = Protocol & { readonly privacy: PrivacySpec }

export const isPrivate = (protocol: Protocol): protocol is PrivateProtocol => protocol.privacy !== undefined

/** Shares of distributed noise that are in a sum for sure, and that nobody can take off: a round below the quorum is void. */
export const sharesFor = ({ quorum, privacy }: PrivateProtocol): number => Math.max(1, quorum - (privacy.colluders ?? 0))

/** What a site gives away in one round: the noise of its release, or of each of a network's steps. */
export const mechanismOf = ({ noise, samplingRate, steps }: PrivacySpec): SampledGaussian => ({ noise, samplingRate, steps })

/** As the chain counts: what a round costs a site's dataset, and what that may come to. @throws ROTA-2351 to 2355, 2360 */
export const policyWords = (privacy: PrivacySpec): { readonly charge: bigint; readonly limit: bigint } => ({
  charge: rdpWord([mechanismOf(privacy)]),
  limit: limitWord(privacy.epsilon, privacy.delta),
})

/** Rounds that release something of rows, where none comes to nothing: under noise a fit does not settle, and has as many as it is given. */
export function plannedRounds(learner: LearnerSpec): number {
  if (learner.kind === 'statistics' || learner.kind === 'linear') return 1
  return learner.algorithm === 'newton' ? learner.maxIterations : learner.rounds
}

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
