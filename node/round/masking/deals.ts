import { sitesOf } from '#base/bitmap.ts'
import { equalBytes, toDigest } from '#base/bytes.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import type { Advertisement } from '#core/masking/advertisement.ts'
import type { DealingRound } from '#core/masking/context.ts'
import { parcelOf } from '#core/masking/deal.ts'
import { type HeldName, nameOfDeal } from '#core/masking/held-deals.ts'
import { type OpenedDeal, openDeal } from '#core/masking/open-deal.ts'
import type { RoundKeys } from '#core/masking/round-keys.ts'
import type { ModelRef } from '#ports/chain.ts'
import type { EpochKey } from '#ports/model-store.ts'
import { type DealFile, decodeDealFile } from '#wire/masking/deal-file.ts'
import { decodeParcel } from '#wire/masking/parcel.ts'
import type { Site } from '../site.ts'
import { triedAgain } from '../tried-again.ts'

/** What this site opens deals with. */
export interface Opener {
  readonly terms: DealingRound
  readonly keys: RoundKeys
  /** Under which members keep deals. */
  readonly epochKey: EpochKey
}

/** A deal that was opened, and what the chain names it once its dealer keys: it lies in this site's store. */
export interface HeldDeal {
  readonly file: DealFile
  readonly named: ModelRef
}

/**
 * The deals of one round that this site holds. Fetching goes on in the background; what cannot be had yet is tried again, a dealer's fault is refused. What is
 * neither, a fault of this site's own, is thrown by whichever of `open` and `fetchFile` is called next.
 */
export interface Deals {
  readonly opened: ReadonlyMap<SiteId, OpenedDeal>
  /** Of the deals that were opened; a site that started again may be without. */
  readonly files: ReadonlyMap<SiteId, HeldDeal>
  /** Dealers whose deal fails, or has nothing for this site. */
  readonly refused: ReadonlySet<SiteId>
  /** The deal that the chain names; undefined while it is not here, or is none of this dealer. */
  fileOf(dealer: SiteId, root: Digest): DealFile | undefined
  /**
   * A deal that is bound to something else is not this round's, and says nothing about its dealer.
   * @param offer what the dealer offered: a deal of other keys fails
   * @throws this site's own faults, once each
   */
  open(opener: Opener, dealer: SiteId, offer: Advertisement, file: Uint8Array): void
  /** As the journal has them: what the site keyed with, whatever was opened since. */
  restore(opened: readonly OpenedDeal[], named: ReadonlyMap<SiteId, HeldName>): void
  /** What a site keyed with, where it is not here: out of what it told, or else from those who said that they hold it. @throws as open */
  fetchFile(key: EpochKey, dealer: SiteId, named: ModelRef, from: { readonly told: readonly Uint8Array[]; readonly holders: readonly SiteId[] }): void
  stop(): void
  /** Aborts when it is stopped. */
  readonly ended: AbortSignal
}

