import { allSlices, isSmall } from '../custody.ts'
import { fromOwnTurn } from '../own-turn.ts'
import type { Play, Round } from '../play.ts'
import { frozenUpdates, smallSum } from './add-up.ts'
import type { GatheredSum } from './gather.ts'

/** All bytes of a sum that was gathered: slices added up here, and the others filled in from their pieces. @throws ROTA-4xxx */
export async function wholeSum(play: Play, round: Round, { ref, heard }: GatheredSum, signal: AbortSignal): Promise<Uint8Array> {
  if (isSmall(round.layout)) return (await smallSum(play, round, signal)).bytes
  const { updates, holdings } = frozenUpdates(play, round)
  const own = allSlices(round.layout, round.view.round).filter((slice) => !heard.has(slice))
  const bytes = await holdings.sum(updates, own, signal)
  await holdings.fill(ref, [...heard.keys()], (slice) => fromOwnTurn(heard.get(slice) ?? [], play.site.id), signal)
  return bytes
}
