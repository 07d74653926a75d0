import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '#base/bytes.ts'
import { roomyFloats } from '#core/model/roomy.ts'
import { Seeded } from '#core/model/seeded.ts'
import { addVectors, RingAdder } from '#core/ring/add.ts'
import { boundUpdate } from '#core/ring/bound.ts'
import { decodeSum } from '#core/ring/decode.ts'
import { layoutOf, SALT_BYTES, vectorBytes } from '#core/ring/layout.ts'
import { intoRing, toRing } from '#core/ring/to-ring.ts'
import { faultOf, VectorCheck } from '#core/ring/vector-check.ts'
import type { LocalUpdate, RingVector, VectorLayout } from '#core/ring/vectors.ts'
import { withinBounds } from '#round/steps/tolerance.ts'

const exactLayout = (wordBits: 32 | 64): VectorLayout =>
  layoutOf('exact', wordBits, [
    { name: 'rows', length: 1, fractionBits: 0, bound: 1000 },
    { name: 'sum', length: 3, fractionBits: 32, bound: 1000, columns: ['age', 'bmi', 'sex'] },
    { name: 'count', length: 2, fractionBits: 0, bound: 1000 },
  ])

const neuralLayout = (length: number, fractionBits = 20): VectorLayout =>
  layoutOf('neural', 32, [
    { name: 'rows', length: 1, fractionBits: 0, bound: 1000 },
    { name: 'delta', length, fractionBits, bound: 10 },
  ])

const salt = (seed: number): Uint8Array => new Seeded(seed).bytes(SALT_BYTES)
const exact = (layout: VectorLayout, values: readonly bigint[]): LocalUpdate => ({ kind: 'exact', layout, coordinates: BigInt64Array.from(values) })
const neural = (delta: Float32Array, rows = 100, normBound = 10, layout = neuralLayout(delta.length)): LocalUpdate => ({
  kind: 'neural',
  layout,
  rows,
  weight: rows / 1000,
  delta,
  normBound,
})
const ring = (update: LocalUpdate, seed = 1): RingVector => toRing(boundUpdate(update), salt(seed), new Seeded(seed + 1000))
const valuesOf = (vector: RingVector, layout: VectorLayout, sites: number): number[] => {
  const sum = decodeSum(vector.bytes, layout, sites)
  return Array.from({ length: sum.length }, (_, i) => sum.at(i))
}

const UNIT = 2n ** 32n

