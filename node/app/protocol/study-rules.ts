import { RotaError } from '#base/errors.ts'
import { FEWEST_IN_STUDY } from '#core/masking/drawn-groups.ts'
import { FEWEST_MASKED, MOST_MASKED, thresholdOf } from '#core/masking/threshold.ts'
import { checkGroupSites } from '#core/protocol/check-groups.ts'
import { hidesUpdates, isDeterministic, type Protocol } from '#core/protocol/protocol.ts'
import type { StudyRules } from '#ports/chain.ts'
import { arithmeticVersion } from '../arithmetic-version.ts'

/** What contracts take and nodes take part in. @throws ROTA-5302, ROTA-2304 */
export function checkOffered({ mode, minSites, quorum, maxSites }: Pick<Protocol, 'mode' | 'minSites' | 'quorum' | 'maxSites'>): void {
  if (mode === 'open') return
  checkGroupSites({ mode, minSites, quorum }, FEWEST_IN_STUDY)
  if (minSites < FEWEST_MASKED || quorum < thresholdOf(minSites)) throw new RotaError('ROTA-5302', { error: 'StudyRegistry_TooFewToMask', minSites, quorum })
  if (maxSites > MOST_MASKED) throw new RotaError('ROTA-5302', { error: 'StudyRegistry_TooManyToMask', maxSites })
}

/** The few numbers of a protocol that the chain enforces. @throws ROTA-5302 when nodes cannot take part in such a study */
export async function rulesOf(protocol: Protocol): Promise<StudyRules> {
  checkOffered(protocol)
  return rehearsedRules(protocol)
}

/** The same for a simulation, where a masked study may have fewer sites. */
export async function rehearsedRules(protocol: Protocol): Promise<StudyRules> {
  const { limits } = protocol
  return {
    minSites: protocol.minSites,
    quorum: protocol.quorum,
    maxRounds: protocol.maxRounds,
    wordBits: protocol.arithmetic.wordBits,
    slices: protocol.slices,
    // Groups are drawn behind masks, which is all that the chain sees to.
    mode: hidesUpdates(protocol) ? 'masked' : 'open',
    exact: isDeterministic(protocol),
    limits: [limits.keying, limits.contributing, limits.witnessing, limits.publishing, limits.attesting],
    arithmeticVersion: await arithmeticVersion(),
  }
}
