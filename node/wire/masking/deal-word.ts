import { type RoundNo, type RunId, roundNo, runId } from '#base/ids.ts'
import { toCbor } from '../cbor.ts'
import { DEAL_FILE_LIMIT_BYTES } from './deal-file.ts'
import { isCount, itemsOf, MASKING_VERSION, malformed } from './parts.ts'

/**
 * "This is my deal": the file itself, for all members. What in it is for one alone is closed to the others.
 *
 *   [ version=2, "deal", run, round, file ]     dag-cbor array
 *
 * The sender is known from the signed gossip envelope; the file is looked at by the round that it is of.
 */
export interface DealWord {
  readonly kind: 'deal'
  readonly run: RunId
  readonly round: RoundNo
  readonly file: Uint8Array
}

const LIMIT_BYTES = DEAL_FILE_LIMIT_BYTES + 64

export const encodeDealWord = ({ run, round, file }: Omit<DealWord, 'kind'>): Uint8Array => toCbor([MASKING_VERSION, 'deal', run, round, file])

/** @throws as `itemsOf` */
export function decodeDealWord(bytes: Uint8Array): DealWord {
  const [, kind, run, round, file] = itemsOf(bytes, 'deal', LIMIT_BYTES, 5)
  if (kind !== 'deal' || !isCount(run) || !isCount(round) || !(file instanceof Uint8Array)) throw malformed('deal')
  return { kind, run: runId(run), round: roundNo(round), file }
}
