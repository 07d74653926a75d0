import { EMPTY, has, sitesOf, withSite } from '#base/bitmap.ts'
import { isRotaError, nameOf, RotaError } from '#base/errors.ts'
import type { Bitmap, Digest, RoundNo, RunId, SiteId } from '#base/ids.ts'
import { RingAdder } from '#core/ring/add.ts'
import { malformed } from '#core/ring/decode.ts'
import { vectorBytes } from '#core/ring/layout.ts'
import type { VectorLayout } from '#core/ring/vectors.ts'
import type { EpochKey } from '#ports/model-store.ts'
import type { Site } from './site.ts'
import { beyondNorm } from './steps/tolerance.ts'

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
  /** Starts to fetch what is not held yet. In the order of the chain: an update that repeats an earlier one is not held. */
  want(updates: readonly NamedUpdate[]): void
  /** This site's own update, just made: it need not be read back. */
  offer(root: Digest, bytes: Uint8Array): void
  /**
   * The sum of these, which must be all of the frozen set. What was held already is in it: large updates are added as they
   * arrive, while their plaintext is at hand, and nothing more joins once a sum was asked for.
   * @throws ROTA-4xxx when one is gone again
   */
  sum(updates: readonly NamedUpdate[], signal: AbortSignal): Promise<Uint8Array>
  stop(): void
}

const RETRY_MS = 1_000
/** Plaintext of small updates stays in memory; of large ones there is only their sum. */
const KEEP_BYTES = 1024 * 1024

export function createHoldings(site: Site, round: { run: RunId; round: RoundNo; layout: VectorLayout; key: EpochKey }, onHeld: () => void): Holdings {
  const stopped = new AbortController()
  const asked = new Set<SiteId>()
  /** Vectors begin with 32 random bytes: two sites with one root are one update, counted twice. */
  const firstWith = new Map<Digest, SiteId>()
  const kept = new Map<SiteId, Uint8Array>()
  const offered = new Map<Digest, Uint8Array>()
  const fresh = () => ({ adder: new RingAdder(round.layout.wordBits, vectorBytes(round.layout)), sites: EMPTY })
  let running: ReturnType<typeof fresh> | null = null
  let summing = false
  let held: Bitmap = EMPTY

  const read = (update: NamedUpdate, signal: AbortSignal): Promise<Uint8Array> =>
    site.store.get({ cid: update.cid, kind: 'update', root: update.root }, round.key, signal, [update.site])

  function keep(site: SiteId, bytes: Uint8Array): void {
    if (bytes.length <= KEEP_BYTES) kept.set(site, bytes)
    else if (!summing) addTo((running ??= fresh()), site, bytes)
  }

  async function sum(updates: readonly NamedUpdate[], signal: AbortSignal): Promise<Uint8Array> {
    summing = true
    const set = updates.reduce<Bitmap>((all, { site }) => withSite(all, site), EMPTY)
    const total = running !== null && (running.sites & ~set) === 0n ? running : fresh()
    running = null
    for (const update of updates) if (!has(total.sites, update.site)) addTo(total, update.site, kept.get(update.site) ?? (await read(update, signal)))
    return total.adder.sum.bytes
  }

  const refuse = (update: NamedUpdate, { code }: RotaError): void =>
    site.host.log.warn('update.refused', { run: round.run, round: round.round, site: update.site, code })

  async function fetchUntilHeld(update: NamedUpdate): Promise<void> {
    while (!stopped.signal.aborted) {
      try {
        const bytes = offered.get(update.root) ?? (await read(update, stopped.signal))
        const fault = malformed(bytes, round.layout) ?? beyondNorm(bytes, round.layout)
        if (fault !== null) throw new RotaError('ROTA-5506', { site: update.site, why: fault })
        offered.delete(update.root)
        keep(update.site, bytes)
        held = withSite(held, update.site)
        onHeld()
        return
      } catch (error) {
        if (stopped.signal.aborted) return
        if (!isRotaError(error)) site.host.log.error('update.fetch-failed', { run: round.run, round: round.round, site: update.site, reason: nameOf(error) })
        else if (error.reaction === 'reject') {
          refuse(update, error)
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
        const first = firstWith.get(update.root)
        if (first === undefined) firstWith.set(update.root, update.site)
        if (first === undefined) void fetchUntilHeld(update)
        else refuse(update, new RotaError('ROTA-5506', { site: update.site, why: `it repeats the update of site ${first}` }))
      }
    },
    offer: (root, bytes) => void offered.set(root, bytes),
    sum,
    stop: () => stopped.abort(),
  }
}

function addTo(total: { readonly adder: RingAdder; sites: Bitmap }, site: SiteId, bytes: Uint8Array): void {
  total.adder.add(bytes)
  total.sites = withSite(total.sites, site)
}

/** Members of `set` in the order of their ids: the order in which updates are added. */
export const updatesIn = (updates: ReadonlyMap<SiteId, NamedUpdate>, set: Bitmap): NamedUpdate[] =>
  sitesOf(set).flatMap((site) => {
    const update = updates.get(site)
    return update === undefined ? [] : [update]
  })
