import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keystream } from '#adapters/masking/keystream.ts'
import { addStreams, CHUNK_BYTES, opposite, type Stream } from '#core/masking/words.ts'
import { Seeded } from '#core/model/seeded.ts'
import { below } from '../../support/masked-party.ts'

// given words and streams
// ├── they are added and taken away mod 2^32 or 2^64, as with big integers, carries included
// ├── any range alone, of any alignment and across chunks, is as it is in the whole
// └── the opposite takes them off again; bytes that are no whole words are refused

const MODULUS = { 32: 1n << 32n, 64: 1n << 64n } as const

function slowly(bytes: Uint8Array, wordBits: 32 | 64, streams: readonly Stream[]): Uint8Array {
  const size = wordBits / 8
  const read = (from: Uint8Array, at: number) => {
    const view = new DataView(from.buffer, from.byteOffset + at)
    return wordBits === 32 ? BigInt(view.getUint32(0, true)) : view.getBigUint64(0, true)
  }
  const out = new DataView(new ArrayBuffer(bytes.length))
  const masks = streams.map(({ key }) => Uint8Array.from(keystream(key, 0n, bytes.length)))
  for (let at = 0; at < bytes.length; at += size) {
    const sum = streams.reduce((total, { sign }, s) => total + BigInt(sign) * read(masks[s]!, at), read(bytes, at))
    const word = ((sum % MODULUS[wordBits]) + MODULUS[wordBits]) % MODULUS[wordBits]
    if (wordBits === 32) out.setUint32(at, Number(word), true)
    else out.setBigUint64(at, word, true)
  }
  return new Uint8Array(out.buffer)
}

const streamsFrom = (random: Seeded, count: number): Stream[] =>
  Array.from({ length: count }, (_, i) => ({ key: random.bytes(32), sign: i % 2 === 0 ? 1 : -1 }))

describe('streams of masks', () => {
  for (const wordBits of [32, 64] as const)
    it(`of ${wordBits}-bit words add and take away as big integers do`, () => {
      const random = new Seeded(wordBits)
      for (const count of [1, 2, 5]) {
        const streams = streamsFrom(random, count)
        for (const bytes of [random.bytes(800), new Uint8Array(800), new Uint8Array(800).fill(255)]) {
          const masked = bytes.slice()
          addStreams(masked, wordBits, 0, streams, keystream)
          assert.deepEqual(masked, slowly(bytes, wordBits, streams))
          addStreams(masked, wordBits, 0, opposite(streams), keystream)
          assert.deepEqual(masked, bytes)
        }
      }
    })

  it('of any range alone are as in the whole', () => {
    const random = new Seeded(6)
    const length = CHUNK_BYTES + 4096
    for (const wordBits of [32, 64] as const) {
      const [streams, plain, size] = [streamsFrom(random, 2), random.bytes(length), wordBits / 8]
      const whole = plain.slice()
      addStreams(whole, wordBits, 0, streams, keystream)
      for (let i = 0; i < 100; i++) {
        const near = i % 2 === 0 ? CHUNK_BYTES / size - 20 : 0
        const first = near + below(random, i % 4 === 3 ? length / size : 40)
        const end = Math.min(length / size, first + below(random, 60))
        // In memory that does not begin at a word, every third time.
        const shift = i % 3 === 0 ? 1 : 0
        const part = new Uint8Array((end - first) * size + shift).subarray(shift)
        part.set(plain.subarray(first * size, end * size))
        addStreams(part, wordBits, first, streams, keystream)
        assert.deepEqual(part, whole.slice(first * size, end * size), `${first} to ${end}`)
      }
    }
  })

  it('refuse half a word', () => {
    assert.throws(() => addStreams(new Uint8Array(12), 64, 0, [], keystream), { code: 'ROTA-2103' })
  })
})
