import type { SiteId } from '#base/ids.ts'
import { slicesOf } from '#core/commit/slices.ts'
import { vectorBytes } from '#core/ring/layout.ts'
import type { SliceWord } from '#wire/slice-word.ts'
import { addersOf, allSlices, custodiansOf, cutOf, isSmall } from '../custody.ts'
import type { Play, Round } from '../play.ts'
import { sameWord } from '../words.ts'
import { ownSlices } from './tell-slices.ts'

/** What those who add up a slice, which this site does not, say of it. */
export type Agreement = { readonly word: SliceWord; readonly sites: readonly SiteId[] } | 'conflict' | 'incomplete'

/** Slices that others add up for this site. */
export function othersSlices(play: Play, round: Round): number[] {
  const mine = ownSlices(play, round)
  return isSmall(round.layout) ? [] : allSlices(round.layout, round.view.round).filter((slice) => !mine.includes(slice))
}

/** Enough to publish: all who add the slice up. An honest leader is not to be made a liar by two of them. */
export const agreedToPublish = (play: Play, round: Round, slice: number): Agreement => agreement(play, round, slice, addersOf(round.view.round, slice))

/**
 * Enough to attest: all who add the slice up but the publisher. Without this a publisher alone could pass a wrong sum of a model too large to be
 * added up by all, since those who add up a slice are few.
 */
export function agreedToAttest(play: Play, round: Round, slice: number): Agreement {
  const { publication } = round.view.round
  return agreement(
    play,
    round,
    slice,
    addersOf(round.view.round, slice).filter((site) => site !== publication?.publisher),
  )
}

/** Custodians who are not in the set may speak too: whoever contradicts is heard. */
function agreement(play: Play, round: Round, slice: number, asked: readonly SiteId[]): Agreement {
  const { rota } = round.view.round
  const speakers = [...custodiansOf(round.view.round, slice), ...addersOf(round.view.round, slice)]
  const cut = slicesOf(vectorBytes(round.layout), cutOf(round.layout, round.view.round))[slice]
  const heard = [...play.words.of(round.run, round.round, round.view.round.included, slice)].filter(
    ([site, word]) => rota.includes(site) && speakers.includes(site) && word.units.length === (cut?.endUnit ?? 0) - (cut?.firstUnit ?? 0),
  )
  const [first] = heard
  if (first === undefined) return 'incomplete'
  const [, word] = first
  if (heard.some(([, other]) => !sameWord(word, other))) return 'conflict'
  const sites = heard.map(([site]) => site)
  return asked.length > 0 && asked.every((site) => sites.includes(site)) ? { word, sites } : 'incomplete'
}
