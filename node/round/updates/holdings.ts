import { EMPTY, sitesOf, without, withSite } from '#base/bitmap.ts'
import { isRotaError, nameOf, RotaError } from '#base/errors.ts'
import type { Bitmap, Digest, SiteId } from '#base/ids.ts'
import { isSmall } from '../custody.ts'
import type { Site } from '../site.ts'
import { triedAgain } from '../tried-again.ts'
import type { Adding, AddingRound, NamedUpdate } from './adding.ts'
import { addInSlices } from './in-slices.ts'
import { keepWhole } from './whole.ts'

/**
 * The updates of one round that this site holds whole and well-formed, slice by slice. Fetching begins when the chain first names an
 * update, long before the sum is due; what cannot be had yet is tried again, what is no vector is not held.
 */
export interface Holdings extends Pick<Adding, 'sum' | 'fill' | 'release'> {
  readonly round: AddingRound
  held(slice: number): Bitmap
  /** Starts to fetch slices that are not held yet. In the order of the chain: an update that repeats an earlier one is not held. */
  want(updates: readonly NamedUpdate[], slices: readonly number[]): void
  /** This site's own update, just made: it need not be read back. */
  offer(root: Digest, bytes: Uint8Array): void
  stop(): void
}

export function createHoldings(site: Pick<Site, 'store' | 'host'>, round: AddingRound, onHeld: () => void): Holdings {
  const stopped = new AbortController()
  const adding = isSmall(round.layout) ? keepWhole(site.store, round) : addInSlices(site.store, round)
  const asked = new Map<SiteId, Set<number>>()
  /** Vectors begin with 32 random bytes: two sites with one root are one update, counted twice. */
  const firstWith = new Map<Digest, SiteId>()
  const offered = new Map<Digest, Uint8Array>()
  const held = new Map<number, Bitmap>()
  const { run, round: no } = round

  const refuse = (update: NamedUpdate, { code }: RotaError): void => site.host.log.warn('update.refused', { run, round: no, site: update.site, code })

  /** @returns whether there is nothing left to try */
  async function tryToHold(update: NamedUpdate, slices: readonly number[]): Promise<boolean> {
    try {
      await adding.take(update, slices, offered.get(update.root), stopped.signal)
      offered.delete(update.root)
      for (const slice of slices) held.set(slice, withSite(held.get(slice) ?? EMPTY, update.site))
      onHeld()
      return true
    } catch (error) {
      if (stopped.signal.aborted) return true
      if (!isRotaError(error)) site.host.log.error('update.fetch-failed', { run, round: no, site: update.site, reason: nameOf(error) })
      else if (error.reaction === 'reject') {
        for (const [slice, sites] of held) held.set(slice, without(sites, update.site))
        refuse(update, error)
        return true
      }
      return false
    }
  }

  return {
    round,
    held: (slice) => held.get(slice) ?? EMPTY,
    want(updates, slices) {
      for (const update of updates) {
        const known = asked.get(update.site) ?? new Set()
        const fresh = slices.filter((slice) => !known.has(slice))
        if (fresh.length === 0) continue
        asked.set(update.site, new Set([...known, ...fresh]))
        const first = firstWith.get(update.root) ?? update.site
        firstWith.set(update.root, first)
        if (first === update.site) void triedAgain(site.host, stopped.signal, () => tryToHold(update, fresh))
        else refuse(update, new RotaError('ROTA-5506', { site: update.site, why: `it repeats the update of site ${first}` }))
      }
    },
    offer: (root, bytes) => void offered.set(root, bytes),
    sum: adding.sum,
    fill: adding.fill,
    release: adding.release,
    stop: () => stopped.abort(),
  }
}

const chosen = new WeakMap<ReadonlyMap<SiteId, NamedUpdate>, { readonly set: Bitmap; readonly list: readonly NamedUpdate[] }>()

/** Members of `set` in the order of their ids: the order in which updates are added. Looked up once for all simulated sites. */
export function updatesIn(updates: ReadonlyMap<SiteId, NamedUpdate>, set: Bitmap): readonly NamedUpdate[] {
  const known = chosen.get(updates)
  if (known?.set === set) return known.list
  const list = sitesOf(set).flatMap((site) => updates.get(site) ?? [])
  chosen.set(updates, { set, list })
  return list
}
