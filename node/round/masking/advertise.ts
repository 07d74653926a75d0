import { say } from '#round/steps/announce.ts'
import type { Play, Round } from '../play.ts'
import { maskedOf } from './masked-round.ts'
import { dealWord, offerOf } from './said.ts'
import { drawSecrets, ownKeys, wereDrawn } from './secrets.ts'
import { sitsOutAtOnce } from './sit-out.ts'

/**
 * Says which keys this site has for the round, and what it dealt, and both again while the others may wait for them. Where all was exchanged while the
 * round before went on, there is nothing to say.
 */
export async function advertise(play: Play, round: Round): Promise<void> {
  const { site } = play
  const masked = maskedOf(play, round)
  if (masked.keys === null) {
    if (await sitsOutAtOnce(play, round, masked)) return
    await site.journal.burn(round.run, round.round, ...(wereDrawn(site, masked) ? [] : [drawSecrets(site, masked)]))
    masked.keys = ownKeys(site, masked)
  }
  await say(site, round, masked.keys === null ? [] : [offerOf(play, masked), ...dealWord(masked)])
}
