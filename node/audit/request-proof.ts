import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { concat, fromHex, utf8 } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'

/**
 * How a reader shows a node's HTTP endpoint that it may have blocks. A reader key is X25519 and cannot sign, so it proves itself by
 * opening what is wrapped to it:
 *
 *   GET /blocks/session?reader=0x…            → { "wrap": hex (92 bytes), "expires": s, "now": ms }
 *     the wrap holds a session secret (32 bytes) for this reader, in the format of wire/epoch-bundle.ts, bound by `sessionContext`
 *   GET /blocks/0x…                           with the header
 *     authorization: Rota <reader> <expires> <time ms> <nonce 16 bytes> <mac 32 bytes>     all but the numbers 0x-hex
 *     mac = HMAC-SHA-256(session secret, "GET " ‖ path ‖ " " ‖ time ‖ " " ‖ nonce)
 *
 * Only the holder of the reader's secret key can make such a header. A header serves one path once: the node refuses times more than
 * 30 s from its own clock and nonces that it has seen within them. It does not say which node answered, and need not: what comes is
 * encrypted, and checked against a digest that stands on the chain.
 */
export interface RequestProof {
  readonly reader: Digest
  /** Unix seconds at which the session ends. */
  readonly expires: number
  readonly timeMs: number
  readonly nonce: Uint8Array
  readonly mac: Uint8Array
}

export const WINDOW_MS = 30_000

/** Binds a session's wrap to its reader and end. */
export const sessionContext = (reader: Digest, expires: number): Uint8Array => utf8(`rota blocks session ${reader} ${expires}`)

/** The server keeps no sessions: it derives the secret again from one of its own. */
export const sessionSecret = (serverSecret: Uint8Array, reader: Digest, expires: number): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', serverSecret, new Uint8Array(0), concat(utf8('rota/blocks-session/1'), sessionContext(reader, expires)), 32))

export const macOf = (secret: Uint8Array, path: string, timeMs: number, nonce: Uint8Array): Uint8Array =>
  createHmac('sha256', secret)
    .update(`GET ${path} ${timeMs} 0x${Buffer.from(nonce).toString('hex')}`)
    .digest()

export const sameMac = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b)

export function writeProof({ reader, expires, timeMs, nonce, mac }: RequestProof): string {
  return ['Rota', reader, expires, timeMs, hex(nonce), hex(mac)].join(' ')
}

/** Null when the header is none of ours. */
export function readProof(header: string | undefined): RequestProof | null {
  const parts = /^Rota (0x[0-9a-f]{64}) (\d{1,12}) (\d{1,15}) (0x[0-9a-f]{32}) (0x[0-9a-f]{64})$/.exec(header ?? '')
  if (parts === null) return null
  const [, reader, expires, timeMs, nonce, mac] = parts as unknown as [string, Digest, string, string, string, string]
  return { reader, expires: Number(expires), timeMs: Number(timeMs), nonce: fromHex(nonce), mac: fromHex(mac) }
}

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString('hex')}`
