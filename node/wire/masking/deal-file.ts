import { sizeOf } from '#base/bitmap.ts'
import { AGREEMENT_KEY_BYTES } from '#core/masking/crypto.ts'
import type { DealIndex } from '#core/masking/deal.ts'
import { toCbor } from '../cbor.ts'
import { DEAL_INDEX_LIMIT_BYTES, decodeDealIndex, encodeDealIndex } from './deal-index.ts'
import { PARCEL_LIMIT_BYTES } from './parcel.ts'
import { isBytes, itemsOf, MASKING_VERSION, malformed } from './parts.ts'

/**
 * A deal as it is announced; the chain names it when its site keys, and all members keep it.
 *
 *   [ version=2, "deal", deal index, channel key (32), parcels ]     dag-cbor array
 *
 * Among few members its parcels are in it, in the order of `to`, and the index has their SHA-256: one message says it all. Among many that would be more
 * bytes than a site wants; there each parcel is an object of its own that its holder asks for, and the index has their CIDs.
 */
export interface DealFile {
  readonly index: DealIndex
  readonly channelKey: Uint8Array
  /** As they are encoded; none where each is an object of its own. */
  readonly parcels: readonly Uint8Array[]
}

/** Every site gets every deal: of ten members 130 kB of parcels. */
export const MOST_TOGETHER = 10

const WHAT = 'deal'
export const DEAL_FILE_LIMIT_BYTES = DEAL_INDEX_LIMIT_BYTES + MOST_TOGETHER * PARCEL_LIMIT_BYTES + 256

export const encodeDealFile = ({ index, channelKey, parcels }: DealFile): Uint8Array =>
  toCbor([MASKING_VERSION, 'deal', encodeDealIndex(index), channelKey, parcels])

/** @throws as `itemsOf` */
export function decodeDealFile(bytes: Uint8Array): DealFile {
  const [, kind, index, channelKey, parcels] = itemsOf(bytes, WHAT, DEAL_FILE_LIMIT_BYTES, 5)
  if (kind !== 'deal' || !(index instanceof Uint8Array) || !isBytes(channelKey, AGREEMENT_KEY_BYTES)) throw malformed(WHAT)
  const decoded = decodeDealIndex(index)
  if (!isListOfBytes(parcels) || (parcels.length > 0 && parcels.length !== sizeOf(decoded.to))) throw malformed(WHAT)
  return { index: decoded, channelKey, parcels }
}

const isListOfBytes = (x: unknown): x is Uint8Array[] => Array.isArray(x) && x.every((each) => each instanceof Uint8Array)
