import { nameOf } from '#base/errors.ts'
import { attemptNo } from '#base/ids.ts'
import { advertisementOf } from '#core/masking/advertisement.ts'
import { announce } from '#round/steps/announce.ts'
import { abstain } from '#round/steps/contribute.ts'
import { encodeKeyOffer } from '#wire/masking/key-offer.ts'
import type { Play, Round } from '../play.ts'
import { dealtBefore } from './follow.ts'
import { maskedOf } from './masked-round.ts'
import { drawKeys, ownKeys } from './secrets.ts'
import { foreseenRefusal } from './sit-out.ts'

/**
 * Says which keys this site has for the round, and again while the others may wait for them; what it dealt too. A site that could not contribute
 * anyway says so now: whoever keys and then drops out has to be unmasked by the others.
 */
export async function advertise(play: Play, round: Round): Promise<void> {
  const { site } = play
  const masked = maskedOf(play, round)
  if (masked.keys === null) {
    const refusal = await foreseenRefusal(play)
    if (refusal !== null) return abstain(play, round, refusal.reason, refusal.detail)
    await drawKeys(site, round.run, round.round)
    masked.keys = ownKeys(site, round.run, round.round)
  }
  if (masked.keys === null) return
  masked.offeredMs = site.host.clock.nowMs()
  await say(play, round, encodeKeyOffer({ run: round.run, round: round.round, offer: advertisementOf(masked.keys) }))
  await tellDeal(play, round)
}

/** Others find out from it what this site has for them. */
export async function tellDeal(play: Play, round: Round): Promise<void> {
  const dealt = dealtBefore(play, round)
  if (dealt !== null) await announce(play.site, { kind: 'deal', run: round.run, round: round.round, attempt: attemptNo(0), ...dealt })
}

export async function say({ site }: Play, { run, round }: Round, message: Uint8Array): Promise<void> {
  try {
    await site.gossip.publish(message)
  } catch (error) {
    site.host.log.warn('announce.failed', { run, round, reason: nameOf(error) })
  }
}
