import { nameOf } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { encodeWish } from '#wire/wish.ts'
import type { WishWork } from '../next.ts'
import type { Play, Round } from '../play.ts'
import { restsPatients } from '../study.ts'
import { isWish, sealWish, WISH_EVERY_MS } from '../wishes.ts'

/** What a play remembers of wishes: when this site last spoke, and since when it knows of whose. */
export interface WishMemory {
  said: { readonly round: number; readonly atMs: number } | null
  readonly since: Map<SiteId, number>
}

export const noWishes = (): WishMemory => ({ said: null, since: new Map() })

/**
 * Says to the members whether this site wishes the run to be halted, since its patients changed: whoever leads then halts it, and the chain does not
 * show for whom. Said again and again: a message that is lost costs a moment.
 */
export async function wish(play: Play, round: Round): Promise<void> {
  const { site, run, wishes } = play
  // Looked at now: a round's first word is said just before its contribution.
  const asks = await play.cohortWatch.changed(play, 0)
  const at = { run, round: round.round }
  wishes.said = { round: round.round, atMs: site.host.clock.nowMs() }
  if (asks && !wishes.since.has(site.id)) {
    wishes.since.set(site.id, wishes.said.atMs)
    site.host.log.info('wish.said', at)
  }
  const sealed = sealWish(site, round, { ...at, site: site.id, wishes: asks })
  await site.gossip.publish(encodeWish({ kind: 'wish', ...at, sealed })).catch((error) => site.host.log.warn('wish.failed', { ...at, reason: nameOf(error) }))
}

/** What there is to say and to do about wishes; null in studies without them. */
export function wishWork(play: Play, round: Round): WishWork | null {
  if (!restsPatients(play.study)) return null
  const { wishes, site } = play
  listen(play, round)
  const now = site.host.clock.nowMs()
  const { said, since } = wishes
  return {
    due: said === null || said.round !== round.round || now - said.atMs >= WISH_EVERY_MS,
    own: since.has(site.id),
    knownMs: since.size === 0 ? null : now - Math.min(...since.values()),
  }
}

/** Members may complain of wishes that come too often: they see whose they are. */
function listen({ site, run, said, wishes }: Play, round: Round): void {
  for (const [from, sealed] of said.wishes.of(run, round.round)) {
    if (wishes.since.has(from) || !round.view.round.rota.includes(from)) continue
    if (!isWish(site, round, sealed, { run, round: round.round, site: from })) continue
    wishes.since.set(from, site.host.clock.nowMs())
    const timesToday = said.wishes.count(from, run)
    site.host.log[timesToday > 1 ? 'warn' : 'info']('wish.heard', { run, round: round.round, site: from, count: timesToday })
    site.tell({ kind: 'wish', run, round: round.round, site: from, timesToday })
  }
}
