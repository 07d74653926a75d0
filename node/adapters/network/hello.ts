import type { Stream } from '@libp2p/interface'
import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import type { Clock } from '#ports/host.ts'
import type { Hello } from '#ports/peers.ts'
import { fromCbor, toCbor } from '#wire/cbor.ts'
import { readAll, sendAll } from './streams.ts'

/**
 * "Who are you, and what time is it there?" Both ways:
 *
 *   [ version=1, nowMs, softwareVersion, arithmeticVersion ]     dag-cbor array, then the end of the stream
 *
 * The answer also proves that one is let in: a refused connection looks open to the side that dialled.
 */
export const HELLO_PROTOCOL = '/rota/hello/1'
const HELLO_VERSION = 1
const LIMIT_BYTES = 1024

export interface Versions {
  readonly software: string
  /** Digest of the golden outputs that this build reproduces. */
  readonly arithmetic: string
}

interface Greeting {
  readonly nowMs: number
  readonly versions: Versions
}

export async function sayHello(stream: Stream, own: Versions, clock: Clock, signal: AbortSignal): Promise<Hello> {
  const sentMs = clock.nowMs()
  await sendAll(stream, encode({ nowMs: sentMs, versions: own }), signal)
  const answer = decode(await readAll(stream, LIMIT_BYTES, signal))
  const rttMs = clock.nowMs() - sentMs
  return { rttMs, clockOffsetMs: answer.nowMs - (sentMs + rttMs / 2), softwareVersion: answer.versions.software, arithmeticVersion: answer.versions.arithmetic }
}

/** @throws ROTA-4xxx when what came is no greeting: then nothing is answered */
export async function answerHello(stream: Stream, _from: SiteId, own: Versions, clock: Clock): Promise<void> {
  const signal = AbortSignal.timeout(10_000)
  decode(await readAll(stream, LIMIT_BYTES, signal))
  await sendAll(stream, encode({ nowMs: clock.nowMs(), versions: own }), signal)
}

const encode = (g: Greeting): Uint8Array => toCbor([HELLO_VERSION, Math.round(g.nowMs), g.versions.software, g.versions.arithmetic])

function decode(bytes: Uint8Array): Greeting {
  const value = fromCbor(bytes, 'hello')
  if (!Array.isArray(value) || value.length === 0) throw new RotaError('ROTA-4001', { what: 'hello' })
  if (value[0] !== HELLO_VERSION) throw new RotaError('ROTA-4003', { version: String(value[0]), known: HELLO_VERSION })
  const [, nowMs, software, arithmetic] = value as unknown[]
  if (value.length !== 4 || !Number.isSafeInteger(nowMs) || typeof software !== 'string' || typeof arithmetic !== 'string')
    throw new RotaError('ROTA-4001', { what: 'hello' })
  return { nowMs: nowMs as number, versions: { software, arithmetic } }
}
