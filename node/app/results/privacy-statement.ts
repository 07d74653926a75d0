import { count } from '#base/format.ts'
import { epsilonOnChain } from '#core/protocol/private-rounds.ts'
import type { PrivacySpec, Protocol } from '#core/protocol/protocol.ts'

/** What a study says of its patients' privacy, who refuses what goes beyond it, and what was measured. Stands wherever its results do. */
export interface PrivacyStatement {
  /** local: each site adds all the noise that its own patients need, whoever else takes part. distributed: the sites of a masked sum make it together. */
  readonly noise: 'none' | 'local' | 'distributed'
  /** For a badge, a column, a line. */
  readonly label: string
  readonly declared: string
  readonly enforced: string
  readonly evidenced: string
  readonly policy: PrivacySpec | null
}

export const NOT_EVIDENCED = 'not evidenced: no attack or canary was run (rota audit privacy)'

/** @param rounds that were closed; null where they are not known @param evidenced what attacks found, in words */
export function privacyStatement(
  { privacy }: Pick<Protocol, 'privacy'>,
  origin: 'network' | 'simulation',
  rounds: number | null,
  evidenced: string = NOT_EVIDENCED,
): PrivacyStatement {
  if (privacy === undefined)
    return { noise: 'none', label: 'no differential privacy', declared: 'nothing: no noise was added', enforced: 'nothing', evidenced, policy: null }
  const { epsilon, noise, place, colluders = 0, steps, samplingRate, minPatients, metrics } = privacy
  const whose = place === 'local' ? '' : ` as its share of it, enough while at most ${colluders} members put their shares together`
  const drawn = samplingRate < 1 ? `, each patient in a step with probability ${samplingRate}` : ''
  const many = steps > 1 ? `${count(steps)} steps with noise a round` : 'one noisy sum a round'
  const judged = metrics === undefined ? 'no test metrics are told' : `test metrics have noise of ${metrics} × what one can change`
  const spent = rounds === null || rounds === 0 ? '' : `; the ${count(rounds)} closed rounds come to ${upTo(epsilonOnChain(privacy, rounds))}`
  return {
    noise: place,
    label: privacyLabel(privacy),
    declared: `each site clips its patients and adds noise of ${noise} × what one can change${whose}: ${many}${drawn}; ${judged}; ${minPatients} patients at least`,
    enforced: `${origin === 'simulation' ? 'the simulated chain' : 'the chain'} charges a dataset before it is trained on, and refuses beyond epsilon ${epsilon} over all studies${spent}`,
    evidenced,
    policy: privacy,
  }
}

export const privacyLabel = (privacy: PrivacySpec | undefined): string =>
  privacy === undefined
    ? 'no differential privacy'
    : `differential privacy of each patient: epsilon ${privacy.epsilon} at delta ${privacy.delta.toExponential()}, ${privacy.place} noise`

/** What members see of each other, in a few words. Stands wherever a study's results do: who reads them need not know what `open` means. */
export const modeLabel = (mode: Protocol['mode']): string => MODE_LABELS[mode]

const MODE_LABELS = {
  open: "open: members see each other's updates",
  // True of groups too, which the chain takes for masked: lists that have no protocol at hand say this of both.
  masked: 'masked: members see sums alone',
  groups: 'groups: members see sums of groups',
} as const satisfies Record<Protocol['mode'], string>

const upTo = (epsilon: number): string =>
  Number.isFinite(epsilon) ? `epsilon ${(Math.ceil(1000 * epsilon) / 1000).toString()} at most` : 'more than it can count'

/** As a sentence. */
export const sentence = (label: string): string => `${label[0]?.toUpperCase()}${label.slice(1)}.`
