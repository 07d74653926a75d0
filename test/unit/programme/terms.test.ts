/**
 * A programme's terms
 * given a file, they are what it says, and every fault is told with its line
 * given a draft, it is not published before people went through it
 * given the chain, anyone reads them; a version that says something else than its publisher's call counts for nothing
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { stringify } from 'yaml'
import { SimWorld } from '#adapters/sim/world.ts'
import { draftTerms } from '#app/programme/draft-terms.ts'
import { parseTerms } from '#app/programme/terms-file.ts'
import { termsAgainst } from '#app/programme/terms-for-study.ts'
import { newestTerms, programmesWithTerms, termsUnder } from '#app/programme/terms-on-chain.ts'
import { sha256 } from '#app/sha256.ts'
import { toHex, utf8 } from '#base/bytes.ts'
import { type ErrorCode, isRotaError, type RotaError } from '#base/errors.ts'
import { siteId, studyId } from '#base/ids.ts'
import { cadenceStep, expiresAt, isTerms, nextCadence, type Terms } from '#core/consent/terms.ts'
import { programmeId } from '#wire/programme.ts'
import { decodeTerms, encodeTerms, termsDigest } from '#wire/terms.ts'
import { publishTerms, TERMS } from '../../support/terms.ts'
import { protocolWith } from '../cohort/support.ts'

const written = (change: object = {}): string => stringify({ ...TERMS, ...change }, { lineWidth: 0 })
const lineOf = (text: string, part: string): number => text.split('\n').findIndex((line) => line.includes(part)) + 1
const fault = (text: string): RotaError => {
  try {
    parseTerms(text)
  } catch (error) {
    if (isRotaError(error)) return error
    throw error
  }
  return assert.fail('it was taken')
}

describe("a programme's terms in a file", () => {
  it('are what it says, with defaults, and the same in canonical bytes', () => {
    assert.deepEqual(parseTerms(written()), TERMS)
    const { cadenceHours: _, relayDelayHours: __, ombudsman: ___, portals: ____, ...least } = TERMS
    assert.deepEqual(parseTerms(stringify(least)), { ...TERMS, portals: [] })
    const { address } = parseTerms(written({ ombudsman: { name: 'Om', address: `0x${'AB'.repeat(20)}` } })).ombudsman ?? assert.fail()
    assert.equal(address, `0x${'ab'.repeat(20)}`)
    const [first, ...rest] = Object.entries(TERMS).reverse()
    assert.deepEqual(encodeTerms(parseTerms(stringify(Object.fromEntries([...rest, first as [string, unknown]])))), encodeTerms(TERMS))
    assert.deepEqual(decodeTerms(encodeTerms(TERMS)), TERMS)
    // What patients agreed to must stay what it is. Worked out by another CBOR encoder, with keys by length, then by bytes.
    assert.equal(termsDigest(TERMS, sha256), '0xb12a3ae4e039131b2f6fee6f4167d56ea6356f0ff2aa90dfa436206d5d981ecc')
  })

  it('are refused with line and reason where they are not as they should be', () => {
    const text = written()
    const cases: readonly [string, ErrorCode, string][] = [
      [text.replace('lawfulBasis:', 'lawfullBasis:'), 'ROTA-3042', 'lawfullBasis'],
      [text.replace('lawfulBasis: consent', 'lawfulBasis: interest'), 'ROTA-3043', 'lawfulBasis'],
      [text.replace('2099-12-31', '2099-02-30'), 'ROTA-3043', 'expires'],
      [text.replace('cadenceHours: 24', 'cadenceHours: 0'), 'ROTA-3043', 'cadenceHours'],
      [text.replace('https://one', 'http://one'), 'ROTA-3043', 'http://one'],
      [text.replace('officer@example.org', 'nobody'), 'ROTA-3043', 'email'],
      [text.replace('purpose: p', 'purpose: "Fill in: why"'), 'ROTA-3043', 'Fill in'],
      [text.replace('  de:', '  German:'), 'ROTA-3043', 'texts'],
      [written({ ombudsman: { name: 'x', address: '0x12' } }), 'ROTA-3043', '0x12'],
    ]
    for (const [bad, code, part] of cases) {
      const { code: found, details } = fault(bad)
      assert.equal(found, code, part)
      assert.ok(Math.abs(Number(details.line) - lineOf(bad, part)) <= 1, `${part}: line ${details.line}`)
    }
    assert.equal(fault('{').code, 'ROTA-3041')
    assert.equal(fault(written({ texts: {} })).code, 'ROTA-3043')
    const long = Object.fromEntries(['en', 'de', 'fr', 'it'].map((code) => [code, { ...TERMS.texts.en, data: 'x'.repeat(3_990), limits: 'y'.repeat(2_000) }]))
    assert.equal(fault(written({ texts: long })).code, 'ROTA-6018')
  })

  it('are taken as the document shows them', async () => {
    const text = await readFile(new URL('../../../docs/programmes.md', import.meta.url), 'utf8')
    const example = /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? assert.fail()
    assert.deepEqual(Object.keys(parseTerms(example)).sort(), Object.keys(TERMS).sort())
  })

  it('begin as a draft that is read, and refused until people went through it', () => {
    for (const lawfulBasis of ['consent', 'opt-out'] as const) {
      const draft = draftTerms({ programme: 'heart: a "study"', version: 3, lawfulBasis, expires: '2031-12-31' })
      assert.deepEqual(fault(draft).details.path, 'controllers.0.name')
      const terms = parseTerms(draft.replaceAll('Fill in: ', 'x').replace('fill-in@', 'officer@'))
      assert.deepEqual([terms.programme, terms.version, terms.lawfulBasis, terms.expires], ['heart: a "study"', 3, lawfulBasis, '2031-12-31'])
      for (const { data, limits } of Object.values(terms.texts)) {
        assert.match(data, /pseudonym/)
        assert.doesNotMatch(`${data} ${limits}`, /anonym|\n/i)
      }
    }
  })
})

describe("a programme's terms in time", () => {
  it('count to the end of their last day', () => {
    assert.equal(expiresAt({ expires: '2031-12-31' }), Date.UTC(2032, 0, 1) / 1000)
    assert.equal(termsAgainst(STUDY, PROTOCOL, published(TERMS), expiresAt(TERMS) * 1000 - 1), null)
    assert.equal(termsAgainst(STUDY, PROTOCOL, published(TERMS), expiresAt(TERMS) * 1000)?.code, 'ROTA-6015')
  })

  it('have steps that are the same for all', () => {
    const terms = { cadenceHours: 0.5 }
    assert.deepEqual(
      [0, 1799, 1800, 3600].map((s) => cadenceStep(terms, s)),
      [0, 0, 1, 2],
    )
    assert.deepEqual(
      [0, 1799, 1800].map((s) => nextCadence(terms, s)),
      [1800, 1800, 3600],
    )
  })

  it('forbid a study with another lawful basis', () => {
    assert.equal(termsAgainst(STUDY, { ...PROTOCOL, lawfulBasis: 'opt-out' }, published(TERMS), 0)?.code, 'ROTA-6014')
    assert.equal(termsAgainst(STUDY, { ...PROTOCOL, lawfulBasis: 'opt-out' }, null, 0), null, 'a programme without terms')
  })
})

const STUDY = studyId(1)
const PROTOCOL = protocolWith({ programme: 'heart', lawfulBasis: 'consent' })
const published = (terms: Terms) => ({ terms, digest: termsDigest(terms, sha256), site: siteId(0), block: 1, publishedAt: 1 })

describe("a programme's terms on chain", () => {
  it('are read by anyone, all versions', async () => {
    const world = SimWorld.create({ seed: 'terms', sites: 2 })
    try {
      const [steward, reader] = [world.steward(world.site(siteId(0))), world.node(world.site(siteId(1)))]
      assert.equal(await newestTerms(reader, 'heart'), null)
      await publishTerms(steward, TERMS)
      const second = { ...TERMS, version: 2, lawfulBasis: 'opt-out', ombudsman: { name: 'Om', address: reader.account } } as const
      await publishTerms(steward, second)
      await publishTerms(world.steward(world.site(siteId(1))), { ...TERMS, programme: 'lung' })
      assert.deepEqual(
        (await termsUnder(reader, 'heart')).map(({ terms, site }) => [terms, site]),
        [
          [TERMS, 0],
          [second, 0],
        ],
      )
      assert.equal((await newestTerms(reader, 'heart'))?.digest, termsDigest(second, sha256))
      assert.deepEqual([...(await programmesWithTerms(reader)).keys()], ['heart', 'lung'])
    } finally {
      world.stop()
    }
  })

  it('count for nothing where the text is none, or says something else than the call', async () => {
    const world = SimWorld.create({ seed: 'bad terms', sites: 1 })
    try {
      const steward = world.steward(world.site(siteId(0)))
      const lies: readonly [Terms, object][] = [
        [TERMS, { basis: 'opt-out' }],
        [{ ...TERMS, version: 7 }, {}],
        [{ ...TERMS, programme: 'lung' }, {}],
        [TERMS, { expiresAt: expiresAt(TERMS) + 1 }],
        [TERMS, { ombudsman: steward.account }],
      ]
      const texts = [...lies.map(([terms, change]) => [encodeTerms(terms), change] as const), [utf8('no terms'), {}] as const]
      for (const [i, [bytes, change]] of texts.entries()) {
        const digest = `0x${Buffer.from(sha256(bytes)).toString('hex')}` as const
        const good = { version: i + 1, digest: digest as never, basis: 'consent', ombudsman: null, expiresAt: expiresAt(TERMS), text: toHex(bytes) } as const
        await steward.publishTerms(programmeId('heart', sha256), { ...good, ...change })
      }
      assert.deepEqual(await termsUnder(steward, 'heart'), [])
    } finally {
      world.stop()
    }
  })

  it('have a shape that is looked at', () => {
    const bent: readonly object[] = [
      { version: 0 },
      { expires: '31.12.2099' },
      { lawfulBasis: 'interest' },
      { cadenceHours: -1 },
      { controllers: [{ name: 'x' }] },
      { ombudsman: { name: 'x', address: 'y' } },
      { portals: [1] },
      { texts: {} },
      { texts: { en: { title: 'x' } } },
      { dataProtectionOfficer: null },
    ]
    assert.ok(isTerms(TERMS))
    for (const change of bent) assert.equal(isTerms({ ...TERMS, ...change }), false, JSON.stringify(change))
    for (const other of [null, 'terms', [TERMS]]) assert.equal(isTerms(other), false)
    assert.throws(
      () => decodeTerms(utf8('no terms')),
      (error) => isRotaError(error, 'ROTA-4001'),
    )
  })
})
