import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '#base/bytes.ts'
import { attemptNo, type Bitmap, digest, roundNo, runId } from '#base/ids.ts'
import { encodeAnnounce } from '#wire/announce.ts'
import { toCbor } from '#wire/cbor.ts'
import { encodeDealWord } from '#wire/masking/deal-word.ts'
import { decodeMessage, encodeTogether, wordsApart } from '#wire/message.ts'
import { encodeSliceWord, type SliceWord } from '#wire/slice-word.ts'

// given a gossip message
// ├── an announcement and a slice's word come back as they were
// ├── several words of a masked round in one message too
// ├── one of another version, or of a kind that this version does not know, is no fault of its sender: ROTA-4003
// └── anything else is: ROTA-4001, and ROTA-4002 when it is too long

const hash = (byte: string) => digest(`0x${byte.repeat(32)}`)
const word: SliceWord = {
  kind: 'slice',
  run: runId(3),
  round: roundNo(7),
  slice: 2,
  included: 0b1011n as Bitmap,
  units: [hash('11'), hash('22')],
  pieces: [hash('33')],
}

describe('messages', () => {
  it('come back as they were', () => {
    assert.deepEqual(decodeMessage(encodeSliceWord(word)), word)
    assert.deepEqual(decodeMessage(encodeSliceWord({ ...word, units: [], pieces: [] })), { ...word, units: [], pieces: [] })
    const announced = { kind: 'sum', run: runId(1), round: roundNo(2), attempt: attemptNo(1), root: hash('aa'), cid: hash('bb'), inline: null } as const
    assert.deepEqual(decodeMessage(encodeAnnounce(announced)), announced)
  })

  it('are several words where a masked round has several to say', () => {
    const deal = { kind: 'deal', run: runId(1), round: roundNo(2), file: Uint8Array.of(1, 2) } as const
    const parts = [encodeSliceWord(word), encodeDealWord(deal), toCbor([1, 'newer', 7])]
    assert.deepEqual(decodeMessage(encodeTogether(parts)), { kind: 'together', words: [word, deal] })
    assert.deepEqual(wordsApart(encodeTogether(parts)).map(toHex), parts.map(toHex))
    assert.deepEqual(wordsApart(parts[0]!), [parts[0]])
    const bad = [[], [encodeTogether(parts)], [Uint8Array.of(255)], Array.from({ length: 5 }, () => parts[0]), ['text']]
    for (const each of bad) assert.throws(() => decodeMessage(toCbor([1, 'together', each])), { code: 'ROTA-4001' })
    assert.throws(() => decodeMessage(toCbor([1, 'together', parts, 1])), { code: 'ROTA-4001' })
    assert.throws(() => decodeMessage(toCbor([2, 'deal', 1, 1, 'file'])), { code: 'ROTA-4001' })
    // Of another version of masking: not heard, and no fault of whoever says it beside other words.
    for (const version of [1, 3]) {
      const strange = toCbor([version, 'deal', 1, 1, Uint8Array.of(1)])
      assert.throws(() => decodeMessage(strange), { code: 'ROTA-4003' })
      assert.deepEqual(decodeMessage(encodeTogether([strange, parts[0]!])), { kind: 'together', words: [word] })
    }
  })

  it('of a newer version are let go', () => {
    for (const newer of [
      [2, 'slice'],
      [1, 'unmasking', 7],
      [1, 'constructor'],
      [1, 9, 1, 1, 0],
    ])
      assert.throws(() => decodeMessage(toCbor(newer)), { code: 'ROTA-4003' }, JSON.stringify(newer))
  })

  it('that are none are refused', () => {
    const bad: unknown[] = [
      'text',
      {},
      [1],
      [1, 'slice'],
      [1, 'slice', 1, 1, 256, new Uint8Array(32), new Uint8Array(0), new Uint8Array(0)],
      [1, 'slice', 1, 1, 0, new Uint8Array(31), new Uint8Array(0), new Uint8Array(0)],
      [1, 'slice', 1, 1, 0, new Uint8Array(32), new Uint8Array(33), new Uint8Array(0)],
      [1, 'wish', 1, 1],
      [1, 'wish', 1, 1, new Uint8Array(38)],
      [1, 'wish', 1, -1, new Uint8Array(39)],
      [1, 'wish', 1, 1, new Uint8Array(39), 0],
      [1, 'slice', -1, 1, 0, new Uint8Array(32), new Uint8Array(0), new Uint8Array(0)],
    ]
    for (const value of bad) assert.throws(() => decodeMessage(toCbor(value)), { code: 'ROTA-4001' }, JSON.stringify(value))
    assert.throws(() => decodeMessage(Uint8Array.of(0xff, 0)), { code: 'ROTA-4001' })
    assert.throws(() => decodeMessage(new Uint8Array(600_000)), { code: 'ROTA-4002' })
  })
})
