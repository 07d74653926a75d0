import { bitmapOf, has } from '#base/bitmap.ts'
import type { SiteId } from '#base/ids.ts'
import { type HeldName, heldDealsOf, hidePair } from '#core/masking/held-deals.ts'
import type { OpenedDeal } from '#core/masking/open-deal.ts'
import type { JournalEntry } from '#ports/journal.ts'
import type { Play, Round } from '../play.ts'
import { dealtBefore } from './dealing.ts'
import { type HeldDeal, nameOf } from './deals.ts'
import { sitesLeftOut } from './left-out.ts'
import { type MaskedRound, maskedOf } from './masked-round.ts'
import { keyedBefore } from './said.ts'
import { sealShares } from './secrets.ts'
import { sitsOutAtOnce } from './sit-out.ts'

type Keyed = Extract<JournalEntry, { kind: 'keyed' }>

/**
 * Says on chain whose deals this site holds, and which, and hides there what those below it share with it: should it drop out, that can be shown with its seed. With
 * whom it masks follows from that; from now on it is bound to its own.
 */
export async function key(play: Play, round: Round): Promise<void> {
  const { site } = play
  const masked = maskedOf(play, round)
  const own = masked.deals.files.get(site.id)
  const dealt = dealtBefore(play, masked)
  if (masked.keys === null || own === undefined || dealt === null || (await sitsOutAtOnce(play, round, masked))) return
  const opened = heldOf(play, masked)
  const held = bitmapOf([...opened.keys()].filter((dealer) => dealer !== site.id))
  const heldDeals = heldDealsOf(held, (dealer) => heldFrom(play, masked, dealer))
  const shares = sealShares(site, masked, opened)
  const entry: Keyed = { kind: 'keyed', run: round.run, round: round.round, ctx: masked.ctx, ...dealt, held, heldDeals, shares }
  await site.journal.append(entry)
  await send(play, entry)
}

/** Whoever is out of the run is not masked with, whatever it deals. */
function heldOf(play: Play, { deals }: MaskedRound): ReadonlyMap<SiteId, OpenedDeal> {
  const leftOut = sitesLeftOut(play)
  return new Map([...deals.opened].filter(([dealer]) => deals.files.has(dealer) && !has(leftOut, dealer)))
}

function heldFrom({ site }: Play, { deals, terms, keys }: MaskedRound, dealer: SiteId): HeldName {
  const { named } = deals.files.get(dealer) as HeldDeal
  const secret = dealer < site.id ? deals.opened.get(dealer)?.pairSecret : undefined
  const hidden = secret && keys ? hidePair(terms, dealer, site.id, secret, keys.seeds.mask, site.masking) : null
  return { name: nameOf(named, site), hidden }
}

/** What the journal says, sent again. */
export async function keyAgain(play: Play, round: Round): Promise<void> {
  const entry = keyedBefore(play, maskedOf(play, round))
  if (entry !== null) await send(play, entry)
}

const send = ({ site }: Play, { run, round, root, cid, held, heldDeals }: Keyed): Promise<void> => site.chain.key(run, round, root, cid, held, heldDeals)
