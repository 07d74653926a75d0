import { bitmapOf, has, sitesOf, sizeOf } from '#base/bitmap.ts'
import { isRotaError } from '#base/errors.ts'
import { type Bitmap, roundNo } from '#base/ids.ts'
import { dealingRound } from '#core/masking/context.ts'
import type { StudyRules } from '#ports/chain.ts'
import { say } from '#round/steps/announce.ts'
import type { Play, Round } from '../play.ts'
import { dealOut } from './deal.ts'
import { type Dealing, dealtBefore, followOwn, isMember, NEVER, openDealing } from './dealing.ts'
import { sitesLeftOut } from './left-out.ts'
import type { MaskedRound } from './masked-round.ts'
import { dealWord, offerAhead } from './said.ts'
import { drawSecrets, wereDrawn } from './secrets.ts'
import { openDeals, soundOffers } from './sound.ts'

/**
 * Keys and shares of the next round, exchanged while this one goes on: it can be keyed in as soon as it opens. What they are bound to is foreseen: the
 * members are those that came to this round, the key is the same. A round that opens otherwise begins with keys of its own, and these are burnt.
 * Its model is not known yet; masks are bound to it later.
 */
export function lookAhead(play: Play, round: Round, masked: MaskedRound, rules: StudyRules, signal: AbortSignal): void {
  const { phase } = round.view.round
  if (phase === 'Keying' || round.view.state !== 'Active') return
  const next = roundNo(round.round + 1)
  const members = foreseen(round, rules)
  const known = play.ahead
  // Who contributes is not known before all have: until then the first guess stands.
  const isRight = known?.round === next && (phase === 'Contributing' || known.terms.members === members)
  if (!isRight) {
    known?.deals.stop()
    play.ahead = openDealing(play, round.run, dealingRound({ ...masked.given, round: next, members }, play.site.sha256))
  }
  if (play.ahead === null) return
  followOwn(play, play.ahead, round.key, signal)
  openDeals(play, play.ahead, round.key)
}

/** Whom the next round awaits, as the contract has it: who came, and who said that it is back; where these are too few, everybody. */
function foreseen({ view }: Round, { quorum }: StudyRules): Bitmap {
  const { phase, keyed, abstained, contributed, rota } = view.round
  const came = phase === 'Contributing' ? keyed & ~abstained : contributed
  const awaited = (bitmapOf(rota) & (came | view.ready)) as Bitmap
  return sizeOf(awaited) < quorum ? bitmapOf(rota) : awaited
}

/** Whether there is something to do for the next round while this one needs nothing of this site. */
export function isAheadDue(play: Play, { view }: Round): boolean {
  const { ahead, site } = play
  const { phase, contributed, awaited } = view.round
  if (ahead === null || ahead.isGivenUp || !isMember(ahead, site.id) || phase === 'Keying') return false
  const mayOffer = phase !== 'Contributing' || has(contributed, site.id) || !has(awaited, site.id)
  if (ahead.keys === null) return mayOffer && !wereDrawn(site, ahead)
  return phase !== 'Contributing' && dealtBefore(play, ahead) === null && isWhole(play)
}

function isWhole(play: Play): boolean {
  const { ahead, site } = play
  if (ahead === null) return false
  const offers = soundOffers(play, ahead)
  return sitesOf((ahead.terms.members & ~sitesLeftOut(play)) as Bitmap).every((each) => each === site.id || offers.has(each))
}

/** What fails is done in the round itself: nothing of this round waits for it. */
export async function prepare(play: Play, round: Round, signal: AbortSignal): Promise<void> {
  const { ahead, site } = play
  if (ahead === null) return
  try {
    await offerOrDeal(play, round, ahead, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (!isRotaError(error) || error.reaction === 'stop') throw error
    site.host.log.warn('masking.not-prepared', { run: ahead.run, round: ahead.round, code: error.code, what: error.message })
    ahead.isGivenUp = true
  }
}

/** Keys for the next round, or a deal for it. The deal is told with this round's shares where these are still to be shown. */
async function offerOrDeal(play: Play, round: Round, ahead: Dealing, signal: AbortSignal): Promise<void> {
  const { site, masked } = play
  if (ahead.keys === null) {
    await site.journal.append(drawSecrets(site, ahead))
    await say(site, ahead, offerAhead(play))
    return
  }
  await dealOut(play, round, ahead, signal)
  const { phase, contributed } = round.view.round
  const willShow = has(contributed, site.id) && (phase !== 'Attesting' || masked?.releasedMs === NEVER)
  if (!willShow) await say(site, ahead, dealWord(ahead))
}

/** With this round's shares. */
export const dealAhead = ({ ahead }: Play): Uint8Array[] => (ahead === null ? [] : dealWord(ahead))
