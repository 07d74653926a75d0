import { has, sitesOf } from '#base/bitmap.ts'
import { isRotaError } from '#base/errors.ts'
import type { SiteId, StudyId } from '#base/ids.ts'
import type { StudyRecord } from '#ports/chain.ts'
import { isEpochDue } from './keyring.ts'
import type { Site } from './site.ts'
import type { Study } from './study.ts'
import { within } from './within.ts'

/** Sees to it that the members of a study share a key: draws the next epoch's when it is due, and reports one that cannot be had. */
export interface KeyWatch {
  look(record: StudyRecord, study: Study, signal: AbortSignal): Promise<void>
}

/** Approvals often come in a row: a key is drawn once the set has rested this long. */
const REST_MS = 700
/** Members try one after the other, by rank, so that they do not race; the first on chain counts. */
const RANK_MS = 2_000
const TRY_MS = 5_000
/** A bundle that nobody has given for this long is reported, and another member draws. */
const REPORT_AFTER_MS = 20_000

export function watchKeys(site: Site): KeyWatch {
  const due = new Map<StudyId, { key: string; sinceMs: number }>()
  const missing = new Map<StudyId, { epoch: number; sinceMs: number }>()

  async function drawInTurn(record: StudyRecord, study: Study, signal: AbortSignal): Promise<void> {
    const now = site.host.clock.nowMs()
    const key = `${record.approved} ${record.epoch.epoch} ${record.epoch.reported}`
    if (due.get(record.id)?.key !== key) due.set(record.id, { key, sinceMs: now })
    const waitedMs = now - (due.get(record.id)?.sinceMs ?? now)
    if (waitedMs < REST_MS + RANK_MS * rankOf(record, site.id)) return
    try {
      await within(site, TRY_MS, signal, (limited) => study.keys.renew(record, limited))
    } catch (error) {
      signal.throwIfAborted()
      // The epoch before is out of reach, and its members changed before anybody could say so: nobody could ever draw the next.
      const lost = !record.epoch.reported && has(record.epoch.members, site.id) && waitedMs >= REPORT_AFTER_MS
      if (!lost) throw error
      await site.chain.reportEpoch(record.id, record.epoch.epoch).catch(ignoreLate)
    }
  }

  async function hold(record: StudyRecord, study: Study, signal: AbortSignal): Promise<void> {
    const { epoch } = record.epoch
    const now = site.host.clock.nowMs()
    try {
      await within(site, TRY_MS, signal, (limited) => study.keys.key(epoch, limited))
      missing.delete(record.id)
    } catch (error) {
      signal.throwIfAborted()
      if (missing.get(record.id)?.epoch !== epoch) missing.set(record.id, { epoch, sinceMs: now })
      if (now - (missing.get(record.id)?.sinceMs ?? now) < REPORT_AFTER_MS) throw error
      await site.chain.reportEpoch(record.id, epoch).catch(ignoreLate)
    }
  }

  return {
    async look(record, study, signal) {
      if (isEpochDue(record)) await drawInTurn(record, study, signal)
      else if (has(record.epoch.members, site.id)) await hold(record, study, signal)
    },
  }
}

function ignoreLate(error: unknown): void {
  if (!isRotaError(error) || error.reaction !== 'ignore') throw error
}

/** The publisher draws epoch 0, and the members after it the next ones in turn, so that one who withholds bundles does not draw twice in a row. */
function rankOf({ epoch, approved, publisher }: StudyRecord, me: SiteId): number {
  if (epoch.members === 0n) return publisher === me ? 0 : Number.POSITIVE_INFINITY
  const members = sitesOf(approved)
  const first = members.findIndex((site) => site > publisher)
  const place = members.indexOf(me) - Math.max(0, first) - epoch.epoch
  return ((place % members.length) + members.length) % members.length
}
