import { EMPTY, sitesOf, withSite } from '#base/bitmap.ts'
import { isRotaError, nameOf, RotaError } from '#base/errors.ts'
import type { Bitmap, Digest, RoundNo, RunId, SiteId } from '#base/ids.ts'
import { malformed } from '#core/ring/decode.ts'
import type { VectorLayout } from '#core/ring/vectors.ts'
import type { EpochKey } from '#ports/model-store.ts'
import type { Site } from './site.ts'

/** One update as the chain names it. */
export interface NamedUpdate {
  readonly site: SiteId
  readonly root: Digest
  readonly cid: Digest
}

/**
 * The updates of one round that this site holds whole and well-formed. Fetching begins when the chain first names an
 * update, long before the sum is due; what cannot be had yet is tried again, what is no vector is not held.
 */
export interface Holdings {
  readonly run: RunId
  readonly round: RoundNo
  held(): Bitmap
  /** Starts to fetch what is not held yet. */
  want(updates: readonly NamedUpdate[]): void
  /** @throws ROTA-4xxx when it is gone again */
  bytesOf(update: NamedUpdate, signal: AbortSignal): Promise<Uint8Array>
  stop(): void
}

const RETRY_MS = 1_000
/** Plaintext of small updates stays in memory; a large one is read from disk again when it is added. */
const KEEP_BYTES = 1024 * 1024

export function createHoldings(site: Site, round: { run: RunId; round: RoundNo; layout: VectorLayout; key: EpochKey }, onHeld: () => void): Holdings {
  const stopped = new AbortController()
  const asked = new Set<SiteId>()
  const kept = new Map<SiteId, Uint8Array>()
  let held: Bitmap = EMPTY

  const read = (update: NamedUpdate, signal: AbortSignal): Promise<Uint8Array> =>
    site.store.get({ cid: update.cid, kind: 'update', root: update.root }, round.key, signal, [update.site])

  async function fetchUntilHeld(update: NamedUpdate): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        const bytes = await read(update, stopped.signal)
        const fault = malformed(bytes, round.layout)
        if (fault !== null) throw new RotaError('ROTA-5506', { site: update.site, why: fault })
        if (bytes.length <= KEEP_BYTES) kept.set(update.site, bytes)
        held = withSite(held, update.site)
        onHeld()
        return
      } catch (error) {
        if (stopped.signal.aborted) return
        if (!isRotaError(error)) site.host.log.error('update.fetch-failed', { run: round.run, round: round.round, site: update.site, reason: nameOf(error) })
        else if (error.reaction === 'reject') {
          site.host.log.warn('update.refused', { run: round.run, round: round.round, site: update.site, code: error.code })
          return
        }
        await site.host.clock.sleep(RETRY_MS, stopped.signal).catch(() => undefined)
      }
    }
  }

  return {
    run: round.run,
    round: round.round,
    held: () => held,
    want(updates) {
      for (const update of updates) {
        if (asked.has(update.site)) continue
        asked.add(update.site)
        void fetchUntilHeld(update)
      }
    },
    bytesOf: async (update, signal) => kept.get(update.site) ?? read(update, signal),
    stop: () => stopped.abort(),
  }
}

/** Members of `set` in the order of their ids: the order in which updates are added. */
export const updatesIn = (updates: ReadonlyMap<SiteId, NamedUpdate>, set: Bitmap): NamedUpdate[] =>
  sitesOf(set).flatMap((site) => {
    const update = updates.get(site)
    return update === undefined ? [] : [update]
  })
