import { PHASES, type StudyRules } from '#ports/chain.ts'
import { revert } from './call.ts'

/** Seconds and blocks that a limit has beyond one per site, so that sites may act one after another by rank. */
const SLACK = 3

/** StudyChecks.sol: reverts with the first fault. Keying's limit is left out: open studies have no such phase. */
export function checkRules(rules: StudyRules, activeSites: number, maxSites: number, offered: readonly StudyRules['mode'][]): void {
  const { mode, quorum, minSites, maxRounds, wordBits, slices } = rules
  if (!offered.includes(mode)) revert('StudyRegistry_ModeNotOffered', { mode })
  if (quorum < 1 || quorum > minSites || minSites > maxSites) revert('StudyRegistry_BadQuorum', { quorum, minSites })
  if (maxRounds === 0) revert('StudyRegistry_NoRounds')
  if (wordBits !== 32 && wordBits !== 64) revert('StudyRegistry_BadWordBits', { wordBits })
  if (slices === 0 || slices > minSites) revert('StudyRegistry_BadSlices', { slices, minSites })
  const least = activeSites + SLACK
  rules.limits.forEach((limit, i) => {
    if (i > 0 && (limit.seconds < least || limit.blocks < least))
      revert('StudyRegistry_LimitTooShort', { phase: PHASES[i] as string, seconds_: limit.seconds, blocks: limit.blocks, least })
  })
}
