import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { fromHex, toHex } from '#base/bytes.ts'
import { Seeded } from '#core/model/seeded.ts'

// given published numbers (test/vectors/masking.json says whose)
// └── OpenSSL and the library, as we call them, give the same

const vectors = JSON.parse(await readFile(join(import.meta.dirname, '../../vectors/masking.json'), 'utf8'))
const bytes = (hex: string): Uint8Array => new Uint8Array(fromHex(hex))
const { hkdf, agreementKey, kemKey, encapsulate, keystream, seal, open, split, combine } = nodeMasking
/** Of ML-KEM-768. */
const SPKI_PREFIX = Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex')

describe('masking: known answers', () => {
  it('HKDF-SHA-256', () => {
    for (const { secret, salt, info, key } of vectors.hkdf.cases) assert.equal(toHex(hkdf(bytes(secret), bytes(salt), bytes(info), key.length / 2 - 1)), key)
  })

  it('X25519, and points of small order', () => {
    const { alice, bob, shared, smallOrder } = vectors.x25519
    const [a, b] = [agreementKey(bytes(alice.secret)), agreementKey(bytes(bob.secret))]
    assert.equal(toHex(a.publicKey), alice.public)
    assert.equal(toHex(b.publicKey), bob.public)
    assert.equal(toHex(a.agree(b.publicKey)!), shared)
    assert.equal(toHex(b.agree(a.publicKey)!), shared)
    for (const point of smallOrder) assert.equal(a.agree(bytes(point)), undefined, point)
    assert.equal(a.agree(new Uint8Array(31)), undefined)
  })

  it('AES-256-CTR, from any counter', () => {
    const { key, counter, plain, cipher } = vectors.aesCtr
    const [text, start] = [bytes(plain), BigInt(counter)]
    const stream = keystream(bytes(key), start, text.length)
    assert.equal(toHex(text.map((byte, i) => byte ^ stream[i]!)), cipher)
    for (let block = 0; block < text.length / 16; block++)
      assert.deepEqual(keystream(bytes(key), start + BigInt(block), 16), stream.subarray(16 * block, 16 * block + 16))
  })

  it('ML-KEM-768 key generation from a seed', () => {
    const { seed, publicInfo } = vectors.mlKem.keyGen
    const { publicKey } = kemKey(bytes(seed))
    const info = Buffer.concat([SPKI_PREFIX, publicKey]).toString('base64')
    assert.equal(info.slice(0, publicInfo.length), publicInfo)
    assert.equal(toHex(nodeMasking.sha256(publicKey)), vectors.mlKem.decapsulate.keyHash)
  })

  it('ML-KEM-768 decapsulation, implicit rejection, and what is malformed', () => {
    const { seed, text, secret, changed } = vectors.mlKem.decapsulate
    const key = kemKey(bytes(seed))
    assert.equal(toHex(key.decapsulate(bytes(text))!), secret)
    const other = bytes(text)
    other[0]! ^= 1
    assert.equal(toHex(key.decapsulate(other)!), changed)
    assert.equal(key.decapsulate(bytes(text).subarray(1)), undefined)
    const { text: fresh, secret: shared } = encapsulate(key.publicKey)!
    assert.deepEqual(key.decapsulate(fresh), shared)
    assert.equal(encapsulate(key.publicKey.subarray(1)), undefined)
    // Coefficients beyond the modulus.
    assert.equal(encapsulate(new Uint8Array(1184).fill(255)), undefined)
  })

  it('Shamir over GF(256): two known points of a line, and any five of eight', async () => {
    for (const { shares, secret } of vectors.shamir.lines) assert.equal(toHex((await combine(shares.map(bytes)))!), secret)
    const random = new Seeded(3)
    const own = random.bytes(32)
    const shares = await split(own, 8, 5)
    for (let i = 0; i < 8; i++) assert.deepEqual(await combine([...shares.slice(i), ...shares.slice(0, i)].slice(0, 5)), own)
    assert.notDeepEqual(await combine(shares.slice(0, 4)), own)
    assert.equal(await combine([shares[0]!, shares[0]!]), undefined)
  })

  it('seals that open under their key alone', () => {
    const random = new Seeded(8)
    const [key, plain] = [random.bytes(32), random.bytes(98)]
    const sealed = seal(key, plain)
    assert.equal(sealed.length, plain.length + 16)
    assert.deepEqual(new Uint8Array(open(key, sealed)!), plain)
    for (const at of [0, 50, 113])
      assert.equal(
        open(
          key,
          sealed.map((byte, i) => (i === at ? byte ^ 1 : byte)),
        ),
        undefined,
      )
    assert.equal(open(random.bytes(32), sealed), undefined)
    assert.equal(open(key, new Uint8Array(3)), undefined)
  })
})
