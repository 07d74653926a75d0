import { integerBound, SALT_BYTES, vectorBytes } from './layout.ts'
import type { VectorBlock, VectorLayout } from './vectors.ts'

/**
 * Looks at one site's plain vector part by part, in any order, so that nobody's vector carries more weight in an open study than the
 * protocol allows: its length, each coordinate's range, no negative number of rows, and, of a block of weights, the norm.
 *
 * Weights stand in the sum as delta × rows / maxRows, and the norm of delta is bounded; rounding moves a coordinate by less than a step.
 * Without this one site could make every sum refused, or weigh more than its rows. Who sees some parts only bounds the norm of these.
 */
export class VectorCheck {
  readonly #layout: VectorLayout
  #fault: string | null = null
  #squares = 0
  /** Of the rows bound: 1 until the part that says it was seen. */
  #share = 1

  constructor(layout: VectorLayout, lengthBytes: number) {
    this.#layout = layout
    this.#fault = lengthFault(lengthBytes, layout)
  }

  /** @param offset of the part in the vector, in bytes: parts begin and end at whole coordinates, salt apart */
  look(part: Uint8Array, offset: number): void {
    if (this.#fault !== null) return
    const salt = Math.max(0, Math.min(SALT_BYTES - offset, part.length))
    const body = part.subarray(salt)
    const first = (offset + salt - SALT_BYTES) / sizeOf(this.#layout)
    let start = 0
    for (const block of this.#layout.blocks) {
      const [from, to] = [Math.max(first, start), Math.min(first + body.length / sizeOf(this.#layout), start + block.length)]
      if (from < to) this.#lookAt(body, from - first, to - first, block, first)
      start += block.length
    }
  }

  /** Why what was looked at may not be added, or null. */
  fault(): string | null {
    if (this.#fault !== null) return this.#fault
    const delta = this.#layout.blocks[1]
    if (delta?.name !== 'delta') return null
    const most = delta.bound * this.#share * (1 + 1e-9) * 2 ** delta.fractionBits + Math.sqrt(delta.length)
    return Math.sqrt(this.#squares) <= most ? null : 'its weights are beyond the norm bound'
  }

  #lookAt(body: Uint8Array, from: number, to: number, block: VectorBlock, first: number): void {
    const most = integerBound(block)
    const beyond = block.name === 'delta' ? this.#addSquares(wordsOf(body), from, to, most) : firstBeyond(coordinatesOf(body, this.#layout), from, to, most)
    if (beyond >= 0) this.#fault = `${this.#layout.name(first + beyond)} is out of its range`
    else if (first === 0 && from === 0) this.#lookAtRows(coordinatesOf(body, this.#layout)(0), block)
  }

  #lookAtRows(rows: number, block: VectorBlock): void {
    // With noise there is no number of rows: a sum comes first, of either sign.
    if (rows < 0 && block.name === 'rows') this.#fault = 'a negative number of rows'
    if (this.#layout.blocks[1]?.name === 'delta') this.#share = Math.min(1, rows / block.bound)
  }

  /** The large case: weights are 32-bit words. @returns the first that is out of range, or −1 */
  #addSquares(words: Int32Array, from: number, to: number, most: number): number {
    const squares = squaresWithin(words, from, to, most)
    if (squares < 0) return firstBeyond((i) => words[i] as number, from, to, most)
    this.#squares += squares
    return -1
  }
}

/** Sum of the squares of 32-bit words, added up in their order; −1 when one is beyond `most`. */
export function squaresWithin(words: Int32Array, from: number, to: number, most: number): number {
  let squares = 0
  for (let i = from; i < to; i++) {
    const word = words[i] as number
    if (word > most || word < -most) return -1
    squares += word * word
  }
  return squares
}

/** Bytes of a coordinate. */
const sizeOf = ({ limbs, wordBits }: VectorLayout): number => (limbs * wordBits) / 8

/** Why a vector of this length may not be added, or null: all that can be told of masked words. */
export function lengthFault(lengthBytes: number, layout: VectorLayout): string | null {
  const expected = vectorBytes(layout)
  return lengthBytes === expected ? null : `${lengthBytes} bytes where the stage has ${expected}`
}

/** Why a whole vector may not be added, or null. */
export function faultOf(bytes: Uint8Array, layout: VectorLayout): string | null {
  const check = new VectorCheck(layout, bytes.length)
  check.look(bytes, 0)
  return check.fault()
}

function firstBeyond(at: (i: number) => number, from: number, to: number, most: number): number {
  for (let i = from; i < to; i++) if (!(Math.abs(at(i)) <= most)) return i
  return -1
}

/** Coordinate i as a signed integer; above 2^53 rounded to the nearest float64, which is the same everywhere. */
export function coordinatesOf(body: Uint8Array, layout: VectorLayout): (i: number) => number {
  if (layout.limbs === 1 && layout.wordBits === 32) {
    const words = wordsOf(body)
    return (i) => words[i] as number
  }
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  return layout.limbs === 4 ? (i) => Number(joinLimbs(view, i * 16)) : (i) => Number(view.getBigInt64(i * 8, true))
}

/** 32-bit words. Little-endian machines only, as Node supports no other in practice; a copy where the bytes are not aligned. */
export function wordsOf(body: Uint8Array): Int32Array {
  const aligned = body.byteOffset % 4 === 0 ? body : body.slice()
  return new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4)
}

function joinLimbs(view: DataView, at: number): bigint {
  let value = 0n
  for (let limb = 0; limb < 4; limb++) value += BigInt(view.getUint32(at + limb * 4, true)) << BigInt(16 * limb)
  return BigInt.asIntN(64, value)
}
