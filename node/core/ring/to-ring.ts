import { release } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import { roomyFloats, withRoom } from '../model/roomy.ts'
import { integerBound, SALT_BYTES, vectorBytes } from './layout.ts'
import { powerOfTwo } from './powers.ts'
import type { BoundedUpdate, ExactUpdate, NeuralUpdate, RingVector, VectorBlock } from './vectors.ts'

/** Cryptographically secure outside rehearsals; ports/host.ts has the same shape. */
export interface RandomSource {
  /** Fresh memory: who draws may free it. */
  bytes(length: number): Uint8Array
}

/**
 * Fixed point in the ring. Exact vectors are integers already; neural ones are rounded up or down at random, so that
 * the mean of the rounded value is the value (to 2^-17 of a step: 16 random bits decide).
 * @param salt 32 fresh random bytes: they keep the root of a vector over few values from being guessed
 */
export function toRing(update: BoundedUpdate, salt: Uint8Array, random: RandomSource): RingVector {
  return vectorOf(update, salt, random, new Uint8Array(vectorBytes(update.layout)))
}

/** As `toRing`, but it uses the update up: large weights are written over where there is room around them, and else are in memory to be given back. */
export function intoRing(update: BoundedUpdate, salt: Uint8Array, random: RandomSource): RingVector {
  if (update.kind === 'exact') return toRing(update, salt, random)
  const { delta, layout } = update
  const head = vectorBytes(layout) - 4 * delta.length
  const bytes = withRoom(delta, head, 0) ?? withRoom(roomyFloats(delta.length), head, 0)
  return bytes === null ? toRing(update, salt, random) : vectorOf(update, salt, random, bytes)
}

function vectorOf(update: BoundedUpdate, salt: Uint8Array, random: RandomSource, bytes: Uint8Array): RingVector {
  if (salt.length !== SALT_BYTES) throw new RotaError('ROTA-2103', { reason: `a salt of ${salt.length} bytes` })
  bytes.set(salt)
  if (update.kind === 'exact') writeExact(update, bytes)
  else writeNeural(update, bytes, random)
  return { ring: true, wordBits: update.layout.wordBits, bytes }
}

function writeExact({ layout, coordinates }: ExactUpdate, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset + SALT_BYTES)
  if (layout.limbs === 1) coordinates.forEach((c, i) => view.setBigInt64(i * 8, c, true))
  else coordinates.forEach((c, i) => writeLimbs(view, i * 16, BigInt.asUintN(64, c)))
}

function writeLimbs(view: DataView, at: number, value: bigint): void {
  for (let limb = 0; limb < 4; limb++) view.setUint32(at + limb * 4, Number((value >> BigInt(16 * limb)) & 0xffffn), true)
}

/** Pieces of randomness: 1 MiB of vector at a time. Each is freed at once: left to the collector they come to half a vector. */
const PIECE = 1 << 18

function writeNeural({ layout, rows, weight, delta, scale }: NeuralUpdate & BoundedUpdate, bytes: Uint8Array, random: RandomSource): void {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + SALT_BYTES, layout.length)
  words[0] = rows
  const block = layout.blocks[1] as VectorBlock
  const factor = scale * weight * powerOfTwo(block.fractionBits)
  const most = integerBound(block)
  for (let start = 0; start < delta.length; start += PIECE) {
    const count = Math.min(PIECE, delta.length - start)
    const drawn = random.bytes(count * 2)
    const coins = drawn.byteOffset % 2 === 0 ? new Uint16Array(drawn.buffer, drawn.byteOffset, count) : new Uint16Array(drawn.slice().buffer)
    roundPiece(delta.subarray(start, start + count), coins, factor, most, words.subarray(1 + start, 1 + start + count))
    release(drawn)
  }
}

/**
 * Both may be the same memory. Without branches: which way a coordinate goes is random, and a processor that guesses wrong takes twice the time.
 */
function roundPiece(delta: Float32Array, coins: Uint16Array, factor: number, most: number, into: Int32Array): void {
  for (let i = 0; i < into.length; i++) {
    const rounded = Math.floor((delta[i] as number) * factor + (coins[i] as number) / 65536)
    into[i] = Math.max(-most, Math.min(most, rounded))
  }
}
