import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { noise } from '@libp2p/noise'
import { type Ciphers, frameCiphers } from '#adapters/network/noise-cipher.ts'
import { Seeded } from '#core/model/seeded.ts'

// given the library's ciphers and ours
// ├── what one seals the other opens, whole or in parts, and both make the same bytes
// ├── small frames, and those with associated data, are the library's
// └── a frame in which a bit was changed is not opened

const { crypto: library } = noise()({ logger: { forComponent: () => () => undefined } } as never) as unknown as { readonly crypto: Ciphers }
const key = new Seeded(1).bytes(32)
const nonce = new Seeded(2).bytes(12)
const nothing = new Uint8Array(0)
const bytesOf = (parts: Uint8Array | Iterable<Uint8Array>): Buffer => Buffer.concat(parts instanceof Uint8Array ? [parts] : [...parts])

/** Stands for libp2p's own lists of parts. */
class List {
  readonly parts: Uint8Array[]
  constructor(...parts: Uint8Array[]) {
    this.parts = parts.filter(({ length }) => length > 0)
  }
  get byteLength(): number {
    return this.parts.reduce((sum, part) => sum + part.length, 0)
  }
  append(part: Uint8Array): void {
    this.parts.push(part)
  }
  subarray(start: number, end?: number): Uint8Array {
    return Buffer.concat(this.parts).subarray(start, end)
  }
  sublist(start: number, end = this.byteLength): List {
    let at = 0
    return new List(...this.parts.map((part) => part.subarray(Math.max(0, start - at), Math.max(0, end - (at += part.length) + part.length))))
  }
  [Symbol.iterator](): Iterator<Uint8Array> {
    return this.parts[Symbol.iterator]()
  }
}

/** Cut in two, as a header and what follows it are. */
const cut = (bytes: Uint8Array, at: number): List => new List(bytes.slice(0, at), bytes.slice(at))

describe('ciphers of frames', () => {
  const ours = frameCiphers(library)

  for (const size of [1_200, 1_201, 65_519])
    it(`of ${size} bytes are the library's, byte by byte`, () => {
      const text = new Seeded(size).bytes(size)
      const sealed = bytesOf(ours.encrypt(cut(text, 12), nonce, nothing, key))
      assert.ok(sealed.equals(bytesOf(library.encrypt(text, nonce, nothing, key))))
      for (const at of [1, 700, size, size + 3]) assert.ok(bytesOf(ours.decrypt(cut(sealed, at), nonce, nothing, key)).equals(text))
      assert.ok(bytesOf(library.decrypt(sealed.slice(), nonce, nothing, key)).equals(text))
    })

  it('leaves to the library what is small, and what has associated data', () => {
    let calls = 0
    const counting: Ciphers = {
      encrypt: (text) => {
        calls++
        return text
      },
      decrypt: library.decrypt,
    }
    const counted = frameCiphers(counting)
    counted.encrypt(cut(new Uint8Array(100), 12), nonce, nothing, key)
    counted.encrypt(cut(new Uint8Array(9_000), 12), nonce, new Uint8Array(32), key)
    assert.equal(calls, 2)
    counted.encrypt(cut(new Uint8Array(9_000), 12), nonce, nothing, key)
    assert.equal(calls, 2)
  })

  it('opens no frame that was changed', () => {
    const sealed = bytesOf(ours.encrypt(cut(new Uint8Array(5_000), 12), nonce, nothing, key))
    for (const at of [0, 4_999, 5_015]) {
      const changed = Uint8Array.from(sealed)
      changed[at] = (changed[at] as number) ^ 1
      assert.throws(() => ours.decrypt(cut(changed, 2_000), nonce, nothing, key))
    }
  })
})
