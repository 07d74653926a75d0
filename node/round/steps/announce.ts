import { nameOf } from '#base/errors.ts'
import type { RoundNo, RunId } from '#base/ids.ts'
import { type Announce, encodeAnnounce, INLINE_LIMIT_BYTES } from '#wire/announce.ts'
import { encodeTogether } from '#wire/message.ts'
import type { Site } from '../site.ts'

/** Tells the members that an object exists, and gives it along when it is small. Losing it never matters. */
export async function announce(site: Site, what: Omit<Announce, 'inline'>, words: readonly Uint8Array[] = []): Promise<void> {
  await say(site, what, [await announcement(site, what), ...words])
}

export const announcement = async (site: Site, what: Omit<Announce, 'inline'>): Promise<Uint8Array> =>
  encodeAnnounce({ ...what, inline: await site.store.getSealed(what.cid, INLINE_LIMIT_BYTES) })

/** Several words that are due at one time are one message. @returns whether anybody took it */
export async function say(site: Site, { run, round }: { readonly run: RunId; readonly round: RoundNo }, words: readonly Uint8Array[]): Promise<boolean> {
  const [first, ...more] = words
  if (first === undefined) return false
  try {
    return (await site.gossip.publish(more.length === 0 ? first : encodeTogether(words))) > 0
  } catch (error) {
    site.host.log.warn('announce.failed', { run, round, reason: nameOf(error) })
    return false
  }
}
