import { sitesOf } from '#base/bitmap.ts'
import { heldIn } from '#core/masking/held-deals.ts'
import type { StudyRules } from '#ports/chain.ts'
import type { Play, Round } from '../play.ts'
import { lookAhead } from './ahead.ts'
import { followOwn, isMember } from './dealing.ts'
import { askForLost } from './lacking.ts'
import { noteLeftOut } from './left-out.ts'
import { isMasked, type MaskedRound, openMaskedRound } from './masked-round.ts'
import { keyedBefore } from './said.ts'
import { openShares, ownKeys } from './secrets.ts'
import { openDeals } from './sound.ts'

/** Brings what this site knows of a masked round, and of the next, up to the chain and to what was said, and begins to fetch what it lacks. */
export async function followMasking(play: Play, round: Round, rules: StudyRules, signal: AbortSignal): Promise<void> {
  if (!isMasked(play)) return
  const masked = await openMaskedRound(play, round.view)
  if (masked === null) return
  await noteLeftOut(play, masked.round)
  masked.keys ??= ownKeys(play.site, masked)
  restoreHeld(play, masked)
  if (round.view.round.phase === 'Keying') {
    followOwn(play, masked, round.key, signal)
    openDeals(play, masked, round.key)
  } else fetchNamed(play, round, masked)
  askForLost(play, round, masked)
  lookAhead(play, round, masked, rules, signal)
}

/** A site that started again holds what it keyed with: as the chain has it, where it has it already. */
function restoreHeld(play: Play, masked: MaskedRound): void {
  const keyed = masked.keys === null ? null : keyedBefore(play, masked)
  if (keyed === null || keyed.heldDeals === masked.restored) return
  masked.restored = keyed.heldDeals
  masked.deals.restore(openShares(play.site, masked, keyed.shares, play.site.id), heldIn({ site: play.site.id, holds: keyed.held, heldDeals: keyed.heldDeals }))
}

/** Afterwards: the deals that the chain names, also of sites that this one shares no mask with. */
function fetchNamed({ site, mail }: Play, { key, run, round }: Round, masked: MaskedRound): void {
  const { deals } = mail.of(run, round)
  for (const { site: dealer, dealDigest: root, dealCid: cid } of masked.keyed) {
    const others = sitesOf(masked.graph.holders(dealer)).filter((each) => each !== site.id && each !== dealer)
    const shown = masked.justified.get(dealer)?.file
    const told = [...(shown === undefined ? [] : [shown]), ...(deals.get(dealer) ?? [])]
    if (isMember(masked, dealer)) masked.deals.fetchFile(key, dealer, { root, cid }, { told, holders: [dealer, ...others] })
  }
}