describe('ring: exact vectors', () => {
  for (const wordBits of [64, 32] as const) {
    const layout = exactLayout(wordBits)
    it(`given ${wordBits}-bit words, the ring sum is the plain sum, negative values included, in any order of updates`, () => {
      const random = new Seeded(wordBits)
      const draw = (): bigint => (BigInt(random.word()) * 1000n - 2147483648n * 1000n) * 2n
      const updates = Array.from({ length: 20 }, (_, s) => exact(layout, [BigInt(s), draw(), draw(), draw(), BigInt(s * 3), 1n]))
      const vectors = updates.map((update, s) => ring(update, s))
      const plain = Array.from({ length: layout.length }, (_, i) =>
        updates.reduce((sum, update) => sum + ((update as { coordinates: BigInt64Array }).coordinates[i] as bigint), 0n),
      )
      const sum = addVectors(vectors)
      assert.deepEqual(
        valuesOf(sum, layout, 20),
        plain.map((value, i) => Number(value) * 2 ** -layout.fractionBits(i)),
      )
      assert.deepEqual(addVectors(vectors.toReversed()).bytes, sum.bytes)
    })

    it(`given ${wordBits}-bit words, the vector has the layout's length and starts with the salt`, () => {
      const vector = ring(exact(layout, [5n, 1n, -1n, 0n, 7n, 0n]), 3)
      assert.equal(vector.bytes.length, vectorBytes(layout))
      assert.deepEqual(vector.bytes.subarray(0, SALT_BYTES), salt(3))
      assert.equal(faultOf(vector.bytes, layout), null)
    })
  }

  it('given known coordinates, the bytes are the golden ones: little-endian two’s complement, 16 bits a word in 32-bit words', () => {
    const values = [3n, -1n, UNIT, -2n * UNIT, 1000n, 0n]
    const zero = new Uint8Array(SALT_BYTES)
    const hexOf = (wordBits: 32 | 64): string =>
      toHex(toRing(boundUpdate(exact(exactLayout(wordBits), values)), zero, new Seeded(1)).bytes.subarray(SALT_BYTES))
    assert.equal(
      hexOf(64),
      `0x${['0300000000000000', 'ffffffffffffffff', '0000000001000000', '00000000feffffff', 'e803000000000000', '0000000000000000'].join('')}`,
    )
    assert.equal(
      hexOf(32),
      `0x${['03000000000000000000000000000000', 'ffff0000ffff0000ffff0000ffff0000', '00000000000000000100000000000000', '0000000000000000feff0000ffff0000', 'e8030000000000000000000000000000', '00'.repeat(16)].join('')}`,
    )
  })

  it('given a coordinate beyond its bound, it is refused by name and never scaled', () => {
    const layout = exactLayout(64)
    assert.doesNotThrow(() => boundUpdate(exact(layout, [1000n, 1000n * UNIT, 0n, 0n, 0n, 0n])))
    assert.throws(() => boundUpdate(exact(layout, [1n, 0n, 1000n * UNIT + 1n, 0n, 0n, 0n])), {
      code: 'ROTA-2102',
      details: { coordinate: 'sum[bmi]', value: 1000 + 2 ** -32, bound: 1000 },
    })
    assert.throws(() => boundUpdate(exact(layout, [-1001n, 0n, 0n, 0n, 0n, 0n])), { code: 'ROTA-2102' })
    assert.throws(() => boundUpdate(exact(layout, [1n])), { code: 'ROTA-2103' })
  })
})

describe('ring: neural vectors', () => {
  it('given a norm above the bound, the delta is scaled to it; below, it is left alone', () => {
    assert.equal(boundUpdate(neural(Float32Array.of(3, 4), 100, 10)).scale, 1)
    assert.equal(boundUpdate(neural(Float32Array.of(30, 40), 100, 10)).scale, 0.2)
    const [, a, b] = valuesOf(ring(neural(Float32Array.of(30, 40), 1000)), neuralLayout(2), 1) as [number, number, number]
    assert.ok(Math.abs(a - 6) < 1e-5 && Math.abs(b - 8) < 1e-5)
  })

  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    it(`given ${bad} among the weights, it is refused and the coordinate named`, () => {
      assert.throws(() => boundUpdate(neural(Float32Array.of(1, 2, bad, 3))), { code: 'ROTA-2101', details: { coordinate: 'delta[2]' } })
    })
  }

  it('given values between two steps, rounding is up or down at random and right on average', () => {
    const delta = new Float32Array(20_000).fill(0.3 / 2 ** 8)
    const values = valuesOf(ring(neural(delta, 1000, 10, neuralLayout(delta.length, 8))), neuralLayout(delta.length, 8), 1).slice(1)
    assert.deepEqual([...new Set(values)].sort(), [0, 2 ** -8])
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length
    assert.ok(Math.abs(mean * 2 ** 8 - 0.3) < 0.02, `mean ${mean * 2 ** 8}`)
  })

  it('given several sites, the sum is the sum of weight × delta to a step a site, and n is exact', () => {
    const random = new Seeded(5)
    const deltas = [100, 250, 37].map((rows) => ({ rows, delta: Float32Array.from({ length: 500 }, () => (random.uniform() - 0.5) / 10) }))
    const sum = addVectors(deltas.map(({ rows, delta }, s) => ring(neural(delta, rows), s)))
    const values = valuesOf(sum, neuralLayout(500), 3)
    assert.equal(values[0], 387)
    for (let i = 0; i < 500; i++) {
      const plain = deltas.reduce((total, { rows, delta }) => total + (rows / 1000) * (delta[i] as number), 0)
      assert.ok(Math.abs((values[1 + i] as number) - plain) <= 3 * 2 ** -20)
    }
  })

  it('given large weights with or without room around them, their vector is the same in memory to be given back', () => {
    const count = 300_000
    const numbers = Float32Array.from({ length: count }, (_, i) => Math.sin(i) / 100)
    const room = roomyFloats(count)
    room.set(numbers)
    const into = (delta: Float32Array): RingVector => intoRing(boundUpdate(neural(delta)), salt(1), new Seeded(1001))
    const plain = ring(neural(numbers))
    const copied = into(numbers)
    const inPlace = into(room)
    assert.equal(Buffer.compare(copied.bytes, plain.bytes), 0)
    assert.equal(Buffer.compare(inPlace.bytes, plain.bytes), 0)
    assert.equal(inPlace.bytes.buffer, room.buffer)
    assert.notEqual(copied.bytes.buffer, numbers.buffer)
  })

  it('given large weights, the randomness that rounds them takes no more memory than one piece of it', () => {
    const drawn: Uint8Array[] = []
    const most: number[] = []
    const random = {
      bytes(length: number): Uint8Array {
        drawn.push(new Seeded(drawn.length).bytes(length))
        most.push(drawn.reduce((sum, { byteLength }) => sum + byteLength, 0))
        return drawn.at(-1) as Uint8Array
      },
    }
    toRing(boundUpdate(neural(new Float32Array(1_000_000))), salt(1), random)
    assert.ok(drawn.length > 2)
    assert.equal(Math.max(...most), most[0])
    assert.equal(drawn.at(-1)?.byteLength, 0)
  })

  it('given the same randomness, the bytes are the same', () => {
    const delta = Float32Array.from({ length: 1000 }, (_, i) => Math.fround(Math.sin(i)) / 100)
    assert.deepEqual(ring(neural(delta), 9).bytes, ring(neural(delta), 9).bytes)
    assert.notDeepEqual(ring(neural(delta), 9).bytes, ring(neural(delta), 10).bytes)
  })
})

