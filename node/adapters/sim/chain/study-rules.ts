import { leastLimit } from '#core/protocol/least-limit.ts'
import { PHASES, type StudyRules } from '#ports/chain.ts'
import { revert } from './call.ts'

/** StudyChecks.sol: reverts with the first fault. Keying's limit is left out: open studies have no such phase. */
export function checkRules(rules: StudyRules, activeSites: number, maxSites: number, offered: readonly StudyRules['mode'][]): void {
  const { mode, quorum, minSites, maxRounds, wordBits, slices } = rules
  if (!offered.includes(mode)) revert('StudyRegistry_ModeNotOffered', { mode })
  if (quorum < 1 || quorum > minSites || minSites > maxSites) revert('StudyRegistry_BadQuorum', { quorum, minSites })
  if (maxRounds === 0) revert('StudyRegistry_NoRounds')
  if (wordBits !== 32 && wordBits !== 64) revert('StudyRegistry_BadWordBits', { wordBits })
  if (slices === 0 || slices > minSites) revert('StudyRegistry_BadSlices', { slices, minSites })
  rules.limits.forEach((limit, i) => {
    const phase = PHASES[i] as (typeof PHASES)[number]
    const least = leastLimit(phase === 'Witnessing' ? 'witnessing' : 'keying', activeSites, slices)
    if (i > 0 && (limit.seconds < least || limit.blocks < least))
      revert('StudyRegistry_LimitTooShort', { phase, seconds_: limit.seconds, blocks: limit.blocks, least })
  })
}
