/**
 * The messages of a canary and of its round
 * ├── golden bytes, written down from the layouts in wire/canary.ts and wire/canary-round.ts by hand
 * ├── every field survives the way there and back
 * └── too long (4002), another version (4003), anything else (4001); no cut, no turned bit and no chance bytes do more than that
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import { attemptNo, type Bitmap, digest, siteId, studyId } from '#base/ids.ts'
import { Seeded } from '#core/model/seeded.ts'
import { CANARY_LIMIT_BYTES, type CanaryAnswer, decodeAnswer, decodeQuestion, encodeAnswer, encodeQuestion } from '#wire/canary.ts'
import {
  CANARY_ROUND_LIMIT_BYTES,
  decodeRoundAnswer,
  decodeRoundQuestion,
  encodeRoundAnswer,
  encodeRoundQuestion,
  type RoundAnswer,
  type RoundQuestion,
} from '#wire/canary-round.ts'
import { toCbor } from '#wire/cbor.ts'

const probe = digest(`0x${'11'.repeat(32)}`)
const link = encodeQuestion({ kind: 'link', probe, bytes: 262_144, times: 1 })
const site = encodeQuestion({ kind: 'site', study: studyId(7), protocolDigest: probe })
const way = encodeQuestion({ kind: 'way', site: siteId(3), bytes: 40_000_000 })
const name = digest(`0x${'22'.repeat(32)}`)
const set = 0b1011n as Bitmap
const questions: readonly RoundQuestion[] = [
  { kind: 'begin', name, study: studyId(7), protocolDigest: probe, rota: [siteId(2), siteId(0)], patienceMs: 60_000 },
  {
    kind: 'step',
    name,
    step: 'attest',
    updates: [{ site: siteId(255), root: probe, cid: name }],
    included: set,
    words: [{ site: siteId(1), word: Uint8Array.of(1, 2, 3) }],
    publication: { attempt: attemptNo(1), publisher: siteId(2), sumRoot: name, sumCid: probe },
  },
  { kind: 'step', name, step: 'contribute', updates: [], included: 0n as Bitmap, words: [], publication: null },
  { kind: 'end', name },
]
const roundAnswers: readonly RoundAnswer[] = [
  { problem: 'ROTA-1406', ms: 3, said: [] },
  {
    problem: null,
    ms: 12,
    said: [
      { kind: 'contribute', root: probe, cid: name },
      { kind: 'witness', slice: 2, held: set },
      { kind: 'word', word: Uint8Array.of(9) },
      { kind: 'publish', root: name, cid: probe },
      { kind: 'attest', status: 'wrongSum', root: probe, cid: name },
    ],
  },
]
const answers: readonly CanaryAnswer[] = [
  { kind: 'way', problem: 'ROTA-4005' },
  { kind: 'way', problem: null, relayed: true, rttMs: 12.345, clockOffsetMs: -4_000, downBytesPerSecond: 1e6, upBytesPerSecond: 2e6 },
  { kind: 'link', ms: 12, probe, bytes: 262_144 },
  { kind: 'link', ms: null, probe, bytes: 1 },
  {
    kind: 'site',
    trainSeconds: 15,
    whyNot: '',
    backend: 'wasm',
    writeBytesPerSecond: 1e8,
    readBytesPerSecond: 2e8,
    diskUsedPermille: 412,
    software: '0.1.0',
    arithmetic: probe,
  },
  {
    kind: 'site',
    trainSeconds: null,
    whyNot: 'belowMinRows',
    backend: '',
    writeBytesPerSecond: 0,
    readBytesPerSecond: 0,
    diskUsedPermille: 1000,
    software: '0.1.0',
    arithmetic: probe,
  },
]
const zero = new Uint8Array(32)
const fails = (code: 'ROTA-4001' | 'ROTA-4002' | 'ROTA-4003') => (error: unknown) => isRotaError(error, code)

describe('canary messages', () => {
  it('are these bytes', () => {
    // array(5) 1 "link" bytes(32) 2^18 1; array(4) 1 "site" 7 bytes(32)
    assert.equal(toHex(link), `0x8501646c696e6b5820${'11'.repeat(32)}1a0004000001`)
    // array(4) 1 "way" 3 40,000,000; array(3) 1 "end" bytes(32)
    assert.equal(toHex(way), '0x840163776179031a02625a00')
    assert.equal(toHex(encodeRoundQuestion({ kind: 'end', name })), `0x830163656e645820${'22'.repeat(32)}`)
    // array(4) 1 null 5 [ array(3) "witness" 2 bytes(32) ]
    assert.equal(
      toHex(encodeRoundAnswer({ problem: null, ms: 5, said: [{ kind: 'witness', slice: 2, held: set }] })),
      `0x8401f6058183677769746e657373025820${'00'.repeat(31)}0b`,
    )
    assert.equal(toHex(site), `0x840164736974650758${'20'}${'11'.repeat(32)}`)
  })

  it('come back as they went', () => {
    assert.deepEqual(decodeQuestion(link), { kind: 'link', probe, bytes: 262_144, times: 1 })
    assert.deepEqual(decodeQuestion(way), { kind: 'way', site: 3, bytes: 40_000_000 })
    for (const question of questions) assert.deepEqual(decodeRoundQuestion(encodeRoundQuestion(question)), question)
    for (const answer of roundAnswers) assert.deepEqual(decodeRoundAnswer(encodeRoundAnswer(answer)), answer)
    assert.deepEqual(decodeQuestion(site), { kind: 'site', study: 7, protocolDigest: probe })
    for (const answer of answers) assert.deepEqual(decodeAnswer(encodeAnswer(answer)), answer)
  })

  it('are refused whole when anything is wrong', () => {
    assert.throws(() => decodeQuestion(new Uint8Array(CANARY_LIMIT_BYTES + 1)), fails('ROTA-4002'))
    assert.throws(() => decodeAnswer(new Uint8Array(CANARY_LIMIT_BYTES + 1)), fails('ROTA-4002'))
    assert.throws(() => decodeQuestion(toCbor([2, 'link', new Uint8Array(32), 1, 1])), fails('ROTA-4003'))
    const bad = [
      [1, 'link', new Uint8Array(32), 1024 * 1024 + 1, 1],
      [1, 'link', new Uint8Array(32), 1024, 9],
      [1, 'link', new Uint8Array(32), 0, 1],
      [1, 'link', new Uint8Array(31), 1, 1],
      [1, 'site', 0, new Uint8Array(32)],
      [1, 'site', 1.5, new Uint8Array(32)],
      [1, 'way', 256, 1],
      [1, 'way', 0, 0],
      [1, 'way', 0, 1024 ** 3 + 1],
      [1, 'other'],
      [1],
    ]
    for (const value of bad) assert.throws(() => decodeQuestion(toCbor(value)), fails('ROTA-4001'), JSON.stringify(value))
    const good = [1, 'site', 15, 0, 'wasm', 1, 1, 10, '0.1.0', new Uint8Array(32)] as const
    decodeAnswer(toCbor(good))
    const wrong: readonly (readonly [number, unknown])[] = [
      [2, null],
      [2, 0],
      [2, 1e9],
      [3, 1],
      [3, 99],
      [4, 'x'.repeat(65)],
      [4, 'a\u001b[31m'],
      [5, -1],
      [7, 1001],
      [8, 'a\nb'],
      [9, new Uint8Array(31)],
    ]
    for (const [at, value] of wrong) assert.throws(() => decodeAnswer(toCbor(good.with(at, value as never))), fails('ROTA-4001'), `${at}: ${String(value)}`)
  })

  it('of a round are refused whole too', () => {
    const long = new Uint8Array(CANARY_ROUND_LIMIT_BYTES + 1)
    for (const decode of [decodeRoundQuestion, decodeRoundAnswer]) {
      assert.throws(() => decode(long), fails('ROTA-4002'))
      assert.throws(() => decode(toCbor([2])), fails('ROTA-4003'))
      for (const value of [[1], [1, 'other', zero], 7, []]) assert.throws(() => decode(toCbor(value)), fails('ROTA-4001'))
    }
    const step = [1, 'step', zero, 4, [[0, zero, zero]], zero, [[0, Uint8Array.of(1)]], [0, 0, zero, zero]] as const
    decodeRoundQuestion(toCbor(step))
    const wrong: readonly (readonly [number, unknown])[] = [
      [2, zero.subarray(1)],
      [3, 5],
      [4, [[0, zero]]],
      [4, [[256, zero, zero]]],
      [4, new Array(257).fill([0, zero, zero])],
      [5, zero.subarray(1)],
      [6, [[0, 'x']]],
      [7, [0, 0, zero]],
      [7, [9, 0, zero, zero]],
    ]
    for (const [at, value] of wrong)
      assert.throws(() => decodeRoundQuestion(toCbor(step.with(at, value as never))), fails('ROTA-4001'), `${at}: ${String(value)}`)
    for (const rota of [[0], [0, 0], [0, 256], [0, '1']])
      assert.throws(() => decodeRoundQuestion(toCbor([1, 'begin', zero, 1, zero, rota, 1_000])), fails('ROTA-4001'), String(rota))
    assert.throws(() => decodeRoundQuestion(toCbor([1, 'begin', zero, 1, zero, [0, 1], 240_001])), fails('ROTA-4001'))
    for (const said of [['attest', 4, zero, zero], ['publish', zero], ['witness', 256, zero], ['word', 'x'], ['contribute', zero, zero, 1], 'word'])
      assert.throws(() => decodeRoundAnswer(toCbor([1, null, 1, [said]])), fails('ROTA-4001'), String(said))
    for (const problem of ['', 'ROTA-1', 7]) assert.throws(() => decodeRoundAnswer(toCbor([1, problem, 1, []])), fails('ROTA-4001'))
  })

  it('never do more than fail', () => {
    const random = new Seeded(3)
    const samples = [link, site, way, ...answers.map(encodeAnswer), ...questions.map(encodeRoundQuestion), ...roundAnswers.map(encodeRoundAnswer)]
    for (let i = 0; i < 3_000; i++) {
      const bytes = (samples[i % samples.length] as Uint8Array).slice()
      const [where, bit, cut] = random.bytes(3) as unknown as [number, number, number]
      bytes[where % bytes.length] = (bytes[where % bytes.length] as number) ^ (1 << (bit % 8))
      const input = i % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : i % 3 === 1 ? bytes : random.bytes(1 + (cut % 64))
      for (const decode of [decodeQuestion, decodeAnswer, decodeRoundQuestion, decodeRoundAnswer])
        try {
          decode(input)
        } catch (error) {
          assert.ok(isRotaError(error) && /ROTA-400[123]/.test(error.code), String(error))
        }
    }
  })
})