describe('ring: adding', () => {
  for (const wordBits of [32, 64] as const) {
    it(`given ${wordBits}-bit words that wrap around, it adds modulo 2^${wordBits} as plain integers do, whole or in pieces, aligned or not`, () => {
      const length = 64 * 1024
      const vectors = [1, 2, 3].map((seed) => new Seeded(seed).bytes(length))
      const read = (bytes: Uint8Array, at: number): bigint =>
        wordBits === 32
          ? BigInt(new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true))
          : new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at, true)
      const adder = new RingAdder(wordBits, length)
      for (const vector of vectors) {
        const odd = new Uint8Array(length + 1)
        odd.set(vector, 1)
        for (let at = 0; at < length; at += 24_000) adder.add(odd.subarray(1 + at, 1 + Math.min(length, at + 24_000)), at)
      }
      for (let at = 0; at < length; at += wordBits / 8)
        assert.equal(
          read(adder.sum.bytes, at),
          BigInt.asUintN(
            wordBits,
            vectors.reduce((sum, vector) => sum + read(vector, at), 0n),
          ),
        )
      assert.deepEqual(addVectors(vectors.map((bytes) => ({ ring: true, wordBits, bytes }))).bytes, adder.sum.bytes)
    })
  }

  it('given vectors that do not fit together, it refuses', () => {
    const vector = (length: number, wordBits: 32 | 64 = 64): RingVector => ({ ring: true, wordBits, bytes: new Uint8Array(length) })
    assert.throws(() => addVectors([]), { code: 'ROTA-2103' })
    assert.throws(() => addVectors([vector(64), vector(72)]), { code: 'ROTA-2103' })
    assert.throws(() => addVectors([vector(64), vector(64, 32)]), { code: 'ROTA-2103' })
    assert.throws(() => new RingAdder(64, 60), { code: 'ROTA-2103' })
    assert.throws(() => new RingAdder(64, 64).add(new Uint8Array(8), 60), { code: 'ROTA-2103' })
    assert.throws(() => new RingAdder(64, 64).add(new Uint8Array(16), 56), { code: 'ROTA-2103' })
  })
})

