import { toDigest } from '#base/bytes.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import type { Digest, RoundNo, RunId, SiteId } from '#base/ids.ts'
import type { MaskingRound } from '#core/masking/context.ts'
import { type DealIndex, parcelOf } from '#core/masking/deal.ts'
import { type OpenedDeal, openDeal } from '#core/masking/open-deal.ts'
import type { RoundKeys } from '#core/masking/round-keys.ts'
import type { EpochKey, ModelStore } from '#ports/model-store.ts'
import { type DealFile, decodeDealFile } from '#wire/masking/deal-file.ts'
import { decodeKeyFile, type KeyFile } from '#wire/masking/key-file.ts'
import { decodeParcel } from '#wire/masking/parcel.ts'
import type { Site } from '../site.ts'

/** What this site opens deals with. */
export interface Opener {
  readonly run: RunId
  readonly round: RoundNo
  readonly terms: MaskingRound
  readonly keys: RoundKeys
  /** Of the round's epoch. */
  readonly key: EpochKey
}

export interface Named {
  readonly root: Digest
  readonly cid: Digest
}

/**
 * The deals of one round that this site holds. Fetching goes on in the background; what cannot be had yet is tried again, a dealer's fault is refused. What is
 * neither, a fault of this site's own, is thrown by whichever of `open` and `fetchFile` is called next.
 */
export interface Deals {
  readonly opened: ReadonlyMap<SiteId, OpenedDeal>
  /** Of the deals that were opened. */
  readonly indexes: ReadonlyMap<SiteId, DealIndex>
  /** Dealers whose deal fails, or has nothing for this site. */
  readonly refused: ReadonlySet<SiteId>
  /** What the chain names by this root; undefined while it is not here, or is no key file. */
  keyFile(root: Digest): KeyFile | undefined
  /** @throws this site's own faults, once each */
  open(opener: Opener, dealer: SiteId, from: Named | DealFile): void
  /** @throws as open */
  fetchFile(key: EpochKey, site: SiteId, named: Named): void
  stop(): void
}

const RETRY_MS = 1_000

export function createDeals(site: Pick<Site, 'id' | 'store' | 'host' | 'masking' | 'sha256'>, onSettled: () => void): Deals {
  const stopped = new AbortController()
  const opened = new Map<SiteId, OpenedDeal>()
  const indexes = new Map<SiteId, DealIndex>()
  const refused = new Set<SiteId>()
  const files = new Map<Digest, KeyFile>()
  const asked = new Set<string>()
  let underWay = 0
  let ownFault: { readonly error: unknown } | null = null

  /** Those who wait are woken when nothing is under way any more: of a hundred deals not each wakes them. */
  async function untilDone(name: string, from: SiteId, attempt: () => Promise<void>, refuse: () => void): Promise<void> {
    if (asked.has(name)) return
    asked.add(name)
    underWay += 1
    try {
      while (!(await tryOnce(from, attempt, refuse))) await site.host.clock.sleep(RETRY_MS, stopped.signal).catch(() => undefined)
    } catch (error) {
      ownFault = { error }
      asked.delete(name)
    }
    underWay -= 1
    if (underWay === 0 && !stopped.signal.aborted) onSettled()
  }

  /** @returns whether there is nothing left to try. @throws what is not the dealer's fault */
  async function tryOnce(from: SiteId, attempt: () => Promise<void>, refuse: () => void): Promise<boolean> {
    try {
      await attempt()
      return true
    } catch (error) {
      if (stopped.signal.aborted) return true
      if (isRotaError(error) && error.reaction === 'retry') return false
      if (!isRotaError(error) || error.reaction !== 'reject') throw error
      site.host.log.warn('masking.refused', { site: from, reason: error.code })
      refuse()
      return true
    }
  }

  function throwOwnFault(): void {
    const fault = ownFault
    ownFault = null
    if (fault !== null) throw fault.error
  }

  async function openOne(opener: Opener, dealer: SiteId, from: Named | DealFile): Promise<void> {
    const { index, channelKey } = 'index' in from ? from : await fetchDeal(site.store, opener.key, dealer, from, stopped.signal)
    const named = index.dealer === dealer ? parcelOf(index, site.id) : undefined
    if (named === undefined) throw new RotaError('ROTA-2321', { site: dealer, reason: 'its deal has nothing for this site' })
    const parcel = decodeParcel(await site.store.getPlain(toDigest(named), stopped.signal, [dealer]))
    const offer = { maskKey: index.maskKey, channelKey, channelKem: new Uint8Array(0) }
    const { terms: round, keys } = opener
    // Its name in the store is what the index names, and the store has held its bytes against it.
    opened.set(dealer, openDeal({ round, site: site.id, keys, offer, index, parcel, parcelDigest: () => named, crypto: site.masking }))
    indexes.set(dealer, index)
  }

  return {
    opened,
    indexes,
    refused,
    keyFile: (root) => files.get(root),
    open(opener, dealer, from) {
      throwOwnFault()
      void untilDone(
        `deal ${dealer}`,
        dealer,
        () => openOne(opener, dealer, from),
        () => refused.add(dealer),
      )
    },
    fetchFile(key, from, named) {
      throwOwnFault()
      void untilDone(
        `file ${from} ${named.root}`,
        from,
        async () => {
          const file = decodeKeyFile(await site.store.get({ ...named, kind: 'masking' }, key, stopped.signal, [from]), site.sha256)
          if (file.index.dealer !== from) throw new RotaError('ROTA-2321', { site: from, reason: 'its key file is of another site' })
          files.set(named.root, file)
        },
        () => undefined,
      )
    },
    stop: () => stopped.abort(),
  }
}

export const fetchDeal = async (store: Pick<ModelStore, 'get'>, key: EpochKey, dealer: SiteId, named: Named, signal: AbortSignal): Promise<DealFile> =>
  decodeDealFile(await store.get({ ...named, kind: 'masking' }, key, signal, [dealer]))
