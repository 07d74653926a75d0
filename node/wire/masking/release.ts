import { sizeOf } from '#base/bitmap.ts'
import { concat } from '#base/bytes.ts'
import { type RoundNo, type RunId, roundNo, runId } from '#base/ids.ts'
import { SHARE_BYTES } from '#core/masking/crypto.ts'
import type { Release } from '#core/masking/release.ts'
import { toCbor } from '../cbor.ts'
import { isBytes, isCount, itemsOf, listOf, MASKING_VERSION, malformed, setBytes, setOf } from './parts.ts'

/**
 * "These are my shares for this frozen set."
 *
 *   [ version=2, "release", run, round, context (32), frozen set (32, big endian), about (32), shares (33 each) ]     dag-cbor array
 *
 * The sender is known from the signed gossip envelope. Of which kind a share is follows from the frozen set, so a message cannot hold both.
 */
export interface ReleaseMessage {
  readonly run: RunId
  readonly round: RoundNo
  readonly release: Release
}

const WHAT = 'release'
/** 256 sites take 9 kB. */
export const RELEASE_LIMIT_BYTES = 12_288

export const encodeRelease = ({ run, round, release: r }: ReleaseMessage): Uint8Array =>
  toCbor([MASKING_VERSION, 'release', run, round, r.ctx, setBytes(r.survivors), setBytes(r.about), concat(...r.shares)])

/** @throws as `itemsOf` */
export function decodeRelease(bytes: Uint8Array): ReleaseMessage {
  const [, kind, run, round, ctx, survivors, about, shares] = itemsOf(bytes, WHAT, RELEASE_LIMIT_BYTES, 8)
  if (kind !== 'release' || !isCount(run) || !isCount(round)) throw malformed(WHAT)
  if (!isBytes(ctx, 32) || !isBytes(survivors, 32) || !isBytes(about, 32)) throw malformed(WHAT)
  const aboutSet = setOf(about)
  const shareList = listOf(shares, SHARE_BYTES, sizeOf(aboutSet))
  if (shareList === undefined) throw malformed(WHAT)
  return {
    run: runId(run),
    round: roundNo(round),
    release: { ctx, survivors: setOf(survivors), about: aboutSet, shares: shareList },
  }
}
