import { vectorBytes } from '#core/ring/layout.ts'
import type { Play, Round } from '../play.ts'
import { agreedToPublish } from './agreed.ts'
import { announce } from './announce.ts'
import { noteFrozen } from './frozen.ts'
import { gatherSum } from './gather.ts'

/** Whoever's place it is puts the frozen set's sum together and publishes its root. A standby publishes the same bytes. */
export async function publish(play: Play, round: Round, signal: AbortSignal): Promise<void> {
  const { site } = play
  const { attempt } = round.view.round
  await noteFrozen(play, round)
  const { ref } = await gatherSum(play, round, agreedToPublish, [], signal)
  const { root, cid } = ref
  await site.journal.append({ kind: 'published', run: round.run, round: round.round, attempt, root, cid })
  const announced = announce(site, { kind: 'sum', run: round.run, round: round.round, attempt, root, cid })
  await site.chain.publish(round.run, round.round, attempt, root, cid)
  await announced
  site.tell({ kind: 'published', run: round.run, round: round.round, attempt, bytes: vectorBytes(round.layout) })
}
