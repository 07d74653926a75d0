import { nameOf } from '#base/errors.ts'
import { type Announce, encodeAnnounce, INLINE_LIMIT_BYTES } from '#wire/announce.ts'
import type { Site } from '../site.ts'

/** Tells the members that an object exists, and gives it along when it is small. Losing it never matters. */
export async function announce(site: Site, what: Omit<Announce, 'inline'>): Promise<void> {
  try {
    const sealed = await site.store.getSealed(what.cid, INLINE_LIMIT_BYTES)
    await site.gossip.publish(encodeAnnounce({ ...what, inline: sealed }))
  } catch (error) {
    site.host.log.warn('announce.failed', { run: what.run, round: what.round, reason: nameOf(error) })
  }
}
