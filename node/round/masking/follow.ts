import type { StudyRules } from '#ports/chain.ts'
import type { Play, Round } from '../play.ts'
import { lookAhead } from './ahead.ts'
import { followOwn, isMember } from './dealing.ts'
import { rootOf } from './deals.ts'
import { askForLost } from './lacking.ts'
import { noteLeftOut } from './left-out.ts'
import { isMasked, type MaskedRound, openMaskedRound } from './masked-round.ts'
import { keyedBefore } from './said.ts'
import { openShares, ownKeys } from './secrets.ts'
import { openDeals } from './sound.ts'

/** Sites say what they keyed with when they key, or else with their update; what was not said so soon after all have contributed is asked for. */
const SAID_WITHIN_MS = 250

/** Brings what this site knows of a masked round, and of the next, up to the chain and to what was said, and begins to fetch what it lacks. */
export async function followMasking(play: Play, round: Round, rules: StudyRules, signal: AbortSignal): Promise<void> {
  if (!isMasked(play)) return
  const masked = await openMaskedRound(play, round.view)
  if (masked === null) return
  await noteLeftOut(play, masked.round)
  masked.keys ??= ownKeys(play.site, masked)
  if (!masked.deals.opened.has(play.site.id)) restoreHeld(play, round, masked)
  if (round.view.round.phase === 'Keying') {
    followOwn(play, masked, round.key, signal)
    openDeals(play, masked)
  } else fetchKeyFiles(play, round, masked)
  askForLost(play, round, masked)
  lookAhead(play, round, masked, rules, signal)
}

/** A site that started again holds what it keyed with. */
function restoreHeld(play: Play, round: Round, masked: MaskedRound): void {
  const keyed = masked.keys === null ? null : keyedBefore(play, round)
  if (keyed !== null) masked.deals.restore(openShares(play.site, masked, keyed.shares, play.site.id))
}

/** Afterwards: what the chain names. */
function fetchKeyFiles(play: Play, round: Round, masked: MaskedRound): void {
  const { site, mail } = play
  const { keyFiles } = mail.of(round.run, round.round)
  const now = site.host.clock.nowMs()
  if (round.view.round.phase !== 'Contributing' && masked.contributedMs > now) masked.contributedMs = now
  const isLate = now - masked.contributedMs >= SAID_WITHIN_MS
  for (const { site: from, dealDigest: root, dealCid: cid } of masked.keyed) {
    const told = keyFiles.get(from) ?? []
    const isHere = from === site.id || told.some((each) => rootOf(each, site) === root)
    if (isMember(masked, from) && (isLate || isHere)) masked.deals.fetchFile(round.key, from, { root, cid }, told)
  }
}
