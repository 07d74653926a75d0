import { AGREEMENT_KEY_BYTES } from '#core/masking/crypto.ts'
import type { DealIndex } from '#core/masking/deal.ts'
import { toCbor } from '../cbor.ts'
import { DEAL_INDEX_LIMIT_BYTES, decodeDealIndex, encodeDealIndex } from './deal-index.ts'
import { isBytes, itemsOf, MASKING_VERSION, malformed } from './parts.ts'

/**
 * A deal as it is announced, before its site keys.
 *
 *   [ version=1, "deal", deal index, channel key (32) ]     dag-cbor array
 */
export interface DealFile {
  readonly index: DealIndex
  readonly channelKey: Uint8Array
}

const WHAT = 'deal'
const LIMIT_BYTES = DEAL_INDEX_LIMIT_BYTES + 256

export const encodeDealFile = ({ index, channelKey }: DealFile): Uint8Array => toCbor([MASKING_VERSION, 'deal', encodeDealIndex(index), channelKey])

/** @throws as `itemsOf` */
export function decodeDealFile(bytes: Uint8Array): DealFile {
  const [, kind, index, channelKey] = itemsOf(bytes, WHAT, LIMIT_BYTES, 4)
  if (kind !== 'deal' || !(index instanceof Uint8Array) || !isBytes(channelKey, AGREEMENT_KEY_BYTES)) throw malformed(WHAT)
  return { index: decodeDealIndex(index), channelKey }
}
