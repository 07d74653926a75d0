import { type RoundNo, type RunId, roundNo, runId } from '#base/ids.ts'
import { toCbor } from '../cbor.ts'
import { DEAL_FILE_LIMIT_BYTES } from './deal-file.ts'
import { KEY_FILE_LIMIT_BYTES } from './key-file.ts'
import { isCount, itemsOf, MASKING_VERSION, malformed } from './parts.ts'

/**
 * "This is my deal", or "this is what I keyed with": the file itself, for all members. What in it is for one alone is closed to the others.
 *
 *   [ version=1, "deal" or "key-file", run, round, file ]     dag-cbor array
 *
 * The sender is known from the signed gossip envelope; the file is looked at by the round that it is of.
 */
export interface FileWord {
  readonly kind: (typeof FILE_KINDS)[number]
  readonly run: RunId
  readonly round: RoundNo
  readonly file: Uint8Array
}

export const FILE_KINDS = ['deal', 'key-file'] as const
const LIMIT_BYTES = Math.max(DEAL_FILE_LIMIT_BYTES, KEY_FILE_LIMIT_BYTES) + 64

export const encodeFileWord = ({ kind, run, round, file }: FileWord): Uint8Array => toCbor([MASKING_VERSION, kind, run, round, file])

/** @throws as `itemsOf` */
export function decodeFileWord(bytes: Uint8Array): FileWord {
  const [, said, run, round, file] = itemsOf(bytes, 'deal', LIMIT_BYTES, 5)
  const kind = FILE_KINDS.find((each) => each === said)
  if (kind === undefined || !isCount(run) || !isCount(round) || !(file instanceof Uint8Array)) throw malformed('deal')
  return { kind, run: runId(run), round: roundNo(round), file }
}
