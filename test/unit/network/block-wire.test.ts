import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { AnswerReader, answerHead, decodeRequest, encodeRequest, MAX_BLOCK_BYTES } from '#adapters/store/block-wire.ts'
import { rootCid } from '#adapters/store/cids.ts'
import { leavesOf } from '#adapters/store/dag.ts'
import { diskUse } from '#adapters/store/disk-use.ts'
import { Slots } from '#adapters/store/slots.ts'
import { fromHex, toHex } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import { digest } from '#base/ids.ts'

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
  const leaf = (byte: number) => CID.createV1(0x55, create(0x12, new Uint8Array(32).fill(byte)))
  const read = (links: readonly { Hash: CID; Tsize?: number }[]) => leavesOf(CID_A, { node: async () => new Uint8Array(0), decode: () => ({ Links: links }) })

  it('are refused when a member made strange ones', async () => {
    assert.equal((await read([{ Hash: leaf(1), Tsize: 10 }])).length, 1)
    await assert.rejects(read([{ Hash: leaf(1) }]), is('ROTA-4011'))
    await assert.rejects(read([{ Hash: leaf(1), Tsize: MAX_BLOCK_BYTES + 1 }]), is('ROTA-4011'))
    await assert.rejects(read([{ Hash: CID.createV0(create(0x12, new Uint8Array(32))), Tsize: 1 }]), is('ROTA-4011'))
    await assert.rejects(read([{ Hash: CID_A, Tsize: 1 }]), is('ROTA-4011'), 'a tree without an end')
    await assert.rejects(read(Array.from({ length: 1025 }, () => ({ Hash: leaf(1), Tsize: MAX_BLOCK_BYTES }))), is('ROTA-4014'))
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
