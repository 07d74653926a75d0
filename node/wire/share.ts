import { RotaError } from '#base/errors.ts'
import { type RunId, runId } from '#base/ids.ts'
import { fromCbor, toCbor } from './cbor.ts'

/**
 * "What did this run cost you so far?" One question and one answer a stream, dag-cbor arrays:
 *
 *   question  [ version, run ]
 *   answer    [ version=1, rounds, bytes in, bytes out, seconds of training ]
 *             [ version=2, rounds, bytes in, bytes out, seconds of training, seconds of work ]
 *
 * The second version is answered to its question alone, by a node that noted its work. What a site says of itself: nobody can check it, and it is shown
 * as told. Seconds come rounded up (app/canary/canary-limits.ts, coarseSeconds).
 */
export const SHARE_PROTOCOL = '/rota/share/1'
const NEWEST = 2
export type ShareVersion = 1 | typeof NEWEST
export const SHARE_LIMIT_BYTES = 256

export interface ToldShare {
  /** Rounds that its node saw; the rest is of these. */
  readonly rounds: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly trainSeconds: number
  /** Processor time of its node, training apart; not known of a node of the version before. */
  readonly workSeconds?: number
}

export const encodeShareQuestion = (run: RunId, version: ShareVersion): Uint8Array => toCbor([version, run])

/** @throws ROTA-4002 too long, ROTA-4003 unknown version, ROTA-4001 anything else */
export function decodeShareQuestion(bytes: Uint8Array): { readonly run: RunId; readonly version: ShareVersion } {
  const [version, run, ...rest] = partsOf(bytes)
  if (rest.length > 0 || !isCount(run) || run < 1 || run > 0xffffffff) throw malformed()
  return { run: runId(run), version }
}

/** @param version of the question */
export function encodeShare({ rounds, bytesIn, bytesOut, trainSeconds, workSeconds }: ToldShare, version: ShareVersion): Uint8Array {
  const share = [rounds, bytesIn, bytesOut, trainSeconds]
  return version === 1 || workSeconds === undefined ? toCbor([1, ...share]) : toCbor([version, ...share, workSeconds])
}

/** @throws as `decodeShareQuestion` */
export function decodeShare(bytes: Uint8Array): ToldShare {
  const [version, rounds, bytesIn, bytesOut, trainSeconds, ...rest] = partsOf(bytes)
  if (rest.length !== version - 1 || !isCount(rounds) || !isCount(bytesIn) || !isCount(bytesOut) || !isCount(trainSeconds)) throw malformed()
  const [workSeconds] = rest
  const share = { rounds, bytesIn, bytesOut, trainSeconds }
  if (workSeconds === undefined) return share
  if (!isCount(workSeconds)) throw malformed()
  return { ...share, workSeconds }
}

function partsOf(bytes: Uint8Array): readonly [ShareVersion, ...unknown[]] {
  if (bytes.length > SHARE_LIMIT_BYTES) throw new RotaError('ROTA-4002', { size: bytes.length, limit: SHARE_LIMIT_BYTES })
  const value = fromCbor(bytes, 'share')
  if (!Array.isArray(value) || value.length === 0) throw malformed()
  const [version, ...parts] = value as readonly unknown[]
  if (version !== 1 && version !== NEWEST) throw new RotaError('ROTA-4003', { version: String(version), known: NEWEST })
  return [version, ...parts]
}

const malformed = () => new RotaError('ROTA-4001', { what: 'share' })
const isCount = (x: unknown): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= 0
