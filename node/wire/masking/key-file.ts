import { equalBytes, fromHex, type Sha256, toDigest } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import { AGREEMENT_KEY_BYTES } from '#core/masking/crypto.ts'
import type { DealIndex } from '#core/masking/deal.ts'
import type { KeyRecord } from '#core/masking/key-record.ts'
import { toCbor } from '../cbor.ts'
import { DEAL_INDEX_LIMIT_BYTES, decodeDealIndex, encodeDealIndex } from './deal-index.ts'
import { decodeKeyRecord, encodeKeyRecord, KEY_RECORD_LIMIT_BYTES } from './key-record.ts'
import { isBytes, itemsOf, MASKING_VERSION, malformed } from './parts.ts'

/**
 * What a site keys with, with all that others need of it later; the chain names this object.
 *
 *   [ version=1, "key-file", key record, deal index, channel key (32), root (32) and CID (32) of its deal file ]     dag-cbor array
 *
 * `parcels` of the index are as in the deal file.
 */
export interface KeyFile {
  readonly record: KeyRecord
  readonly index: DealIndex
  /** The dealer's: with it, and its parcel, a holder opens the deal. */
  readonly channelKey: Uint8Array
  /** The deal as it was announced: with its parcels, or the names of these. Kept for some days. */
  readonly deal: NamedDeal
}

export interface NamedDeal {
  readonly root: Digest
  readonly cid: Digest
}

const WHAT = 'key file'
export const KEY_FILE_LIMIT_BYTES = KEY_RECORD_LIMIT_BYTES + DEAL_INDEX_LIMIT_BYTES + 256

/** What a key record names: SHA-256 of the index as it is sent. */
export const indexDigest = (index: DealIndex, sha256: Sha256): Uint8Array => sha256(encodeDealIndex(index))

export const encodeKeyFile = ({ record, index, channelKey, deal }: KeyFile): Uint8Array =>
  toCbor([MASKING_VERSION, 'key-file', encodeKeyRecord(record), encodeDealIndex(index), channelKey, fromHex(deal.root), fromHex(deal.cid)])

/** @throws as `itemsOf`; ROTA-2321 when the record is of another deal, or of another site */
export function decodeKeyFile(bytes: Uint8Array, sha256: Sha256): KeyFile {
  const [, kind, recordBytes, indexBytes, channelKey, root, cid] = itemsOf(bytes, WHAT, KEY_FILE_LIMIT_BYTES, 7)
  if (kind !== 'key-file' || !(recordBytes instanceof Uint8Array) || !(indexBytes instanceof Uint8Array)) throw malformed(WHAT)
  if (!isBytes(channelKey, AGREEMENT_KEY_BYTES) || !isBytes(root, 32) || !isBytes(cid, 32)) throw malformed(WHAT)
  const record = decodeKeyRecord(recordBytes)
  const index = decodeDealIndex(indexBytes)
  if (record.site !== index.dealer || !equalBytes(record.index, sha256(indexBytes)))
    throw new RotaError('ROTA-2321', { site: record.site, reason: 'its key record is of another deal' })
  return { record, index, channelKey, deal: { root: toDigest(root), cid: toDigest(cid) } }
}
