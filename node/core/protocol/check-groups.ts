import { RotaError } from '#base/errors.ts'
import { FEWEST_IN_ROUND } from '../masking/drawn-groups.ts'
import type { Protocol } from './protocol.ts'

/** What a study in groups cannot be, and why; null of all others. */
export function whyNoGroups({
  mode,
  learner,
  privacy,
  start,
}: Pick<Protocol, 'mode' | 'learner'> & Partial<Pick<Protocol, 'privacy' | 'start'>>): string | null {
  if (mode !== 'groups') return null
  if (learner.kind === 'statistics' || learner.algorithm !== 'fedavg') return 'it adds up what all rows say, and the median of such sums is no result of theirs'
  if (privacy !== undefined) return 'its noise is reckoned for one sum of all'
  return start === undefined ? null : 'its runs go on from a model that has no draw of groups'
}

/** @throws ROTA-2332 for what has no place in groups, ROTA-2304 when a round may have too few sites for them */
export function checkGroups(protocol: Protocol): void {
  const reason = whyNoGroups(protocol)
  if (reason !== null) throw new RotaError('ROTA-2332', { learner: protocol.learner.kind, reason })
  checkGroupSites(protocol)
}

/** @throws ROTA-2304 when a round may have too few sites for groups. A rehearsal may have no site to spare in each. */
export function checkGroupSites({ mode, minSites, quorum }: Pick<Protocol, 'mode' | 'minSites' | 'quorum'>, fewest = FEWEST_IN_ROUND): void {
  if (mode !== 'groups') return
  const short = quorum < FEWEST_IN_ROUND ? (['quorum', quorum, FEWEST_IN_ROUND] as const) : minSites < fewest ? (['minSites', minSites, fewest] as const) : null
  if (short !== null) throw new RotaError('ROTA-2304', { parameter: short[0], value: short[1], expected: `${short[2]} at least in groups` })
}
