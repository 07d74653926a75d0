import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { keyedDigests } from '#adapters/vault/keyed-digest.ts'
import { Seeded } from '#core/model/seeded.ts'

describe('a keyed digest', () => {
  it('is HMAC-SHA-256 of the parts joined, whatever their lengths', () => {
    const random = new Seeded(3)
    const bytes = (count: number) => Uint8Array.from({ length: count }, () => Math.floor(random.uniform() * 256))
    for (const keyBytes of [0, 1, 32, 63, 64]) {
      const key = bytes(keyBytes)
      const digest = keyedDigests(key)
      for (const lengths of [[], [0], [1], [3, 0, 55], [64, 64], [900, 59], [900, 60], [900, 61], [5_000], [7]]) {
        const parts = lengths.map(bytes)
        assert.equal(digest(parts), `0x${createHmac('sha256', key).update(Buffer.concat(parts)).digest('hex')}`)
      }
    }
    assert.throws(() => keyedDigests(bytes(65)), RangeError)
  })

  it('is that of RFC 4231, test cases 1 and 2', () => {
    const of = (key: Uint8Array, text: string) => keyedDigests(key)([Buffer.from(text)])
    assert.equal(of(new Uint8Array(20).fill(0x0b), 'Hi There'), '0xb0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7')
    assert.equal(of(Buffer.from('Jefe'), 'what do ya want for nothing?'), '0x5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843')
  })
})
