/**
 * given how a patient stands here, and what a file says
 *   what is recorded, withdrawn, left as it is or refused, under consent and under opt-out
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { whoKey } from '#adapters/fhir/fhir-patients.ts'
import type { ReadConsent } from '#adapters/fhir/read-consent.ts'
import { type KnownStanding, planImport } from '#app/fhir/import-plan.ts'
import { type Digest, digest } from '#base/ids.ts'
import { bundle, consent, type Loose, NOW, OWN, readText, V3 } from './support.ts'

const hash = (text: string): Digest => digest(`0x${Buffer.from(text.padEnd(32, '.')).subarray(0, 32).toString('hex')}`)
const standing = (change: Partial<KnownStanding> = {}): KnownStanding => ({
  ...{
    state: 'granted',
    atMs: Date.parse('2026-06-01T10:00:00Z'),
    onChainMs: null,
    from: hash('Consent/c1'),
    givenMs: Date.parse('2026-05-11'),
    untilMs: null,
    isOver: false,
  },
  ...change,
})

/** What a file comes to, in its order: outcome, or the number of the error. */
function plan(resources: readonly Loose[], known: KnownStanding | null, lawfulBasis: 'consent' | 'opt-out' = 'consent'): readonly string[] {
  const read = readText(bundle(resources.map((resource) => ({ resource }))))
  assert.ok(
    read.every((one) => 'says' in one),
    JSON.stringify(read),
  )
  const context = {
    lawfulBasis,
    // One patient is known by a name and by a pseudonym.
    patientOf: (who: ReadConsent['who']) =>
      'pseudonym' in who && known === null ? null : hash('pseudonym' in who || who.name === '4711' ? 'them' : whoKey(who)),
    standingOf: () => known,
    keyOf: hash,
  }
  return planImport(read as readonly ReadConsent[], context).map((one) => (one.outcome === 'refused' ? one.error.code : one.outcome))
}

const deny: Loose = { type: 'deny', purpose: [{ system: V3, code: 'HRESCH' }] }
const over = (status: string, change: Loose = {}) => consent({ id: 'old', status, ...change })
const pseudonym = { patient: { identifier: { system: OWN.pseudonyms, value: 'f00' } } }
const expired = standing({ untilMs: NOW - 1, isOver: true })
const withdrawn = standing({ state: 'withdrawn' })

