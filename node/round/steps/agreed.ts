import { has } from '#base/bitmap.ts'
import type { SiteId } from '#base/ids.ts'
import { slicesOf } from '#core/commit/slices.ts'
import { vectorBytes } from '#core/ring/layout.ts'
import type { SliceWord } from '#wire/slice-word.ts'
import { allSlices, custodiansOf, cutOf, slicesToAdd } from '../custody.ts'
import type { Play, Round } from '../play.ts'
import { sameWord } from '../words.ts'

/** What the custodians of a slice that this site does not add up itself say of it. */
export type Agreement = { readonly word: SliceWord; readonly sites: readonly SiteId[] } | 'conflict' | 'incomplete'

/** Of how many custodians a publisher wants the same word: what it publishes is checked by all others. */
const ENOUGH_TO_PUBLISH = 2

/** Slices that others add up for this site. */
export function othersSlices(play: Play, round: Round): number[] {
  const mine = slicesToAdd(round.layout, round.view.round, play.site.id)
  return allSlices(round.layout, round.view.round).filter((slice) => !mine.includes(slice))
}

/** Enough to publish: two custodians with the same word, and none with another. */
export function agreedToPublish(play: Play, round: Round, slice: number): Agreement {
  const custodians = custodiansOf(round.view.round, slice)
  return agreement(play, round, slice, (said) => said.length >= Math.min(ENOUGH_TO_PUBLISH, custodians.length))
}

/**
 * Enough to attest: every custodian of the frozen set but the publisher. Without this a publisher alone could pass a wrong sum of a model too
 * large to be added up by all, since the custodians are few.
 */
export function agreedToAttest(play: Play, round: Round, slice: number): Agreement {
  const { included, publication } = round.view.round
  const witnesses = custodiansOf(round.view.round, slice).filter((site) => has(included, site) && site !== publication?.publisher)
  return agreement(play, round, slice, (said) => witnesses.length > 0 && witnesses.every((site) => said.includes(site)))
}

function agreement(play: Play, round: Round, slice: number, enough: (said: readonly SiteId[]) => boolean): Agreement {
  const { rota } = round.view.round
  const custodians = custodiansOf(round.view.round, slice)
  const cut = slicesOf(vectorBytes(round.layout), cutOf(round.layout, round.view.round))[slice]
  const heard = [...play.words.of(round.run, round.round, round.view.round.included, slice)].filter(
    ([site, word]) => rota.includes(site) && custodians.includes(site) && word.units.length === (cut?.endUnit ?? 0) - (cut?.firstUnit ?? 0),
  )
  const [first] = heard
  if (first === undefined) return 'incomplete'
  const [, word] = first
  if (heard.some(([, other]) => !sameWord(word, other))) return 'conflict'
  const sites = heard.map(([site]) => site)
  return enough(sites) ? { word, sites } : 'incomplete'
}
