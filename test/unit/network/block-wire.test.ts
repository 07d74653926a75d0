import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { unixfs } from '@helia/unixfs'
import { CID } from 'multiformats/cid'
import { AnswerReader, answerHead, decodeRequest, encodeRequest } from '#adapters/store/block-wire.ts'
import { digestOf, leafCid, rootCid } from '#adapters/store/cids.ts'
import { leavesOf } from '#adapters/store/dag.ts'
import { diskUse } from '#adapters/store/disk-use.ts'
import { heliaLight, loadHelia } from '#adapters/store/load-helia.ts'
import { blockSizes, layoutFrom, layoutOf, layoutOfSealed, sealedBytes } from '#adapters/store/object-layout.ts'
import { MAX_BLOCK_BYTES } from '#adapters/store/sealing.ts'
import { sha256 } from '#adapters/store/sha256.ts'
import { Slots } from '#adapters/store/slots.ts'
import { type Block, type DagCodec, type DagNode, type Leaf, leafOf, treeOver } from '#adapters/store/unixfs-tree.ts'
import { fromHex, toDigest, toHex } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import { digest } from '#base/ids.ts'
import { unitBytes, unitCount } from '#core/commit/outline.ts'

const CID_A = rootCid(digest(`0x${'0a'.repeat(32)}`))
const is = (code: string) => (error: unknown) => isRotaError(error) && error.code === code

describe('block protocol', () => {
  it('keeps its bytes', () => {
    const golden = `0x0101701220${'0a'.repeat(32)}`
    assert.equal(toHex(encodeRequest({ cid: CID_A, check: true })), golden)
    assert.deepEqual(decodeRequest(fromHex(golden)), { cid: CID_A, check: true })
    assert.equal(toHex(answerHead(new Uint8Array(258))), '0x0000000102')
    assert.equal(toHex(answerHead(null)), '0x0100000000')
  })

  it('refuses what is no request', () => {
    for (const bytes of [new Uint8Array(37), fromHex(`0x0001711220${'0a'.repeat(32)}`), encodeRequest({ cid: CID_A, check: false }).subarray(0, 36)])
      assert.throws(() => decodeRequest(bytes), is('ROTA-4001'))
  })

  it('reads answers wherever the bytes are cut', () => {
    const blocks = [new Uint8Array([1, 2, 3]), null, new Uint8Array(0), new Uint8Array(300).fill(5)]
    const all = Buffer.concat(blocks.flatMap((block) => [answerHead(block), block ?? new Uint8Array(0)]))
    for (let size = 1; size <= all.length; size++) {
      const read: (Uint8Array | null)[] = []
      const reader = new AnswerReader((block) => read.push(block))
      for (let at = 0; at < all.length; at += size) reader.push(all.subarray(at, at + size))
      assert.deepEqual(
        read.map((block) => block && toHex(block)),
        blocks.map((block) => block && toHex(block)),
      )
    }
  })

  it('refuses answers over the limit, and unknown ones, before it holds them', () => {
    const tooLong = Buffer.from([0, 0, 0, 0, 0])
    tooLong.writeUInt32BE(MAX_BLOCK_BYTES + 1, 1)
    for (const bytes of [tooLong, Uint8Array.of(2, 0, 0, 0, 0), Uint8Array.of(1, 0, 0, 0, 1)])
      assert.throws(() => new AnswerReader(() => undefined).push(bytes), is('ROTA-4001'))
  })
})

