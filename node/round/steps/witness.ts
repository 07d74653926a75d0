import { EMPTY } from '#base/bitmap.ts'
import type { Bitmap } from '#base/ids.ts'
import { isMasked, isOpening } from '#round/masking/masked-round.ts'
import { soundContributors } from '#round/masking/work.ts'
import { isSmall } from '../custody.ts'
import type { Play, Round } from '../play.ts'

/** A custodian says on chain which updates it holds whole and well-formed, slice by slice. From these bitmaps the chain freezes who is in. */
export async function witness(play: Play, round: Round, slices: readonly number[]): Promise<void> {
  const { journal, chain } = play.site
  for (const slice of slices) {
    const held = heldOf(play, round, slice)
    await journal.append({ kind: 'witnessed', run: round.run, round: round.round, slice, held })
    await chain.witness(round.run, round.round, slice, held)
  }
}

/** Contributed updates of which this site holds the chain's slice: a small vector is one slice, whatever the study says. Of masked ones those whose masks can be taken off. Who only helps out says all or, late, what there is. */
export function heldOf(play: Play, round: Round, slice: number): Bitmap {
  const held = (play.holdings?.held(isSmall(round.layout) ? 0 : slice) ?? 0n) & round.view.round.contributed
  if (play.relief?.isPatient === true && held !== round.view.round.contributed) return EMPTY
  if (!isMasked(play)) return held as Bitmap
  const { masked } = play
  return masked !== null && isOpening(masked, round.view) && masked.isShown ? ((held & soundContributors(masked)) as Bitmap) : EMPTY
}
