import { has } from '#base/bitmap.ts'
import { isRotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { type Advertisement, advertisementOf, checkAdvertisement } from '#core/masking/advertisement.ts'
import type { EpochKey } from '#ports/model-store.ts'
import type { Play } from '../play.ts'
import { type Dealing, isMember } from './dealing.ts'
import { sitesLeftOut } from './left-out.ts'

/** While keys are exchanged: what was dealt by those whose offer is sound. */
export function openDeals(play: Play, dealing: Dealing, epochKey: EpochKey): void {
  const { terms, keys, deals, own } = dealing
  if (keys === null) return
  const opener = { terms, keys, epochKey }
  const told = play.mail.of(dealing.run, dealing.round).deals
  for (const [dealer, offer] of soundOffers(play, dealing)) for (const file of told.get(dealer) ?? []) deals.open(opener, dealer, offer, file)
  if (own !== null) deals.open(opener, play.site.id, advertisementOf(keys), own)
}

const looked = new WeakMap<Advertisement, boolean>()

/** Keys of members that are theirs alone, fresh, and what they should be. Nothing is dealt to others, nor taken from them. */
export function soundOffers(play: Play, dealing: Dealing): ReadonlyMap<SiteId, Advertisement> {
  const { keys, run, round, ctx } = dealing
  const leftOut = sitesLeftOut(play)
  const sound = new Map<SiteId, Advertisement>()
  for (const [site, offer] of play.mail.of(run, round).offers.get(ctx) ?? [])
    if (keys !== null && isMember(dealing, site) && !has(leftOut, site) && site !== play.site.id && isSound(play, dealing, site, offer, keys))
      sound.set(site, offer)
  return sound
}

function isSound(play: Play, { run, round }: Dealing, site: SiteId, offer: Advertisement, keys: NonNullable<Dealing['keys']>): boolean {
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
