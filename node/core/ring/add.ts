import { RotaError } from '#base/errors.ts'
import { wordsOf } from './vector-check.ts'
import type { RingVector } from './vectors.ts'

/**
 * Adds vectors up word by word, in pieces of any size that holds whole words, so that a custodian never holds more than
 * the sum and one piece. Order does not matter: the sum is in Z_2^k.
 */
export class RingAdder {
  readonly sum: RingVector
  readonly #words: Int32Array

  /** @param memory to add up in, zeros and at least as long; else it is made here */
  constructor(wordBits: 32 | 64, lengthBytes: number, memory?: ArrayBuffer) {
    if (lengthBytes % (wordBits / 8) !== 0) throw new RotaError('ROTA-2103', { reason: `${lengthBytes} bytes are no whole ${wordBits}-bit words` })
    this.sum = { ring: true, wordBits, bytes: memory === undefined ? new Uint8Array(lengthBytes) : new Uint8Array(memory, 0, lengthBytes) }
    this.#words = new Int32Array(this.sum.bytes.buffer, 0, lengthBytes / 4)
  }

  /** @param offset of the piece in its vector, in bytes @throws ROTA-2103 when the piece is not whole words inside the sum */
  add(piece: Uint8Array, offset = 0): void {
    const wordBytes = this.sum.wordBits / 8
    if (offset % wordBytes !== 0 || piece.length % wordBytes !== 0 || offset + piece.length > this.sum.bytes.length)
      throw new RotaError('ROTA-2103', { reason: `a piece of ${piece.length} bytes at ${offset} does not fit a sum of ${this.sum.bytes.length}` })
    const from = wordsOf(piece)
    const to = this.#words.subarray(offset / 4, (offset + piece.length) / 4)
    if (this.sum.wordBits === 32) add32(to, from)
    else add64(to, from)
  }
}

/** @throws ROTA-2103 when they differ in length or word size, or there is none */
export function addVectors(vectors: readonly RingVector[]): RingVector {
  const first = vectors[0]
  if (!first) throw new RotaError('ROTA-2103', { reason: 'there is nothing to add' })
  const adder = new RingAdder(first.wordBits, first.bytes.length)
  adder.sum.bytes.set(first.bytes)
  for (const vector of vectors.slice(1)) {
    if (vector.wordBits !== first.wordBits || vector.bytes.length !== first.bytes.length)
      throw new RotaError('ROTA-2103', {
        reason: `${vector.bytes.length} bytes of ${vector.wordBits}-bit words beside ${first.bytes.length} of ${first.wordBits}`,
      })
    adder.add(vector.bytes)
  }
  return adder.sum
}

/** Signed views: 32-bit integer addition stays in registers, where unsigned words would become float64. */
function add32(to: Int32Array, from: Int32Array): void {
  for (let i = 0; i < from.length; i++) to[i] = ((to[i] as number) + (from[i] as number)) | 0
}

function add64(to: Int32Array, from: Int32Array): void {
  for (let i = 0; i < from.length; i += 2) {
    const low = ((to[i] as number) >>> 0) + ((from[i] as number) >>> 0)
    to[i] = low | 0
    to[i + 1] = ((to[i + 1] as number) + (from[i + 1] as number) + (low > 0xffffffff ? 1 : 0)) | 0
  }
}
