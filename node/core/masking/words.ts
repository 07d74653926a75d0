import { release } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import { wordsOf } from '../ring/vector-check.ts'
import type { Prg } from './crypto.ts'

/** A mask as long as any vector. */
export interface Stream {
  readonly key: Uint8Array
  /** Whether it is added or taken away. */
  readonly sign: 1 | -1
}

/** Large enough that making a cipher costs nothing, small enough to stay in the processor's cache. */
export const CHUNK_BYTES = 1 << 20
const BLOCK_BYTES = 16

/**
 * Adds streams to words in place, mod 2^32 or 2^64. A range can be masked or unmasked alone: a slice, a leaf, one word.
 * @param bytes the range, whole words
 * @param firstWord where it begins in its vector
 * @throws ROTA-2103 when it is not whole words
 */
export function addStreams(bytes: Uint8Array, wordBits: 32 | 64, firstWord: number, streams: readonly Stream[], prg: Prg): void {
  const wordBytes = wordBits / 8
  if (bytes.length % wordBytes !== 0) throw new RotaError('ROTA-2103', { reason: `${bytes.length} bytes are no whole ${wordBits}-bit words` })
  // A copy where the bytes do not begin at a word of memory.
  const words = wordsOf(bytes)
  const start = firstWord * wordBytes
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + CHUNK_BYTES - ((start + at) % CHUNK_BYTES))
    const part = words.subarray(at / 4, end / 4)
    for (const stream of streams) addStream(part, wordBits, start + at, stream, prg)
    at = end
  }
  if (words.buffer !== bytes.buffer) bytes.set(new Uint8Array(words.buffer, words.byteOffset, bytes.length))
}

/** The same masks, to be taken off again. */
export const opposite = (streams: readonly Stream[]): Stream[] => streams.map(({ key, sign }) => ({ key, sign: sign === 1 ? -1 : 1 }))

function addStream(to: Int32Array, wordBits: 32 | 64, offset: number, { key, sign }: Stream, prg: Prg): void {
  const skip = offset % BLOCK_BYTES
  const stream = prg(key, BigInt((offset - skip) / BLOCK_BYTES), skip + to.length * 4)
  const from = wordsOf(stream.subarray(skip))
  ADD[wordBits][sign](to, from)
  release(stream)
}

/** Signed views, as in ring/add.ts: 32-bit additions stay in registers. */
function add32(to: Int32Array, from: Int32Array): void {
  for (let i = 0; i < to.length; i++) to[i] = ((to[i] as number) + (from[i] as number)) | 0
}

function subtract32(to: Int32Array, from: Int32Array): void {
  for (let i = 0; i < to.length; i++) to[i] = ((to[i] as number) - (from[i] as number)) | 0
}

/** Two lanes a word. Carries by whole-number logic: which way a random word goes cannot be guessed, and a wrong guess costs more than the sum. */
function add64(to: Int32Array, from: Int32Array): void {
  for (let i = 0; i < to.length; i += 2) {
    const [a, b] = [to[i] as number, from[i] as number]
    const low = (a + b) | 0
    const carry = ((a & b) | ((a | b) & ~low)) >>> 31
    to[i] = low
    to[i + 1] = ((to[i + 1] as number) + (from[i + 1] as number) + carry) | 0
  }
}

function subtract64(to: Int32Array, from: Int32Array): void {
  for (let i = 0; i < to.length; i += 2) {
    const [a, b] = [to[i] as number, from[i] as number]
    const low = (a - b) | 0
    const borrow = ((~a & b) | ((~a | b) & low)) >>> 31
    to[i] = low
    to[i + 1] = ((to[i + 1] as number) - (from[i + 1] as number) - borrow) | 0
  }
}

const ADD = { 32: { 1: add32, [-1]: subtract32 }, 64: { 1: add64, [-1]: subtract64 } } as const