describe('ring: what is well-formed', () => {
  const layout = exactLayout(64)
  const good = ring(exact(layout, [5n, 1n, -1n, 0n, 7n, 0n])).bytes
  it('given a short, long or empty vector, it is not', () => {
    assert.equal(faultOf(good, layout), null)
    assert.notEqual(faultOf(good.subarray(1), layout), null)
    assert.notEqual(faultOf(new Uint8Array(good.length + 8), layout), null)
    assert.notEqual(faultOf(new Uint8Array(0), layout), null)
    assert.notEqual(faultOf(new Uint8Array(8_000_000), layout), null)
    assert.throws(() => decodeSum(good.subarray(8), layout, 1), { code: 'ROTA-2103' })
  })

  it('given a coordinate that no honest site could send, it is not', () => {
    const huge = good.slice()
    new DataView(huge.buffer).setBigInt64(SALT_BYTES + 8, 2n ** 62n, true)
    assert.match(faultOf(huge, layout) ?? '', /sum\[age\]/)
    const negative = good.slice()
    new DataView(negative.buffer).setBigInt64(SALT_BYTES, -5n, true)
    assert.notEqual(faultOf(negative, layout), null)
  })

  it('given the parts of a vector in any order, it finds what it finds in the whole', () => {
    const weights = neuralLayout(40_000)
    const delta = new Float32Array(40_000).fill(0.04)
    const whole = toRing(boundUpdate({ kind: 'neural', layout: weights, rows: 500, weight: 0.5, delta, normBound: 10 }), salt(1), new Seeded(2)).bytes
    const wrong = whole.slice()
    new Int32Array(wrong.buffer).fill(2 ** 18, 20_000)
    const parts = (bytes: Uint8Array) => [65_536, 0, 131_072].map((at) => [bytes.subarray(at, at + 65_536), at] as const)
    const found = (bytes: Uint8Array, seen: readonly number[]) => {
      const check = new VectorCheck(weights, bytes.length)
      for (const part of seen) check.look(...(parts(bytes)[part] as readonly [Uint8Array, number]))
      return check.fault()
    }
    assert.equal(found(whole, [0, 1, 2]), null)
    assert.match(found(wrong, [0, 1, 2]) ?? '', /norm/)
    assert.equal(found(wrong, [1]), null)
    assert.match(found(wrong, [0]) ?? '', /norm/)
    wrong[SALT_BYTES + 4 + 3] = 0x7f
    assert.match(found(wrong, [0, 1]) ?? '', /delta\[0\]/)
  })

  it('given a large sum in words, it is judged as number by number', () => {
    const weights = neuralLayout(5_000)
    const bytes = new Uint8Array(vectorBytes(weights))
    const words = new Int32Array(bytes.buffer, SALT_BYTES)
    const judge = (word: number, more = 0) => {
      words.fill(word, 1)
      words[17] = word + more
      const sum = decodeSum(bytes, weights, 3)
      const { words: read, ...numbers } = sum
      assert.equal(read?.[17], word + more)
      assert.equal(sum.at(17), (word + more) * 2 ** -20)
      assert.equal(withinBounds(weights, sum), withinBounds(weights, numbers))
      return withinBounds(weights, sum)
    }
    // The norm of the sum is at most 30 and, for rounding, three steps a coordinate: 30 / √5000 and three steps each.
    const least = Math.floor((30 / Math.sqrt(5_000)) * 2 ** 20)
    assert.deepEqual(
      [judge(least), judge(least + 1), judge(-least), judge(least + 4), judge(0, 30 * 2 ** 20), judge(0, 30 * 2 ** 20 + 1)],
      [true, true, true, false, true, false],
    )
  })

  it('given a salt of the wrong length, no vector is made', () => {
    assert.throws(() => toRing(boundUpdate(exact(layout, [1n, 0n, 0n, 0n, 0n, 0n])), new Uint8Array(31), new Seeded(1)), { code: 'ROTA-2103' })
  })
})