describe('what becomes of a Consent', () => {
  const cases: readonly [string, readonly Loose[], KnownStanding | null, readonly string[], (readonly string[])?][] = [
    ['a new permission', [consent()], null, ['recorded']],
    ['one that stands', [consent()], standing(), ['unchanged']],
    ['one that stands until another day', [consent({}, { type: 'permit', period: { end: '2031' } })], standing(), ['recorded']],
    ['a denial of nobody', [consent({}, deny)], null, ['unchanged'], ['withdrawn']],
    ['a denial of one that stands', [consent({ id: 'new' }, deny)], standing(), ['withdrawn']],
    ['a denial of one that was withdrawn', [consent({}, deny)], withdrawn, ['unchanged']],
    ['a denial of one that was withdrawn on chain', [consent({}, deny)], standing({ onChainMs: NOW }), ['unchanged']],
    ['the one that was withdrawn on chain, ended', [consent({ status: 'inactive' })], standing({ onChainMs: NOW }), ['unchanged']],
    ['the one that stands, ended', [consent({ status: 'inactive' })], standing(), ['withdrawn']],
    ['the one that stands, in error', [consent({ status: 'entered-in-error' })], standing(), ['withdrawn']],
    ['the one that stands, a draft again', [consent({ status: 'draft' })], standing(), ['withdrawn']],
    ['the one that stands, its time over', [consent({}, { type: 'permit', period: { end: '2026-06' } })], standing(), ['withdrawn']],
    ['another draft', [over('draft')], standing(), ['unchanged']],
    ['another, older one that ended', [over('inactive', { dateTime: '2020' })], standing(), ['unchanged']],
    ['another, later one that ended', [over('inactive', { dateTime: '2026-05-12' })], standing(), ['withdrawn']],
    ['one that ended where a desk had recorded', [over('inactive', { dateTime: '2020' })], standing({ from: null, givenMs: null }), ['withdrawn']],
    ['one that ended beside one that permits', [over('inactive', { dateTime: '2020' }), consent()], null, ['unchanged', 'recorded']],
    ['one that ended after one that permits', [over('inactive', { dateTime: '2026-06-01' }), consent()], null, ['unchanged', 'ROTA-6053']],
    ['one that ended without a date beside one that permits', [over('inactive', { dateTime: undefined }), consent()], null, ['unchanged', 'ROTA-6053']],
    ['one in error beside one that permits', [over('entered-in-error', { dateTime: '2026-06-01' }), consent()], null, ['unchanged', 'recorded']],
    ['one that ended, of nobody', [over('inactive')], null, ['unchanged'], ['withdrawn']],
    ['one that was rejected, of nobody', [over('rejected')], null, ['unchanged'], ['withdrawn']],
    ['one in error, of nobody', [over('entered-in-error')], null, ['unchanged']],
    ['own export of one that ended', [over('inactive', { policy: [{ uri: OWN.policy }] })], null, ['withdrawn']],
    ['two that ended', [over('inactive'), over('inactive', { id: 'older' })], standing({ from: null }), ['withdrawn', 'unchanged']],
    ['two active ones', [consent(), consent({ id: 'c2' })], null, ['ROTA-6053', 'ROTA-6053']],
    ['two active ones, one of them over', [consent(), consent({ id: 'c2' }, { type: 'permit', period: { end: '2025' } })], null, ['recorded', 'unchanged']],
    ['one to come', [consent({}, { type: 'permit', period: { start: '2030' } })], null, ['unchanged']],
    ['one from before a withdrawal', [consent()], withdrawn, ['unchanged']],
    ['one from before a withdrawal on chain', [consent()], standing({ onChainMs: Date.parse('2026-07-01') }), ['unchanged']],
    ['one of the day of a withdrawal', [consent({ dateTime: '2026-06-01' })], withdrawn, ['ROTA-6061']],
    ['one without a date after a withdrawal', [consent({ dateTime: undefined })], withdrawn, ['ROTA-6061']],
    ['one from after a withdrawal', [consent({ dateTime: '2026-06-02' })], withdrawn, ['recorded']],
    ['one from after a withdrawal on chain', [consent({ dateTime: '2026-08' })], standing({ onChainMs: Date.parse('2026-07-01') }), ['recorded']],
    ['one after the one before has run out', [consent({ id: 'new' })], expired, ['recorded']],
    ['the one that has run out', [consent({}, { type: 'permit', period: { end: '2026-06' } })], expired, ['unchanged']],
    ['the same id twice', [consent(), consent({ status: 'inactive' })], standing(), ['ROTA-6053', 'ROTA-6053']],
    ['a pseudonym of nobody', [consent(pseudonym)], null, ['ROTA-6058']],
    ['a pseudonym that withdrew and consents', [consent({ ...pseudonym, dateTime: '2026-06-02' })], withdrawn, ['ROTA-6058']],
    ['a name and its pseudonym', [consent(), consent({ ...pseudonym, id: 'c2' })], standing(), ['ROTA-6053', 'ROTA-6053']],
    ['a pseudonym that stands', [consent(pseudonym)], standing(), ['unchanged']],
  ]
  for (const [name, resources, known, expected, underOptOut = expected] of cases)
    it(`${name}: ${expected.join(', ')}`, () => {
      assert.deepEqual(plan(resources, known), expected)
      assert.deepEqual(plan(resources, known, 'opt-out'), underOptOut)
    })

  it('each patient alone', () => {
    const of = (name: string, change: Loose = {}) => consent({ id: name, patient: { identifier: { system: OWN.patients, value: name } }, ...change })
    assert.deepEqual(plan([of('a'), of('b', { status: 'inactive' }), of('c')], null), ['recorded', 'unchanged', 'recorded'])
  })
})
