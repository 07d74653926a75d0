import type { Play, Round } from '../play.ts'
import { announce } from './announce.ts'
import { noteFrozen } from './frozen.ts'
import { addFrozenSet } from './sum.ts'

/** Whoever's place it is adds the frozen set, puts the sum and publishes its root. A standby publishes the same bytes. */
export async function publish(play: Play, round: Round, signal: AbortSignal): Promise<void> {
  const { site } = play
  const { attempt } = round.view.round
  await noteFrozen(play, round)
  const sum = await addFrozenSet(play, round, signal)
  const { cid } = await site.store.put(sum.bytes, 'sum', sum.root, round.key, signal)
  await site.journal.append({ kind: 'published', run: round.run, round: round.round, attempt, root: sum.root, cid })
  const announced = announce(site, { kind: 'sum', run: round.run, round: round.round, attempt, root: sum.root, cid })
  await site.chain.publish(round.run, round.round, attempt, sum.root, cid)
  await announced
  site.tell({ kind: 'published', run: round.run, round: round.round, attempt, bytes: sum.bytes.length })
}
