import { has, sitesOf } from '#base/bitmap.ts'
import { isRotaError } from '#base/errors.ts'
import type { SiteId, StudyId } from '#base/ids.ts'
import { PHASES, type StudyRecord } from '#ports/chain.ts'
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
/** Others who might draw in place of a newcomer. */
const PLACES_BACK = 2
const TRY_MS = 5_000
/**
 * A bundle that nobody has given for this long is reported, and another member draws; sooner where rounds wait for less: each that opens before
 * comes to nothing.
 */
const REPORT_AFTER_MS = 20_000
const SOONEST_REPORT_MS = 8_000
/** Of what a round waits for contributions: then the next opens with a key. */
const SHARE_OF_LIMIT = 1 / 3

const reportAfterMs = ({ rules }: StudyRecord): number =>
  Math.max(SOONEST_REPORT_MS, Math.min(REPORT_AFTER_MS, 1000 * SHARE_OF_LIMIT * (rules.limits[PHASES.indexOf('Contributing')]?.seconds ?? 0)))

export function watchKeys(site: Site): KeyWatch {
  const due = new Map<StudyId, { key: string; sinceMs: number }>()
  const missing = new Map<StudyId, { epoch: number; sinceMs: number }>()

  async function drawInTurn(record: StudyRecord, study: Study, signal: AbortSignal): Promise<void> {
    const now = site.host.clock.nowMs()
    const key = `${record.approved} ${record.epoch.epoch} ${record.epoch.reported}`
    if (due.get(record.id)?.key !== key) due.set(record.id, { key, sinceMs: now })
    const waitedMs = now - (due.get(record.id)?.sinceMs ?? now)
    const places = rankOf(record, site.id, await lastDrawer(site, record)) + ((await isNewcomer(record, study)) ? PLACES_BACK : 0)
    if (waitedMs < REST_MS + RANK_MS * places) return
    try {
      await within(site, TRY_MS, signal, (limited) => study.keys.renew(record, limited))
    } catch (error) {
      signal.throwIfAborted()
      // The epoch before is out of reach, and its members changed before anybody could say so: nobody could ever draw the next.
      const lost = !record.epoch.reported && has(record.epoch.members, site.id) && waitedMs >= reportAfterMs(record)
      if (!lost) throw error
      await site.chain.reportEpoch(record.id, record.epoch.epoch).catch(ignoreLate)
    }
  }

  /** Who has none of the keys before could hand none on, and whoever joins later would get none of them either. */
  async function isNewcomer({ id, epoch }: StudyRecord, { keys }: Study): Promise<boolean> {
    return epoch.reported && !keys.holds() && !has((await site.chain.epoch(id, 0)).members, site.id)
  }

  async function hold(record: StudyRecord, study: Study, signal: AbortSignal): Promise<void> {
    const { epoch } = record.epoch
    if (study.keys.holds(epoch)) return void missing.delete(record.id)
    const now = site.host.clock.nowMs()
    try {
      await within(site, TRY_MS, signal, (limited) => study.keys.key(epoch, limited))
      missing.delete(record.id)
    } catch (error) {
      signal.throwIfAborted()
      if (missing.get(record.id)?.epoch !== epoch) missing.set(record.id, { epoch, sinceMs: now })
      if (now - (missing.get(record.id)?.sinceMs ?? now) < reportAfterMs(record)) throw error
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

/**
 * The publisher draws epoch 0, and the members after it the next ones in turn. Whoever drew the last one is the last to try, so that one who
 * withholds bundles does not draw twice in a row where others are down.
 */
export function rankOf({ epoch, approved, publisher }: StudyRecord, me: SiteId, last: SiteId | undefined): number {
  if (epoch.members === 0n) return publisher === me ? 0 : Number.POSITIVE_INFINITY
  const members = sitesOf(approved)
  const others = members.filter((site) => site !== last || members.length === 1)
  if (!others.includes(me)) return others.length
  const first = others.findIndex((site) => site > publisher)
  const place = others.indexOf(me) - Math.max(0, first) - epoch.epoch
  return ((place % others.length) + others.length) % others.length
}

async function lastDrawer({ chain }: Site, { id }: StudyRecord): Promise<SiteId | undefined> {
  const drawn = await chain.events(0, { kinds: ['EpochPublished'] })
  const last = drawn.findLast((e) => e.kind === 'EpochPublished' && e.study === id)
  return last?.kind === 'EpochPublished' ? last.site : undefined
}
