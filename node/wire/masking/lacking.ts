import { fromHex, toDigest } from '#base/bytes.ts'
import { type Digest, type RoundNo, type RunId, roundNo, runId } from '#base/ids.ts'
import { toCbor } from '../cbor.ts'
import { isBytes, isCount, itemsOf, MASKING_VERSION, malformed } from './parts.ts'

/**
 * "These of your words I lack."
 *
 *   [ version=2, "lacking", run, round, context (32), kinds (text, 1 to 8) ]     dag-cbor array
 *
 * Asked of their author alone (ports/gossip, `ask`), who answers with a message of those that it has said. Kinds that a version does not know are passed over.
 */
export interface Lacking {
  readonly run: RunId
  readonly round: RoundNo
  /** What the words are bound to, see `dealingRound`. */
  readonly ctx: Digest
  readonly kinds: readonly LackedKind[]
}

export const LACKED_KINDS = ['key-offer', 'deal', 'release'] as const
export type LackedKind = (typeof LACKED_KINDS)[number]

const WHAT = 'question'
export const LACKING_LIMIT_BYTES = 512
const MOST_KINDS = 8

export const encodeLacking = ({ run, round, ctx, kinds }: Lacking): Uint8Array => toCbor([MASKING_VERSION, 'lacking', run, round, fromHex(ctx), kinds])

/** @throws as `itemsOf` */
export function decodeLacking(bytes: Uint8Array): Lacking {
  const [, kind, run, round, ctx, kinds] = itemsOf(bytes, WHAT, LACKING_LIMIT_BYTES, 6)
  if (kind !== 'lacking' || !isCount(run) || !isCount(round) || !isBytes(ctx, 32)) throw malformed(WHAT)
  if (!Array.isArray(kinds) || kinds.length === 0 || kinds.length > MOST_KINDS || !kinds.every((each) => typeof each === 'string')) throw malformed(WHAT)
  return { run: runId(run), round: roundNo(round), ctx: toDigest(ctx), kinds: LACKED_KINDS.filter((each) => kinds.includes(each)) }
}
