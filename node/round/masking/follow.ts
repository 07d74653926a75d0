import { has, sitesOf } from '#base/bitmap.ts'
import { isRotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { type Advertisement, checkAdvertisement } from '#core/masking/advertisement.ts'
import type { ModelRef } from '#ports/chain.ts'
import type { Play, Round } from '../play.ts'
import type { Opener } from './deals.ts'
import { isMasked, isMember, keyFileOf, type MaskedRound, openMaskedRound } from './masked-round.ts'
import { ownKeys } from './secrets.ts'

/** Brings what this site knows of a masked round up to the chain and to what was said, and begins to fetch what it lacks. */
export async function followMasking(play: Play, round: Round): Promise<void> {
  if (!isMasked(play)) return
  const masked = await openMaskedRound(play, round.view)
  if (masked === null) return
  masked.keys ??= ownKeys(play.site, round.run, round.round)
  if (round.view.round.phase === 'Keying') openDeals(play, round, masked)
  else fetchKeyFiles(play, round, masked)
}

/** While keys are exchanged: deals as they are announced, of those whose offer is sound. */
function openDeals(play: Play, round: Round, masked: MaskedRound): void {
  const opener = openerOf(round, masked)
  if (opener === null) return
  const { deals } = play.mail.of(round.run, round.round)
  const sound = soundOffers(play, round, masked)
  for (const [dealer, named] of deals) if (sound.has(dealer)) masked.deals.open(opener, dealer, named)
  const own = dealtBefore(play, round)
  if (own !== null) masked.deals.open(opener, play.site.id, own)
}

/** Afterwards: what the chain names. A site that starts again opens its neighbours' deals from it. */
function fetchKeyFiles(play: Play, round: Round, masked: MaskedRound): void {
  for (const { site, dealDigest: root, dealCid: cid } of masked.keyed) if (isMember(masked, site)) masked.deals.fetchFile(round.key, site, { root, cid })
  const opener = openerOf(round, masked)
  if (opener === null || !has(masked.graph.sites, play.site.id)) return
  for (const dealer of [play.site.id, ...sitesOf(masked.graph.neighbours(play.site.id))]) {
    const file = keyFileOf(masked, dealer)
    if (file !== undefined && !masked.deals.opened.has(dealer)) masked.deals.open(opener, dealer, file)
  }
}

const openerOf = ({ run, round, key }: Round, { terms, keys }: MaskedRound): Opener | null => (keys === null ? null : { run, round, terms, keys, key })

/** This site's deal of the round, as its journal names it; null while there is none. */
export function dealtBefore({ site }: Play, { run, round }: Round): ModelRef | null {
  const entry = site.journal.entries().findLast((e) => e.kind === 'dealt' && e.run === run && e.round === round)
  return entry?.kind === 'dealt' ? { root: entry.root, cid: entry.cid } : null
}

const looked = new WeakMap<Advertisement, boolean>()

/** Keys of members that are theirs alone, fresh, and what they should be. Nothing is dealt to others, nor taken from them. */
export function soundOffers(play: Play, round: Round, masked: MaskedRound): ReadonlyMap<SiteId, Advertisement> {
  const { keys } = masked
  const { offers } = play.mail.of(round.run, round.round)
  const sound = new Map<SiteId, Advertisement>()
  for (const [site, offer] of offers)
    if (keys !== null && isMember(masked, site) && site !== play.site.id && isSound(play, round, site, offer, keys)) sound.set(site, offer)
  return sound
}

function isSound(play: Play, { run, round }: Round, site: SiteId, offer: Advertisement, keys: NonNullable<MaskedRound['keys']>): boolean {
  const known = looked.get(offer)
  if (known !== undefined) return known
  let sound = true
  try {
    checkAdvertisement(offer, site, play.mail.seenBefore(run, round, site, offer), keys, play.site.masking)
  } catch (error) {
    if (!isRotaError(error)) throw error
    play.site.host.log.warn('masking.refused', { site, run, round, code: error.code, what: error.message })
    sound = false
  }
  looked.set(offer, sound)
  return sound
}
