import { type Digest, digest } from './ids.ts'

/** A browser has no Buffer, which is what is fast in Node. */
const inNode = typeof Buffer !== 'undefined'

export const toHex = (bytes: Uint8Array): string =>
  `0x${inNode ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex') : Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`

/** Hex with or without 0x; the caller has checked that it is hex. */
export function fromHex(hex: string): Uint8Array {
  const digits = hex.startsWith('0x') ? hex.slice(2) : hex
  return inNode ? new Uint8Array(Buffer.from(digits, 'hex')) : Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
}

export const toDigest = (bytes: Uint8Array): Digest => digest(toHex(bytes))

export function concat(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && (inNode ? Buffer.compare(a, b) === 0 : a.every((byte, i) => byte === b[i]))

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Whether it is all of its ArrayBuffer, so that nobody has another part of it. */
export const isWhole = (bytes: Uint8Array): boolean => bytes.buffer instanceof ArrayBuffer && bytes.length === bytes.buffer.byteLength && bytes.length > 0

/**
 * Frees the memory of bytes that nobody reads again, at once: left to the collector, buffers outside the heap bring a collection of the whole
 * heap every few tens of MB. A part of a larger buffer is left alone.
 */
export function release(bytes: Uint8Array): void {
  if (isWhole(bytes)) (bytes.buffer as ArrayBuffer).transfer(0)
}

/** SHA-256, 32 bytes. Passed into core/ as an argument, so that core/ needs no package. */
export interface Sha256 {
  (...parts: Uint8Array[]): Uint8Array
  /** Writes the hash of one part from `at` on: a Merkle tree takes 80,000 hashes for 40 MB, and has a place for each. */
  readonly into?: (part: Uint8Array, target: Buffer, at: number) => void
}
