import { RotaError } from '#base/errors.ts'
import { type RunId, runId } from '#base/ids.ts'
import { fromCbor, toCbor } from './cbor.ts'

/**
 * "What did this run cost you so far?" One question and one answer a stream, dag-cbor arrays:
 *
 *   question  [ version=1, run ]
 *   answer    [ version=1, rounds, bytes in, bytes out, seconds of training ]
 *
 * What a site says of itself: nobody can check it, and it is shown as told. Seconds come rounded up (app/canary/canary-limits.ts, coarseSeconds).
 */
export const SHARE_PROTOCOL = '/rota/share/1'
const VERSION = 1
export const SHARE_LIMIT_BYTES = 256

export interface ToldShare {
  /** Rounds that its node saw; the rest is of these. */
  readonly rounds: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly trainSeconds: number
}

export const encodeShareQuestion = (run: RunId): Uint8Array => toCbor([VERSION, run])

/** @throws ROTA-4002 too long, ROTA-4003 unknown version, ROTA-4001 anything else */
export function decodeShareQuestion(bytes: Uint8Array): RunId {
  const [, run, ...rest] = partsOf(bytes)
  if (rest.length > 0 || !isCount(run) || run < 1 || run > 0xffffffff) throw malformed()
  return runId(run)
}

export const encodeShare = ({ rounds, bytesIn, bytesOut, trainSeconds }: ToldShare): Uint8Array => toCbor([VERSION, rounds, bytesIn, bytesOut, trainSeconds])

/** @throws as `decodeShareQuestion` */
export function decodeShare(bytes: Uint8Array): ToldShare {
  const [, rounds, bytesIn, bytesOut, trainSeconds, ...rest] = partsOf(bytes)
  if (rest.length > 0 || !isCount(rounds) || !isCount(bytesIn) || !isCount(bytesOut) || !isCount(trainSeconds)) throw malformed()
  return { rounds, bytesIn, bytesOut, trainSeconds }
}

function partsOf(bytes: Uint8Array): readonly unknown[] {
  if (bytes.length > SHARE_LIMIT_BYTES) throw new RotaError('ROTA-4002', { size: bytes.length, limit: SHARE_LIMIT_BYTES })
  const value = fromCbor(bytes, 'share')
  if (!Array.isArray(value) || value.length === 0) throw malformed()
  if (value[0] !== VERSION) throw new RotaError('ROTA-4003', { version: String(value[0]), known: VERSION })
  return value
}

const malformed = () => new RotaError('ROTA-4001', { what: 'share' })
const isCount = (x: unknown): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= 0
