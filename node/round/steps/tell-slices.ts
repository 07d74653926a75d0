import { nameOf } from '#base/errors.ts'
import { encodeSliceWord, type SliceWord } from '#wire/slice-word.ts'
import { slicesToTell } from '../custody.ts'
import type { Play, Round } from '../play.ts'
import { isRelieved } from '../relief.ts'
import { addUp } from './add-up.ts'
import { noteFrozen } from './frozen.ts'

/** Gossip may be lost, and a site may start late. */
const TELL_AGAIN_MS = 3_000

/** A custodian, or who stands in for one, adds its slices of a large sum up, keeps them for the others to fetch, and says what they are. */
export async function tellSlices(play: Play, round: Round, signal: AbortSignal): Promise<void> {
  const { site } = play
  await noteFrozen(play, round)
  const added = await addUp(play, round, ownSlices(play, round), signal)
  for (const [slice, { units, pieces }] of added)
    await say(play, { kind: 'slice', run: round.run, round: round.round, slice, included: round.view.round.included, units, pieces })
  play.told = { attempt: attemptOf(round), atMs: site.host.clock.nowMs() }
}

/** Slices that this site adds up for the others, unless they do that for it. */
export const ownSlices = (play: Play, round: Round): number[] => (isRelieved(play, round) ? [] : slicesToTell(round.layout, round.view.round, play.site.id))

/** Whether the others wait for this site's word: never of small sums, which everybody adds up. */
export function owesWord(play: Play, round: Round): boolean {
  if (ownSlices(play, round).length === 0) return false
  return play.told?.attempt !== attemptOf(round) || play.site.host.clock.nowMs() - play.told.atMs >= TELL_AGAIN_MS
}

const attemptOf = ({ round, view }: Round): string => `${round} ${view.round.included} ${view.round.attempt}`

async function say({ site }: Play, word: SliceWord): Promise<void> {
  try {
    await site.gossip.publish(encodeSliceWord(word))
  } catch (error) {
    site.host.log.warn('announce.failed', { run: word.run, round: word.round, reason: nameOf(error) })
  }
}
