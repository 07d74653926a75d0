import { isRotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { type Outline, outlineFrom } from '#core/commit/outline.ts'
import { vectorBytes } from '#core/ring/layout.ts'
import type { ObjectRef } from '#ports/model-store.ts'
import { allSlices } from '../custody.ts'
import type { Play, Round } from '../play.ts'
import { addUp, type SummedSlice } from './add-up.ts'
import { type Agreement, othersSlices } from './agreed.ts'

/** The sum of the frozen set as this site knows it to be, whether or not it holds all of its bytes. */
export interface GatheredSum {
  readonly outline: Outline
  readonly ref: ObjectRef
  /** Slices that this site took custodians' word for, and who gave it. */
  readonly heard: ReadonlyMap<number, readonly SiteId[]>
}

/**
 * Puts the sum together: the slices that this site adds up, those that custodians agree on, and, where they do not or are silent, those it then
 * adds up too. Small sums are one slice, which everybody adds up.
 * @param doubted slices to be added up here whatever was said of them
 * @throws as `addUp`
 */
export async function gatherSum(
  play: Play,
  round: Round,
  agreed: (play: Play, round: Round, slice: number) => Agreement,
  doubted: readonly number[],
  signal: AbortSignal,
): Promise<GatheredSum> {
  const heard = new Map<number, readonly SiteId[]>()
  const told = new Map<number, SummedSlice>()
  for (const slice of othersSlices(play, round)) {
    const agreement = doubted.includes(slice) ? 'conflict' : agreed(play, round, slice)
    if (typeof agreement === 'string') continue
    heard.set(slice, agreement.sites)
    told.set(slice, agreement.word)
  }
  const mine = allSlices(round.layout, round.view.round).filter((slice) => !told.has(slice))
  const added = await addUp(play, round, mine, signal)
  const slices = allSlices(round.layout, round.view.round).map((slice) => (told.get(slice) ?? added.get(slice)) as SummedSlice)
  const outline = outlineFrom(
    vectorBytes(round.layout),
    slices.flatMap(({ units }) => units),
    play.site.sha256,
  )
  try {
    return { outline, heard, ref: await play.site.store.join(slices, outline, 'sum', round.key, signal) }
  } catch (error) {
    if (heard.size === 0 || !isRotaError(error, 'ROTA-4016')) throw error
    // Custodians who agree on pieces that no such slice has.
    return gatherSum(play, round, agreed, [...heard.keys()], signal)
  }
}

/** Whether every slice that others add up is settled, one way or the other: agreed on, or to be added up here since they differ. */
export const isSettled = (play: Play, round: Round, agreed: (play: Play, round: Round, slice: number) => Agreement): boolean =>
  othersSlices(play, round).every((slice) => agreed(play, round, slice) !== 'incomplete')
