import { RotaError } from '#base/errors.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { StudyRules } from '#ports/chain.ts'
import { arithmeticVersion } from '../arithmetic-version.ts'

/** Nodes take part in open rounds alone; the contracts know masked ones too. @throws ROTA-5302 */
export function checkOffered({ mode }: Pick<Protocol, 'mode'>): void {
  if (mode !== 'open') throw new RotaError('ROTA-5302', { error: 'StudyRegistry_ModeNotOffered', mode })
}

/** The few numbers of a protocol that the chain enforces. @throws ROTA-5302 when nodes cannot take part in such a study */
export async function rulesOf(protocol: Protocol): Promise<StudyRules> {
  checkOffered(protocol)
  const { limits } = protocol
  return {
    minSites: protocol.minSites,
    quorum: protocol.quorum,
    maxRounds: protocol.maxRounds,
    wordBits: protocol.arithmetic.wordBits,
    slices: protocol.slices,
    mode: protocol.mode,
    exact: isDeterministic(protocol),
    limits: [limits.keying, limits.contributing, limits.witnessing, limits.publishing, limits.attesting],
    arithmeticVersion: await arithmeticVersion(),
  }
}

/** All but neural learners: fitted again without one patient, they show that patient in the difference (DESIGN section 8). */
const isDeterministic = (protocol: Protocol): boolean => protocol.learner.kind !== 'neural'
