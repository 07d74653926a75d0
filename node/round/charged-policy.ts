import { RotaError } from '#base/errors.ts'
import type { StudyId } from '#base/ids.ts'
import { covers } from '#core/privacy/chain-lanes.ts'
import { policyWords } from '#core/protocol/private-rounds.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { PrivacyPolicy } from '#ports/chain.ts'

/**
 * What is wrong with a study's policy on chain beside its protocol, or null: a round must cost what its noise does, or more, and the limit be what was
 * promised, or less. A study without noise is not charged.
 * @returns ROTA-5314
 */
export function brokenPolicy(study: StudyId, { privacy }: Pick<Protocol, 'privacy'>, policy: PrivacyPolicy | null): RotaError | null {
  const broken = (reason: string): RotaError => new RotaError('ROTA-5314', { study, reason })
  if (privacy === undefined) return policy === null ? null : broken('the chain charges for it, and its protocol has no privacy section')
  if (policy === null) return broken('its protocol promises differential privacy, and the chain does not charge for it')
  const { charge, limit } = policyWords(privacy)
  if (!covers(policy.charge, charge)) return broken('a round is charged less than its noise costs')
  return covers(limit, policy.limit) ? null : broken("the chain's limit is above the protocol's")
}
