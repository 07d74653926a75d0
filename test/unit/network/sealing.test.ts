import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unixfs } from '@helia/unixfs'
import { CID } from 'multiformats/cid'
import { heliaLight } from '#adapters/store/load-helia.ts'
import { objectKey, openPiece, openUnchecked, PIECE_BYTES, pieceCount, plainLength, type Sealed, sealedLength, sealPieces } from '#adapters/store/sealing.ts'
import { blocksOf } from '#adapters/store/unixfs-tree.ts'
import { fromHex, toHex } from '#base/bytes.ts'
import { type Digest, digest } from '#base/ids.ts'

const EPOCH_KEY = new Uint8Array(32).fill(1)
const ROOT = digest(`0x${'ab'.repeat(32)}`)
const PLAIN_PIECE = PIECE_BYTES - 16

function seal(plaintext: Uint8Array, kind: Sealed['kind'] = 'update', root: Digest = ROOT): Uint8Array {
  return Buffer.concat([...sealPieces(plaintext, objectKey(EPOCH_KEY, { kind, lengthBytes: plaintext.length, root }))])
}

function open(sealed: Uint8Array, kind: Sealed['kind'] = 'update'): Uint8Array | null {
  const lengthBytes = plainLength(sealed.length)
  if (lengthBytes === null) return null
  const key = objectKey(EPOCH_KEY, { kind, lengthBytes, root: ROOT })
  const plaintext = new Uint8Array(lengthBytes)
  const pieces = Array.from({ length: pieceCount(lengthBytes) }, (_, index) =>
    openPiece(sealed.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES), index, key, plaintext),
  )
  return pieces.every(Boolean) ? plaintext : null
}

/**
 * given bytes of any length around a piece
 * ├── when sealed and opened, they are the same, and one byte, piece or order changed does not open
 * ├── when sealed again, the same bytes come out; the format's golden vectors hold
 * ├── when opened without looking at tags, one changed byte is one changed byte
 * └── when added as UnixFS, the CID is the golden one, by the lone class and by createHeliaLight
 */
describe('sealing', () => {
  for (const size of [0, 1, 112, PLAIN_PIECE - 1, PLAIN_PIECE, PLAIN_PIECE + 1, 2 * PLAIN_PIECE]) {
    it(`opens ${size} bytes again`, () => {
      const plaintext = new Uint8Array(size).map((_, index) => (index * 7) & 255)
      const sealed = seal(plaintext)
      assert.equal(sealed.length, sealedLength(size))
      assert.deepEqual(open(sealed), plaintext)
      assert.ok(Buffer.from(seal(plaintext)).equals(sealed))
      assert.equal(open(sealed, 'sum'), null)
      for (const at of [0, sealed.length >> 1, sealed.length - 1]) {
        const changed = Uint8Array.from(sealed)
        changed[at]! ^= 1
        assert.equal(open(changed), null)
        const unchecked = openUnchecked(changed, EPOCH_KEY, { kind: 'update', root: ROOT })!
        assert.ok(unchecked.filter((byte, index) => byte !== plaintext[index]).length <= 1)
      }
    })
  }

  it('does not open pieces that were exchanged, cut off or added', () => {
    const sealed = seal(new Uint8Array(2 * PLAIN_PIECE))
    const [first, second] = [sealed.subarray(0, PIECE_BYTES), sealed.subarray(PIECE_BYTES)]
    for (const other of [Buffer.concat([second, first]), first, Buffer.concat([sealed, second]), sealed.subarray(0, -1), new Uint8Array(15)])
      assert.equal(open(other), null)
  })

  it('keeps its format', () => {
    // Made with Python's hmac and cryptography (HKDF after RFC 5869, AES-256-GCM), not with this code.
    assert.equal(toHex(objectKey(EPOCH_KEY, { kind: 'update', lengthBytes: 4, root: ROOT })), GOLDEN_KEY)
    assert.equal(toHex(seal(fromHex('0x01020304'))), GOLDEN_SEALED)
  })

  it('keeps its CIDs', async () => {
    const bytes = new Uint8Array(2 * PIECE_BYTES + 5).fill(9)
    const blocks = await blocksOf(bytes, unixfs)
    assert.equal(blocks.at(-1)!.cid.toString(), GOLDEN_CID)
    assert.deepEqual(
      blocks.map((block) => block.cid.code),
      [0x55, 0x55, 0x55, 0x70],
    )
    assert.equal((await blocksOf(new Uint8Array(3), unixfs)).at(-1)!.cid.code, 0x70, 'a single leaf gets a root too')
    const { createHeliaLight } = await import('helia')
    for (const helia of [await heliaLight({}), createHeliaLight({})]) {
      const cid = await unixfs(helia).addBytes(bytes, { cidVersion: 1, rawLeaves: true, reduceSingleLeafToSelf: false })
      assert.ok(cid.equals(CID.parse(GOLDEN_CID)))
    }
  })
})

const GOLDEN_KEY = '0xf250ef6bb8388bac981caf0aff839c52122b212b8a93592913e4b10e3dc3a3ab'
const GOLDEN_SEALED = '0x92928651532e9e79f8f93b90e047aeed92e7fd93'
/** Of @helia/unixfs 8.0.5. */
const GOLDEN_CID = 'bafybeigxtfgnkdlq3b6zxjttuyjh2657lxp2pzht4vrbcgyyhkpxyndbri'
