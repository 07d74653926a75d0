/**
 * The messages of a canary
 * ├── golden bytes, written down from the layout in wire/canary.ts by hand
 * ├── every field survives the way there and back
 * └── too long (4002), another version (4003), anything else (4001); no cut, no turned bit and no chance bytes do more than that
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import { digest, studyId } from '#base/ids.ts'
import { Seeded } from '#core/model/seeded.ts'
import { CANARY_LIMIT_BYTES, type CanaryAnswer, decodeAnswer, decodeQuestion, encodeAnswer, encodeQuestion } from '#wire/canary.ts'
import { toCbor } from '#wire/cbor.ts'

const probe = digest(`0x${'11'.repeat(32)}`)
const link = encodeQuestion({ kind: 'link', probe, bytes: 262_144, times: 1 })
const site = encodeQuestion({ kind: 'site', study: studyId(7), protocolDigest: probe })
const answers: readonly CanaryAnswer[] = [
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
const fails = (code: 'ROTA-4001' | 'ROTA-4002' | 'ROTA-4003') => (error: unknown) => isRotaError(error, code)

describe('canary messages', () => {
  it('are these bytes', () => {
    // array(5) 1 "link" bytes(32) 2^18 1; array(4) 1 "site" 7 bytes(32)
    assert.equal(toHex(link), `0x8501646c696e6b5820${'11'.repeat(32)}1a0004000001`)
    assert.equal(toHex(site), `0x840164736974650758${'20'}${'11'.repeat(32)}`)
  })

  it('come back as they went', () => {
    assert.deepEqual(decodeQuestion(link), { kind: 'link', probe, bytes: 262_144, times: 1 })
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

  it('never do more than fail', () => {
    const random = new Seeded(3)
    const samples = [link, site, ...answers.map(encodeAnswer)]
    for (let i = 0; i < 3_000; i++) {
      const bytes = (samples[i % samples.length] as Uint8Array).slice()
      const [where, bit, cut] = random.bytes(3) as unknown as [number, number, number]
      bytes[where % bytes.length] = (bytes[where % bytes.length] as number) ^ (1 << (bit % 8))
      const input = i % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : i % 3 === 1 ? bytes : random.bytes(1 + (cut % 64))
      for (const decode of [decodeQuestion, decodeAnswer])
        try {
          decode(input)
        } catch (error) {
          assert.ok(isRotaError(error) && /ROTA-400[123]/.test(error.code), String(error))
        }
    }
  })
})
