import { leastLimit } from '#core/protocol/least-limit.ts'
import { PHASES, type StudyRules } from '#ports/chain.ts'
import { unmaskThreshold } from './bits.ts'
import { revert } from './call.ts'

/** Each deals to each. */
export const MAX_MASKED = 100
/** Among fewer sites a sum tells too much of each. */
const FEWEST_MASKED = 5

/** StudyChecks.sol: reverts with the first fault. Open studies have no phase Keying, so its limit is left out. @param fewestMasked fewer for rehearsals */
export function checkRules(rules: StudyRules, activeSites: number, maxSites: number, fewestMasked = FEWEST_MASKED): void {
  const { mode, quorum, minSites, maxRounds, wordBits, slices } = rules
  if (mode === 'groups') revert('StudyRegistry_ModeNotOffered', { mode })
  if (quorum < 1 || quorum > minSites || minSites > maxSites) revert('StudyRegistry_BadQuorum', { quorum, minSites })
  if (maxRounds === 0) revert('StudyRegistry_NoRounds')
  if (wordBits !== 32 && wordBits !== 64) revert('StudyRegistry_BadWordBits', { wordBits })
  if (slices === 0 || slices > minSites) revert('StudyRegistry_BadSlices', { slices, minSites })
  if (mode === 'masked' && minSites > MAX_MASKED) revert('StudyRegistry_TooManyToMask', { sites: minSites, most: MAX_MASKED })
  const masked = mode === 'masked'
  if (masked && (minSites < fewestMasked || quorum < unmaskThreshold(minSites))) revert('StudyRegistry_TooFewToMask', { quorum, minSites })
  rules.limits.forEach((limit, i) => {
    const phase = PHASES[i] as (typeof PHASES)[number]
    const least = leastLimit(phase === 'Witnessing' ? 'witnessing' : 'keying', activeSites, slices)
    if ((i > 0 || masked) && (limit.seconds < least || limit.blocks < least))
      revert('StudyRegistry_LimitTooShort', { phase, seconds_: limit.seconds, blocks: limit.blocks, least })
  })
}
