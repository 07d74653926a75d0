import { EMPTY, has, sitesOf } from '#base/bitmap.ts'
import type { SiteId } from '#base/ids.ts'
import { heldBy } from '#core/masking/graph.ts'
import type { LackedKind } from '#wire/masking/lacking.ts'
import type { Play, Round } from '../play.ts'
import type { LackedOf } from './asking.ts'
import { type Dealing, isMember, NEVER } from './dealing.ts'
import { isBoundTo } from './deals.ts'
import type { MaskedRound } from './masked-round.ts'

/** Asks for what this site needs of the others to go on in the round, and lost. */
export function askForLost(play: Play, round: Round, masked: MaskedRound): void {
  masked.asking.follow(sitesOf(masked.terms.members), lackedIn(play, round, masked))
}

const NOTHING: LackedOf = () => []

function lackedIn(play: Play, { view: { state, round } }: Round, masked: MaskedRound): LackedOf {
  const me = play.site.id
  if (state !== 'Active' || !isMember(masked, me)) return NOTHING
  if (round.phase === 'Keying' && masked.keys !== null && !has(round.keyed, me) && !has(round.abstained, me))
    return (author) => (author === me || has(round.abstained, author) ? [] : lackedToKey(play, masked, author))
  if (round.phase === 'Attesting' && masked.releasedMs !== NEVER && has(round.included, me) && !has(round.attested, me))
    return (author) => (author === me || heldBy(masked.graph, author) === EMPTY || isShown(play, masked, author, round.included) ? [] : ['release'])
  return NOTHING
}

/** Whoever has dealt waits for the deals of all that offered keys. */
function lackedToKey({ mail }: Play, { run, round, ctx, deals, own }: Dealing, author: SiteId): LackedKind[] {
  const said = mail.of(run, round)
  if (said.offers.get(ctx)?.has(author) !== true) return ['key-offer', 'deal']
  const isSettled = deals.opened.has(author) || deals.refused.has(author)
  return own === null || isSettled || (said.deals.get(author) ?? []).some((file) => isBoundTo(file, ctx)) ? [] : ['deal']
}

const isShown = ({ mail }: Play, { run, round }: Dealing, author: SiteId, included: MaskedRound['among']): boolean =>
  mail.of(run, round).releases.get(author)?.survivors === included
