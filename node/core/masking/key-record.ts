import { bitmapOf, sitesOf } from '#base/bitmap.ts'
import { equalBytes } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Bitmap, SiteId } from '#base/ids.ts'
import type { MaskingRound } from './context.ts'
import type { MaskingCrypto } from './crypto.ts'
import type { OpenedDeal } from './open-deal.ts'
import { pairPad, xor } from './pair-key.ts'
import type { RoundKeys } from './round-keys.ts'

/**
 * What a site keys with, once it holds the deals that it could get: its digest goes on chain, with the sites whose deals it holds.
 * Members keep each other's, since it is needed when its site has dropped out.
 */
export interface KeyRecord {
  /** Of the round and its model. */
  readonly ctx: Uint8Array
  readonly site: SiteId
  /** Digest of its own deal's index: whoever dealt otherwise to somebody shows here. */
  readonly index: Uint8Array
  /** Whose deals it holds, itself left out. */
  readonly held: Bitmap
  /** The pair secrets that it has from the held sites below it, in their order, each hidden under its own mask seed (`pairPad`). */
  readonly pads: readonly Uint8Array[]
}

export interface KeyRecordInput {
  readonly round: MaskingRound
  readonly site: SiteId
  readonly keys: RoundKeys
  readonly index: Uint8Array
  readonly opened: ReadonlyMap<SiteId, OpenedDeal>
  readonly crypto: MaskingCrypto
}

export function makeKeyRecord({ round, site, keys, index, opened, crypto }: KeyRecordInput): KeyRecord {
  const others = sitesOf(bitmapOf(opened.keys())).filter((dealer) => dealer !== site)
  const pads = others
    .filter((dealer) => dealer < site)
    .map((dealer) => xor(opened.get(dealer)?.pairSecret as Uint8Array, pairPad(round, dealer, site, keys.seeds.mask, crypto)))
  return { ctx: round.modelCtx, site, index, held: bitmapOf(others), pads }
}

/**
 * @param index digest of the site's deal as this site holds it; undefined when it holds none
 * @param held as the chain says
 * @throws ROTA-2323 of another round, ROTA-2321 when the chain, or the deal that was sent here, says otherwise
 */
export function checkKeyRecord(record: KeyRecord, round: MaskingRound, site: SiteId, held: Bitmap, index: Uint8Array | undefined): void {
  if (!equalBytes(record.ctx, round.modelCtx) || record.site !== site) throw new RotaError('ROTA-2323', { what: 'key record', site })
  if (record.held !== held) throw new RotaError('ROTA-2321', { site, reason: 'it holds other deals than it told the chain' })
  if (index !== undefined && !equalBytes(record.index, index)) throw new RotaError('ROTA-2321', { site, reason: 'it dealt otherwise to this site' })
}

/** The secret of a site below, with the pad of a rebuilt seed; undefined when the record has none. */
export function hiddenSecret(record: KeyRecord, lower: SiteId, pad: Uint8Array): Uint8Array | undefined {
  const place = sitesOf(record.held)
    .filter((site) => site < record.site)
    .indexOf(lower)
  const hidden = record.pads[place]
  return hidden === undefined ? undefined : xor(hidden, pad)
}
