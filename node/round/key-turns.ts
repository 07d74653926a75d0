import { has, sitesOf } from '#base/bitmap.ts'
import type { SiteId, StudyId } from '#base/ids.ts'
import type { StudyRecord } from '#ports/chain.ts'
import type { Site } from './site.ts'

/**
 * How many members try before this one to draw a study's next key. The publisher draws epoch 0. After it whoever drew longest ago is first, from the
 * publisher on where several never did: those who keep their keys back come round no more often than the others, and never more of them in a row than
 * there are. Who has the key before can hand it on, so newcomers are last, unless that key was reported.
 * @param drawers of the study's keys so far, the last one at the end
 */
export function rankOf({ epoch, approved, publisher }: StudyRecord, me: SiteId, drawers: readonly SiteId[]): number {
  if (epoch.members === 0n) return publisher === me ? 0 : Number.POSITIVE_INFINITY
  const members = sitesOf(approved)
  const afterPublisher = (site: SiteId): number => (site > publisher ? 0 : 1)
  const isNew = (site: SiteId): number => (epoch.reported || has(epoch.members, site) ? 0 : 1)
  const order = members.toSorted(
    (a, b) => isNew(a) - isNew(b) || drawers.lastIndexOf(a) - drawers.lastIndexOf(b) || afterPublisher(a) - afterPublisher(b) || a - b,
  )
  const place = order.indexOf(me)
  return place < 0 ? members.length : place
}

/** Who drew the keys of a study, by the log, in the order of their epochs. */
export async function drawersOf({ chain }: Pick<Site, 'chain'>, study: StudyId): Promise<readonly SiteId[]> {
  const drawn = await chain.events(0, { kinds: ['EpochPublished'] })
  return drawn.flatMap((e) => (e.kind === 'EpochPublished' && e.study === study ? [e.site] : []))
}
