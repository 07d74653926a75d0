import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { unixfs } from '@helia/unixfs'
import { CID } from 'multiformats/cid'
import { heliaLight, loadHelia } from '#adapters/store/load-helia.ts'
import { openPiece, outlineKey, PIECE_BYTES, type Sealed, sealPiece, sliceKey, TAG_BYTES } from '#adapters/store/sealing.ts'
import { leafOf, treeOver } from '#adapters/store/unixfs-tree.ts'
import { fromHex, toHex } from '#base/bytes.ts'
import { digest } from '#base/ids.ts'

const EPOCH_KEY = new Uint8Array(32).fill(1)
const ROOT = digest(`0x${'ab'.repeat(32)}`)
const whole = (lengthBytes: number, kind: Sealed['kind'] = 'update'): Sealed => ({ kind, lengthBytes, root: ROOT })

function seal(plaintext: Uint8Array, index = 0, kind: Sealed['kind'] = 'update'): Uint8Array {
  const sealed = new Uint8Array(plaintext.length + TAG_BYTES)
  sealPiece(plaintext, index, sliceKey(EPOCH_KEY, whole(plaintext.length, kind)), sealed)
  return sealed
}

function open(sealed: Uint8Array, size: number, index = 0, kind: Sealed['kind'] = 'update'): Uint8Array | null {
  const plaintext = new Uint8Array(size)
  return openPiece(sealed, index, sliceKey(EPOCH_KEY, whole(size, kind)), plaintext) ? plaintext : null
}

/**
 * given bytes of any length up to a piece
 * ├── when sealed and opened, they are the same, and one byte, index, length or kind changed does not open
 * ├── when sealed again, the same bytes come out; the format's golden vectors hold
 * └── when added as UnixFS, the CID is the golden one, by the lone class and by createHeliaLight
 */
describe('sealing', () => {
  for (const size of [0, 1, 112, 64 * 1024, 64 * 1024 + 1, PIECE_BYTES - 1, PIECE_BYTES]) {
    it(`opens ${size} bytes again`, () => {
      const plaintext = new Uint8Array(size).map((_, index) => (index * 7) & 255)
      const sealed = seal(plaintext)
      assert.equal(sealed.length, size + TAG_BYTES)
      assert.deepEqual(open(sealed, size), plaintext)
      assert.ok(Buffer.from(seal(plaintext)).equals(sealed))
      assert.equal(open(sealed, size, 0, 'sum'), null)
      assert.equal(open(sealed, size, 1), null)
      assert.equal(open(sealed, size + 1), null)
      assert.equal(open(sealed.subarray(0, -1), size), null)
      assert.deepEqual(open(seal(plaintext, 9), size, 9), plaintext)
      for (const at of [0, sealed.length >> 1, sealed.length - 1]) {
        const changed = Uint8Array.from(sealed)
        changed[at]! ^= 1
        assert.equal(open(changed, size), null)
      }
    })
  }

  it('keeps its format', () => {
    // Made with Python's hmac and cryptography (HKDF after RFC 5869, AES-256-GCM), not with this code.
    assert.equal(toHex(sliceKey(EPOCH_KEY, whole(4))), GOLDEN_KEY)
    assert.equal(toHex(outlineKey(EPOCH_KEY, whole(4))), GOLDEN_OUTLINE_KEY)
    assert.equal(toHex(seal(fromHex('0x01020304'))), GOLDEN_SEALED)
  })

  it('keeps its CIDs', async () => {
    const bytes = new Uint8Array(2 * PIECE_BYTES + 5).fill(9)
    const { codec } = await loadHelia(undefined, { name: 'none' })
    const leaves = [0, 1, 2].map((at) => leafOf(bytes.subarray(at * PIECE_BYTES, (at + 1) * PIECE_BYTES)))
    assert.deepEqual(
      treeOver(leaves, codec).map(({ cid }) => cid.toString()),
      [GOLDEN_CID],
    )
    const { createHeliaLight } = await import('helia')
    for (const helia of [await heliaLight({}), createHeliaLight({})]) {
      const cid = await unixfs(helia).addBytes(bytes, { cidVersion: 1, rawLeaves: true, reduceSingleLeafToSelf: false })
      assert.ok(cid.equals(CID.parse(GOLDEN_CID)))
    }
  })
})

const GOLDEN_KEY = '0xf250ef6bb8388bac981caf0aff839c52122b212b8a93592913e4b10e3dc3a3ab'
const GOLDEN_OUTLINE_KEY = '0x10b88c9ab43e76a5e39992765d761d5a59ad87d254608364fe68291ab49d8269'
const GOLDEN_SEALED = '0x92928651532e9e79f8f93b90e047aeed92e7fd93'
/** Of @helia/unixfs 8.0.5. */
const GOLDEN_CID = 'bafybeigxtfgnkdlq3b6zxjttuyjh2657lxp2pzht4vrbcgyyhkpxyndbri'
