import type { Bitmap } from '#base/ids.ts'
import type { Play, Round } from '../play.ts'

/** A custodian says on chain which updates it holds whole and well-formed. From these bitmaps the chain freezes who is in. */
export async function witness(play: Play, round: Round): Promise<void> {
  const held = ((play.holdings?.held() ?? 0n) & round.view.round.contributed) as Bitmap
  await play.site.journal.append({ kind: 'witnessed', run: round.run, round: round.round, held })
  for (let slice = 0; slice < round.view.round.witnessed.length; slice++) await play.site.chain.witness(round.run, round.round, slice, held)
}