describe('object trees', () => {
  const leaf = (byte: number, size = 10): Leaf => ({ cid: leafCid(digest(`0x${'00'.repeat(30)}${byte.toString(16).padStart(4, '0')}`)), sizeBytes: size })
  const leaves = (count: number) => Array.from({ length: count }, (_, at) => leaf(at, 1 + (at % 7)))
  let codec: DagCodec
  before(async () => {
    ;({ codec } = await loadHelia(undefined, { name: 'none' }))
  })
  const read = (blocks: readonly Block[], root = blocks.at(-1)!.cid) =>
    leavesOf(root, {
      node: async (cid) => blocks.find((block) => block.cid.equals(cid))?.bytes ?? Promise.reject(new Error('not here')),
      codec,
    })
  const textOf = (all: readonly Leaf[]) => all.map(({ cid, sizeBytes }) => `${cid} ${sizeBytes}`)
  /** A tree as somebody else might make it. */
  const strange = (Links: DagNode['Links'], Data = new Uint8Array([8, 2])) => {
    const bytes = codec.encode({ Data, Links: Links.map((link) => ({ Name: '', ...link })) })
    return [{ cid: rootCid(toDigest(sha256(bytes))), bytes }]
  }

  for (const count of [0, 1, 2, 1024, 1025, 1281]) {
    it(`are what Helia's importer makes of ${count} blocks, and give them back`, async () => {
      const blocks = Array.from({ length: count }, (_, at) => new Uint8Array(1 + (at % 7)).fill(at))
      const tree = treeOver(blocks.map(leafOf), codec)
      const chunks = async function* () {
        yield* count === 0 ? [new Uint8Array(0)] : blocks
      }
      const chunker = async function* (source: AsyncIterable<Uint8Array>) {
        yield* source
      }
      const helia = await heliaLight({})
      const cid = await unixfs(helia).addByteStream(chunks(), { cidVersion: 1, rawLeaves: true, reduceSingleLeafToSelf: false, chunker })
      assert.equal(tree.at(-1)!.cid.toString(), cid.toString())
      assert.deepEqual(textOf(await read(tree)), textOf(blocks.map(leafOf)))
    })
  }

  it('are refused when a member made strange ones', async () => {
    const { cid } = leaf(1)
    assert.deepEqual(textOf(await read(treeOver([leaf(1)], codec))), textOf([leaf(1)]))
    const refused: [string, readonly Block[]][] = [
      ['a link without a size', strange([{ Hash: cid }])],
      ['a block that is too long', treeOver([leaf(1, MAX_BLOCK_BYTES + 1)], codec)],
      ['a CID of version 0', strange([{ Hash: CID.createV0(rootCid(digestOf(cid)).multihash as Parameters<typeof CID.createV0>[0]), Tsize: 1 }])],
      ['no file about its blocks', strange([{ Hash: cid, Tsize: 10 }])],
      ['an empty leaf', strange([{ Hash: cid, Tsize: 0 }])],
      ['a level too many', nested(nested(treeOver([leaf(1)], codec)))],
      ['one block in the place of many', nested(treeOver([leaf(1)], codec))],
      ['too wide a node', strange(leaves(1025).map(({ cid: Hash, sizeBytes }) => ({ Hash, Tsize: sizeBytes })))],
      ['no node at all', [{ cid: rootCid(toDigest(sha256(new Uint8Array(9)))), bytes: new Uint8Array(9) }]],
    ]
    for (const [what, blocks] of refused) await assert.rejects(read(blocks), is('ROTA-4011'), what)
    await assert.rejects(leavesOf(cid, { node: async () => new Uint8Array(9), codec }), is('ROTA-4011'), 'a leaf in the place of a root')
    await assert.rejects(read(treeOver(leaves(1282), codec)), is('ROTA-4014'), 'more blocks than a GiB in 256 slices has')
  })

  const nested = (tree: readonly Block[]) => [...tree, ...strange([{ Hash: tree.at(-1)!.cid, Tsize: 1 }])]
})

describe('object layouts', () => {
  const KIB = 1024
  const MIB = 1024 * KIB
  const sizes = [0, 1, 64 * KIB, 64 * KIB + 1, MIB - 1, MIB, MIB + 1, 5 * MIB + 7, 64 * MIB, 64 * MIB + 1, 1024 * MIB]

  it('are known from the sizes of the blocks, and cover the plaintext in whole units', () => {
    for (const size of sizes) {
      for (const slices of [1, 2, 3, 7, 23, 256]) {
        const layout = layoutOf(size, slices)
        assert.deepEqual(layoutFrom(blockSizes(layout), slices), layout)
        let end = 0
        for (const piece of layout.pieces) {
          assert.deepEqual([piece.start, piece.firstUnit], [end, Math.ceil(end / unitBytes(size))])
          end = piece.end
        }
        assert.deepEqual([end, layout.pieces.at(-1)!.endUnit], [size, unitCount(size)])
      }
    }
    assert.equal(blockSizes(layoutOf(1024 * MIB, 1)).length, 1025)
  })

  it('have nothing but those sizes', () => {
    const [outline, first, ...rest] = blockSizes(layoutOf(3 * MIB + 5, 2)) as [number, number, ...number[]]
    for (const other of [[], [15], [16, 16], [first, ...rest], [outline + 32, first, ...rest], [outline, ...rest, first], [outline, first - 1, ...rest]])
      assert.equal(layoutFrom(other, 2), null)
    assert.equal(layoutFrom([outline, first, ...rest], 3), null)
  })

  it('are known from the length of an object in a message', () => {
    for (const size of [0, 1, 14 * 8, 64 * KIB, 64 * KIB + 1, 256 * KIB, MIB + 1, 33 * MIB]) {
      const layout = layoutOf(size, 1)
      assert.deepEqual(layoutOfSealed(sealedBytes(layout)), layout)
    }
    for (const total of [0, 15, 64 * KIB + 17, 64 * KIB + 96]) assert.equal(layoutOfSealed(total), null)
  })
})

describe('disk use', () => {
  it('tells what part of the disk is used', async () => {
    const use = await diskUse('.')
    assert.ok(use.usedFraction > 0 && use.usedFraction <= 1 && use.freeBytes >= 0)
    await assert.rejects(diskUse('./no/such/folder'), is('ROTA-4013'))
  })
})

describe('slots', () => {
  it('let in so many at a time, in order, and forget who gave up', async () => {
    const slots = new Slots(2)
    const order: string[] = []
    let inside = 0
    const work = (name: string, signal?: AbortSignal) =>
      slots.use(async () => {
        assert.ok(++inside <= 2)
        order.push(name)
        await sleep(5)
        inside--
      }, signal)
    const given = new AbortController()
    const all = [work('a'), work('b'), work('c', given.signal), work('d'), work('e')]
    given.abort(new Error('gave up'))
    const done = await Promise.allSettled(all)
    assert.deepEqual(order, ['a', 'b', 'd', 'e'])
    assert.deepEqual(
      done.map(({ status }) => status[0]),
      ['f', 'f', 'r', 'f', 'f'],
    )
    assert.equal(slots.busy, false)
  })
})
