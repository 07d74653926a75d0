import { has } from '#base/bitmap.ts'
import { concat } from '#base/bytes.ts'
import { siteId } from '#base/ids.ts'
import { SEED_BYTES } from '#core/masking/crypto.ts'
import type { KeyRecord } from '#core/masking/key-record.ts'
import { toCbor } from '../cbor.ts'
import { below, isBytes, isSite, itemsOf, listOf, MASKING_VERSION, malformed, setBytes, setOf } from './parts.ts'

/**
 * What a site keys with; the chain has its digest.
 *
 *   [ version=1, context (32), site, SHA-256 of its deal index (32), held (32, big endian), pair secrets under pads (32 for each held site below) ]     dag-cbor array
 */
const WHAT = 'key record'
/** 256 sites take 8 kB. */
export const KEY_RECORD_LIMIT_BYTES = 12_288

export const encodeKeyRecord = (r: KeyRecord): Uint8Array => toCbor([MASKING_VERSION, r.ctx, r.site, r.index, setBytes(r.held), concat(...r.pads)])

/** @throws as `itemsOf` */
export function decodeKeyRecord(bytes: Uint8Array): KeyRecord {
  const [, ctx, site, index, held, pads] = itemsOf(bytes, WHAT, KEY_RECORD_LIMIT_BYTES, 6)
  if (!isBytes(ctx, 32) || !isSite(site) || !isBytes(index, 32) || !isBytes(held, 32)) throw malformed(WHAT)
  const set = setOf(held)
  const padList = listOf(pads, SEED_BYTES, below(set, site))
  if (has(set, siteId(site)) || padList === undefined) throw malformed(WHAT)
  return { ctx, site: siteId(site), index, held: set, pads: padList }
}