export function createDeals(site: Pick<Site, 'id' | 'store' | 'host' | 'masking' | 'sha256'>, onSettled: () => void): Deals {
  const stopped = new AbortController()
  const opened = new Map<SiteId, OpenedDeal>()
  const files = new Map<SiteId, HeldDeal>()
  const refused = new Set<SiteId>()
  const fetched = new Map<Digest, DealFile>()
  const asked = new Set<string | Uint8Array>()
  let underWay = 0
  let ownFault: { readonly error: unknown } | null = null

  /** Those who wait are woken when nothing is under way any more: of a hundred deals not each wakes them. */
  async function untilDone(what: string | Uint8Array, from: SiteId, attempt: () => Promise<void>, refuse: (error: unknown) => void): Promise<void> {
    if (asked.has(what)) return
    asked.add(what)
    underWay += 1
    try {
      await triedAgain(site.host, stopped.signal, () => tryOnce(from, attempt, refuse))
    } catch (error) {
      ownFault = { error }
      asked.delete(what)
    }
    underWay -= 1
    if (underWay === 0 && !stopped.signal.aborted) onSettled()
  }

  /** @returns whether there is nothing left to try. @throws what is not the dealer's fault */
  async function tryOnce(from: SiteId, attempt: () => Promise<void>, refuse: (error: unknown) => void): Promise<boolean> {
    try {
      await attempt()
      return true
    } catch (error) {
      if (stopped.signal.aborted) return true
      if (isRotaError(error) && error.reaction === 'retry') return false
      if (!isRotaError(error) || error.reaction !== 'reject') throw error
      site.host.log.warn('masking.refused', { site: from, reason: error.code })
      refuse(error)
      return true
    }
  }

  function throwOwnFault(): void {
    const fault = ownFault
    ownFault = null
    if (fault !== null) throw fault.error
  }

  async function openOne({ terms: round, keys, epochKey }: Opener, dealer: SiteId, offer: Advertisement, bytes: Uint8Array): Promise<void> {
    const file = decoded(bytes)
    const { index } = file
    if (!equalBytes(index.ctx, round.ctx)) throw new RotaError('ROTA-2323', { what: 'deal', site: dealer })
    const found = index.dealer === dealer ? await parcelFor(site, file, site.id, stopped.signal) : undefined
    if (found === undefined) throw new RotaError('ROTA-2321', { site: dealer, reason: 'its deal has nothing for this site' })
    const parcel = decodeParcel(found.bytes)
    const deal = openDeal({ round, site: site.id, keys, offer, index, parcel, parcelDigest: () => found.digest, crypto: site.masking })
    // All who hold a deal can be asked for it, should its dealer be gone; and so this site knows by what CID the chain has to name it.
    const { root, cid } = await site.store.put(bytes, outlineOf(bytes, site.sha256), 'masking', epochKey, stopped.signal)
    // The first that opens counts: shares of another, dealt later, would look like this site's fault.
    if (opened.has(dealer)) return
    opened.set(dealer, deal)
    files.set(dealer, { file, named: { root, cid } })
  }

  const fileOf = (dealer: SiteId, root: Digest): DealFile | undefined => {
    const held = files.get(dealer)
    const file = held?.named.root === root ? held.file : fetched.get(root)
    return file?.index.dealer === dealer ? file : undefined
  }

  return {
    opened,
    files,
    refused,
    fileOf,
    open(opener, dealer, offer, file) {
      throwOwnFault()
      void untilDone(
        file,
        dealer,
        () => openOne(opener, dealer, offer, file),
        (error) => void (isRotaError(error, 'ROTA-2323') || opened.has(dealer) || refused.add(dealer)),
      )
    },
    restore(held, named) {
      for (const deal of held) {
        const { dealer } = deal
        opened.set(dealer, deal)
        const file = files.get(dealer)
        const isOther = file !== undefined && dealer !== site.id && nameOf(file.named, site) !== named.get(dealer)?.name
        if (isOther) files.delete(dealer)
      }
    },
    fetchFile(key, dealer, named, { told, holders }) {
      throwOwnFault()
      if (fileOf(dealer, named.root) !== undefined) return
      void untilDone(
        `file ${dealer} ${named.root}`,
        dealer,
        async () => {
          // The root does not tell how many zeros are behind an object: what is no deal is another.
          const bytes = told.find((each) => rootOf(each, site) === named.root && isDeal(each))
          // Whoever recomputes the round finds it at each member.
          if (bytes !== undefined) await site.store.put(bytes, outlineOf(bytes, site.sha256), 'masking', key, stopped.signal)
          const file = decodeDealFile(bytes ?? (await site.store.get({ ...named, kind: 'masking' }, key, stopped.signal, holders)))
          if (file.index.dealer !== dealer) throw new RotaError('ROTA-2321', { site: dealer, reason: 'it keyed with the deal of another site' })
          fetched.set(named.root, file)
        },
        () => undefined,
      )
    },
    stop: () => stopped.abort(),
    ended: stopped.signal,
  }
}

/** Once for a message, however many sites of one process it reached. */
const files = new WeakMap<Uint8Array, DealFile>()
const roots = new WeakMap<Uint8Array, Digest>()

function rootOf(bytes: Uint8Array, { sha256 }: Pick<Site, 'sha256'>): Digest {
  const root = roots.get(bytes) ?? outlineOf(bytes, sha256).root
  roots.set(bytes, root)
  return root
}

function decoded(bytes: Uint8Array): DealFile {
  const file = files.get(bytes) ?? decodeDealFile(bytes)
  files.set(bytes, file)
  return file
}

export const nameOf = ({ root, cid }: ModelRef, { sha256 }: Pick<Site, 'sha256'>): string => nameOfDeal({ dealDigest: root, dealCid: cid }, sha256)

const isDeal = (bytes: Uint8Array): boolean => bindingOf(bytes) !== null

/** What a deal is bound to; of no deal, to nothing. */
export const isBoundTo = (bytes: Uint8Array, ctx: Digest): boolean => bindingOf(bytes) === ctx

function bindingOf(bytes: Uint8Array): Digest | null {
  try {
    return toDigest(decoded(bytes).index.ctx)
  } catch (error) {
    if (isRotaError(error)) return null
    throw error
  }
}

/** A parcel as it is sent, and what the index names it: out of its deal file, or an object that its holder asks for. */
export async function parcelFor(
  { store, sha256 }: Pick<Site, 'store' | 'sha256'>,
  { index, parcels }: DealFile,
  holder: SiteId,
  signal: AbortSignal,
  others: readonly SiteId[] = [],
): Promise<{ readonly bytes: Uint8Array; readonly digest: Uint8Array } | undefined> {
  const digest = parcelOf(index, holder)
  if (digest === undefined) return undefined
  const together = parcels[sitesOf(index.to).indexOf(holder)]
  if (together !== undefined) return { bytes: together, digest: sha256(together) }
  // Its name in the store is what the index names, and the store holds its bytes against it.
  return { bytes: await store.getPlain(toDigest(digest), signal, [index.dealer, holder, ...others]), digest }
}
