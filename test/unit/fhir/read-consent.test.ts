/**
 * given one Consent
 *   permit and deny, policyRule, nested exceptions, periods and purposes come to one word
 *   what restricts it to a part, changes its meaning or is not known is refused with its FHIRPath
 * given a file
 *   the patient is found by reference, by identifier, contained, and never guessed
 *   a Bundle, pages, NDJSON and what is none of them
 * given the official examples of R4
 *   each is refused by what it says, or read, with a mapping that knows its codes
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { readFhirText } from '#adapters/fhir/fhir-file.ts'
import type { FhirMapping } from '#adapters/fhir/fhir-mapping.ts'
import { momentOf } from '#adapters/fhir/fhir-time.ts'
import { signaturesIn } from '#adapters/fhir/read-signatures.ts'
import { isRotaError } from '#base/errors.ts'
import { ACTION, bundle, code, consent, type Loose, MAPPING, messages, NOW, OPTIN, OPTOUT, OWN, patient, readText, SYSTEM, says, V3 } from './support.ts'

const purpose = (...codes: string[]) => codes.map((one) => ({ system: V3, code: one }))
const past = { start: '2020-01-01', end: '2024-12-31' }
const actor = (reference: string, role = 'PRCP') => [
  { role: code('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', role), reference: { reference } },
]

describe('what a Consent says', () => {
  const cases: readonly [string, string, Loose | null, Loose?][] = [
    ['a permission', 'permits', { type: 'permit' }],
    ['one for research', 'permits', { type: 'permit', purpose: purpose('HRESCH') }],
    ['one for more than research', 'permits', { type: 'permit', purpose: purpose('TREAT', 'HRESCH') }],
    ['one for treatment alone', 'denies', { type: 'permit', purpose: purpose('TREAT') }],
    ['one for a kind of research alone', 'ROTA-6057 Consent.provision.purpose', { type: 'permit', purpose: purpose('CLINTRCH') }],
    ['a denial', 'denies', { type: 'deny' }],
    ['a denial of marketing under opt-in', 'permits', { type: 'deny', purpose: purpose('HMARKT') }, { policyRule: OPTIN }],
    ['a denial of research under opt-in', 'denies', { type: 'deny', purpose: purpose('HRESCH') }, { policyRule: OPTIN }],
    ['a permission for research under opt-in', 'permits', { type: 'permit', purpose: purpose('HRESCH') }, { policyRule: OPTIN }],
    ['a permission for treatment under opt-in', 'ROTA-6056 Consent.policyRule', { type: 'permit', purpose: purpose('TREAT') }, { policyRule: OPTIN }],
    ['a permission for research under opt-out', 'permits', { type: 'permit', purpose: purpose('HRESCH') }, { policyRule: OPTOUT }],
    ['a permission for treatment under opt-out', 'denies', { type: 'permit', purpose: purpose('TREAT') }, { policyRule: OPTOUT }],
    ['nothing under opt-in', 'permits', null, { policyRule: OPTIN }],
    ['nothing under opt-out', 'denies', null, { policyRule: OPTOUT }],
    ['a denial with an exception', 'permits', { type: 'deny', provision: [{ type: 'permit', purpose: purpose('HRESCH') }] }],
    ['an exception to the exception', 'denies', { type: 'deny', provision: [{ type: 'permit', provision: [{ type: 'deny', purpose: purpose('HRESCH') }] }] }],
    [
      'an exception for a purpose within',
      'ROTA-6057 Consent.provision.provision[0].purpose',
      { type: 'permit', provision: [{ type: 'deny', purpose: purpose('DSRCH') }] },
    ],
    [
      'an exception for mental health',
      'ROTA-6057 Consent.provision.provision[0].securityLabel',
      { type: 'permit', provision: [{ type: 'deny', securityLabel: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSY' }] }] },
    ],
    [
      'a class of data alone',
      'ROTA-6057 Consent.provision.class',
      { type: 'permit', class: [{ system: 'http://hl7.org/fhir/resource-types', code: 'Condition' }] },
    ],
    ['a period of data', 'ROTA-6057 Consent.provision.dataPeriod', { type: 'permit', dataPeriod: past }],
    ['access and use', 'permits', { type: 'permit', action: [ACTION('access'), ACTION('use')] }],
    ['access alone', 'ROTA-6057 Consent.provision.action', { type: 'permit', action: [ACTION('access')] }],
    ['a denial of correcting', 'permits', { type: 'deny', action: [ACTION('correct')] }, { policyRule: OPTIN }],
    ['a time that is over', 'ended', { type: 'permit', period: past }],
    ['a time to come', 'not yet', { type: 'permit', period: { start: '2030' } }],
    ['a time that only frames opt-in', 'permits', { period: { start: '2020', end: '2030' } }, { policyRule: OPTIN }],
    ['a denial that is over', 'permits', { type: 'permit', provision: [{ type: 'deny', period: past }] }],
    ['us', 'permits', { type: 'permit', actor: actor('Organization/us') }],
    ['others', 'denies', { type: 'permit', actor: actor('Organization/them') }],
    ['not others', 'permits', { type: 'deny', actor: actor('Organization/them') }, { policyRule: OPTIN }],
    ['somebody', 'ROTA-6055 Consent.provision.actor[0].reference', { type: 'permit', actor: actor('Organization/who') }],
    ['us as author', 'ROTA-6057 Consent.provision.actor[0].role', { type: 'permit', actor: actor('Organization/us', 'AUT') }],
    ['our own code', 'permits', { type: 'deny', provision: [{ type: 'permit', code: [code('urn:codes', 'MDAT'), code('urn:codes', 'BIO')] }] }],
    ['a code of others', 'denies', { type: 'deny', provision: [{ type: 'permit', code: [code('urn:codes', 'BIO')] }] }],
    [
      'a code of a part',
      'ROTA-6057 Consent.provision.provision[0].code',
      { type: 'deny', provision: [{ type: 'permit', code: [code('http://loinc.org', '34133-9')] }] },
    ],
  ]
  const mapping: FhirMapping = {
    ...MAPPING,
    organizations: { ours: ['Organization/us'], others: ['Organization/them'] },
    codes: { ours: ['urn:codes|MDAT'], others: ['urn:codes|BIO'] },
  }
  for (const [name, expected, provision, change] of cases) it(`${name}: ${expected}`, () => assert.equal(says(consent(change, provision), mapping), expected))

  it('says until when it counts: the end of a day in UTC, or when an exception begins', () => {
    const until = (provision: Loose) => {
      const [one] = readText(JSON.stringify(consent({}, provision)))
      return one !== undefined && 'changesMs' in one && one.changesMs !== null ? new Date(one.changesMs).toISOString() : null
    }
    assert.equal(until({ type: 'permit', period: { end: '2027-03-31' } }), '2027-04-01T00:00:00.000Z')
    assert.equal(until({ type: 'permit', provision: [{ type: 'deny', period: { start: '2026-12' } }] }), '2026-12-01T00:00:00.000Z')
    assert.equal(until({ type: 'permit' }), null)
  })

  for (const status of ['inactive', 'entered-in-error', 'rejected', 'draft', 'proposed'] as const)
    it(`${status} is not in force, whatever it permits`, () =>
      assert.equal(says(consent({ status }, { type: 'permit', class: [{ code: 'x' }] })), 'not in force'))
})

describe('what is refused, by FHIRPath', () => {
  const cases: readonly [string, string, object][] = [
    ['a modifier', 'ROTA-6056 Consent.provision.modifierExtension', consent({}, { type: 'permit', modifierExtension: [{ url: 'urn:x' }] })],
    ['implicit rules', 'ROTA-6056 Consent.implicitRules', consent({ implicitRules: 'urn:x' })],
    ['a profile', 'ROTA-6054 Consent.meta.profile[0]', consent({ meta: { profile: ['http://example.org/StructureDefinition/strict'] } })],
    ['a scope of R4', 'ROTA-6059 Consent.scope', consent({ scope: code('http://terminology.hl7.org/CodeSystem/consentscope', 'treatment') })],
    ['another scope', 'ROTA-6055 Consent.scope', consent({ scope: code('urn:x', 'y') })],
    ['a text for a scope', 'ROTA-6055 Consent.scope', consent({ scope: { text: 'research' } })],
    ['a category', 'ROTA-6055 Consent.category[0]', consent({ category: [code('http://terminology.hl7.org/CodeSystem/consentcategorycodes', 'dnr')] })],
    ['a policy', 'ROTA-6059 Consent.policy[0].uri', consent({ policy: [{ uri: 'http://example.org/another-study' }] })],
    [
      'another policy on one that ended',
      'ROTA-6059 Consent.policy[0].uri',
      consent({ status: 'inactive', policy: [{ uri: 'http://example.org/another-study' }] }),
    ],
    ['no policy', 'ROTA-6051 Consent.policyRule', { ...consent(), policyRule: undefined }],
    ['a rule', 'ROTA-6055 Consent.policyRule.coding[0]', consent({ policyRule: code('urn:x', 'y') })],
    ['no word', 'ROTA-6051 Consent.provision', consent({}, null)],
    ['a root without type', 'ROTA-6051 Consent.provision.type', consent({ policyRule: OPTIN }, { purpose: purpose('HRESCH') })],
    ['an exception without type', 'ROTA-6051 Consent.provision.provision[0].type', consent({}, { type: 'permit', provision: [{}] })],
    ['a purpose', 'ROTA-6055 Consent.provision.purpose[0]', consent({}, { type: 'permit', purpose: purpose('RESEARCH') })],
    ['an action', 'ROTA-6055 Consent.provision.action[0]', consent({}, { type: 'permit', action: [ACTION('train')] })],
    ['a period', 'ROTA-6060 Consent.provision.period', consent({}, { type: 'permit', period: { start: '2026-02-30' } })],
    ['a period backwards', 'ROTA-6060 Consent.provision.period', consent({}, { type: 'permit', period: { start: '2026', end: '2025' } })],
    ['a date to come', 'ROTA-6060 Consent.dateTime', consent({ dateTime: '2027-01-01' })],
    ['a date', 'ROTA-6060 Consent.dateTime', consent({ dateTime: '11.05.2026' })],
    ['a status', 'ROTA-6051 Consent.status', { ...consent(), status: 'revoked' }],
    ['an element of R5', 'ROTA-6051 Consent.decision', { ...consent(), decision: 'permit' }],
    ['not verified', 'ROTA-6064 Consent.verification[0].verified', consent({ verification: [{ verified: false }] })],
    ['no patient', 'ROTA-6058 Consent.patient', { ...consent(), patient: undefined }],
    ['an unknown identifier', 'ROTA-6058 Consent.patient', consent({ patient: { identifier: { system: 'urn:x', value: '1' } } })],
    ['a practitioner', 'ROTA-6058 Consent.patient.type', consent({ patient: { type: 'Practitioner', reference: 'Practitioner/1' } })],
  ]
  for (const [name, expected, resource] of cases) it(`${name}: ${expected}`, () => assert.equal(says(resource), expected))

  it('never repeats what a person may have written', () => {
    assert.equal(says(consent({ scope: code('urn:x', 'Jane Doe <b>born 1961</b>') })), 'ROTA-6055 Consent.scope')
    assert.equal(says({ ...consent(), 'Jane Doe, 1961': 1 }), 'ROTA-6051 Consent.not a code')
    assert.equal(says({ ...consent(), status: 'Jane Doe' }), 'ROTA-6051 Consent.status')
    assert.doesNotMatch(messages.join(), /Jane/)
  })

  it('a resource a thousand levels deep, and one with a prototype in it', () => {
    const deep = JSON.stringify(consent()).replace('"type":"permit"', `"provision":${'[{"type":"permit","provision":'.repeat(1000)}[]${'}]'.repeat(1000)}`)
    assert.match(JSON.stringify(readText(deep)), /ROTA-6051/)
    assert.equal(says(JSON.parse(JSON.stringify(consent()).replace('"status"', '"__proto__":{"a":1},"status"'))), 'ROTA-6051 Consent.__proto__')
  })
})

describe('whose Consent it is', () => {
  const of = (text: string, mapping = MAPPING) => readText(text, mapping).map((one) => ('who' in one ? one.who : one.join(' ')))
  const refer = (reference: string, change = {}) => consent({ patient: { reference }, ...change })

  it('by address, by id, relative to its own server, with a version', () => {
    const entries = [
      { fullUrl: 'https://a.example/fhir/Patient/1', resource: patient('1', 'Ann') },
      { fullUrl: 'https://b.example/fhir/Patient/1', resource: patient('1', 'Bob') },
      { fullUrl: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0', resource: patient('2', 'Cid') },
    ]
    const at = (fullUrl: string, reference: string) => of(bundle([...entries, { fullUrl, resource: refer(reference) }]))[0]
    assert.deepEqual(at('https://b.example/fhir/Consent/c1', 'Patient/1'), { name: 'Bob' })
    assert.deepEqual(at('https://b.example/fhir/Consent/c1', 'https://a.example/fhir/Patient/1/_history/3'), { name: 'Ann' })
    assert.deepEqual(at('urn:uuid:1', 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0'), { name: 'Cid' })
    assert.equal(at('urn:uuid:1', 'Patient/1'), 'ROTA-6052 Bundle.entry[3].resource.patient.reference')
  })

  it('contained, by the id where the site says so, and by its own pseudonym', () => {
    assert.deepEqual(of(JSON.stringify(refer('#p', { contained: [patient('p', 'Ann')] }))), [{ name: 'Ann' }])
    assert.deepEqual(of(JSON.stringify(refer('Patient/77')), { ...MAPPING, patient: { system: null, id: true } }), [{ name: '77' }])
    assert.deepEqual(of(JSON.stringify(consent({ patient: { identifier: { system: OWN.pseudonyms, value: 'f00' } } }))), [{ pseudonym: 'f00' }])
  })

  it('never another than came with it, never two, never one out of use', () => {
    const with1 = (resource: Loose) => of(bundle([{ resource: patient('1', '0815') }, { resource }]))[0]
    assert.equal(with1(refer('Patient/2')), 'ROTA-6052 Bundle.entry[1].resource.patient.reference')
    assert.equal(with1(consent()), 'ROTA-6052 Bundle.entry[1].resource.patient')
    assert.equal(
      with1(consent({ patient: { reference: 'Patient/1', identifier: { system: SYSTEM, value: '4711' } } })),
      'ROTA-6052 Bundle.entry[1].resource.patient',
    )
    assert.equal(with1(refer('Patient/1', { performer: [{ reference: 'Patient/1' }] })) instanceof Object, true)
    assert.equal(
      of(
        bundle([
          { resource: patient('1', 'Ann') },
          { resource: patient('2', 'Bob') },
          { resource: refer('Patient/1', { performer: [{ reference: 'Patient/2' }] }) },
        ]),
      )[0],
      'ROTA-6064 Bundle.entry[2].resource.performer[0]',
    )
    const only = (change: Loose) => of(bundle([{ resource: patient('1', 'Ann', change) }, { resource: refer('Patient/1') }]))[0]
    assert.equal(only({ active: false }), 'ROTA-6058 Bundle.entry[0].resource')
    assert.equal(only({ link: [{ type: 'replaced-by', other: { reference: 'Patient/2' } }] }), 'ROTA-6058 Bundle.entry[0].resource')
    assert.equal(only({ modifierExtension: [{ url: 'urn:x' }] }), 'ROTA-6056 Bundle.entry[0].resource.modifierExtension')
    assert.equal(
      only({
        identifier: [
          { system: SYSTEM, value: 'a' },
          { system: SYSTEM, value: 'b' },
        ],
      }),
      'ROTA-6058 Bundle.entry[0].resource.identifier',
    )
    assert.deepEqual(
      only({
        identifier: [
          { system: SYSTEM, value: 'a', use: 'old' },
          { system: SYSTEM, value: 'b' },
        ],
      }),
      { name: 'b' },
    )
  })
})

describe('a file', () => {
  const refused = (text: string) => {
    try {
      readFhirText(text, 'f', [])
      return 'read'
    } catch (error) {
      return isRotaError(error) ? `${error.code} ${error.details.reason}` : String(error)
    }
  }
  it('is one resource, a Bundle with all its pages, or NDJSON', () => {
    assert.equal(readFhirText(`${JSON.stringify(consent())}\n\n${JSON.stringify(patient('1', 'a'))}\n`, 'f', []).patients[0]?.place, 'line 3')
    assert.equal(readFhirText(`${JSON.stringify(consent())}\n{"resourceTy`, 'f', []).bad[0]?.place, 'line 2')
    assert.equal(
      readFhirText(bundle([{ resource: { resourceType: 'OperationOutcome' }, search: { mode: 'outcome' } }, { resource: consent() }], 'searchset'), 'f', [])
        .consents.length,
      1,
    )
    assert.match(refused(''), /ROTA-6050 it is empty/)
    assert.match(refused('<Consent xmlns="http://hl7.org/fhir"/>'), /ROTA-6050/)
    assert.match(refused('[]'), /ROTA-6050/)
    assert.match(refused(bundle([], 'document')), /ROTA-6050 a Bundle of type document/)
    assert.match(refused(bundle([], 'searchset', { link: [{ relation: 'next', url: 'x' }] })), /ROTA-6050 the Bundle has a next page/)
    assert.match(refused(bundle([], 'collection', { meta: { profile: ['http://example.org/b'] } })), /ROTA-6054/)
    assert.match(refused(bundle([{ resource: 1 as never }])), /ROTA-6050 the element Bundle.entry\[0\].resource/)
  })
  it('that deletes a Consent says nothing of how it stands', () => {
    const read = readFhirText(bundle([{ request: { method: 'DELETE', url: 'Consent/c1' } }], 'transaction'), 'f', [])
    assert.deepEqual(
      read.bad.map(({ place, error }) => [place, error.code]),
      [['Bundle.entry[0]', 'ROTA-6051']],
    )
  })
  it('may sign a Consent by a Provenance', () => {
    const signature = [
      { type: [{ system: 'urn:iso-astm:E1762-95:2013', code: '1.2.840.10065.1.12.1.1' }], when: '2026-05-11T08:00:00Z', who: { display: 'x' }, data: 'Zm9v' },
    ]
    const provenance = {
      resourceType: 'Provenance',
      target: [{ reference: 'Consent/c1' }],
      recorded: '2026-05-11T08:00:00Z',
      agent: [{ who: { display: 'x' } }],
      signature,
    }
    const found = signaturesIn(readFhirText(bundle([{ resource: provenance }, { resource: { ...provenance, signature: 3 } }]), 'f', []))
    assert.deepEqual(found.get('Consent/c1'), {
      when: '2026-05-11T08:00:00Z',
      type: 'urn:iso-astm:E1762-95:2013|1.2.840.10065.1.12.1.1',
      format: null,
      data: 'Zm9v',
    })
  })
})

describe('dates of R4', () => {
  it('are as long as they are written', () => {
    const length = (text: string) => {
      const moment = momentOf(text)
      return moment === null ? null : moment.to - moment.from
    }
    assert.deepEqual(['2024', '2024-02', '2024-02-29', '2015-02-07T13:28:17-05:00', '2015-02-07T13:28:17.239Z'].map(length), [
      366 * 864e5,
      29 * 864e5,
      864e5,
      1000,
      1,
    ])
    for (const bad of ['2023-02-29', '2023-13', '2023-00-01', '2023-04-31T00:00:00Z', '2023-04-30T24:00:00Z', '2023-04-30T10:00', '20230401', '0000', ''])
      assert.equal(momentOf(bad), null, bad)
    assert.ok((momentOf('2026-11-21')?.from ?? Infinity) < NOW)
  })
})

const EXAMPLES = resolve('../shared/data/fhir-r4-examples')

describe('the official examples of R4', () => {
  it('are read or refused by what they say', (t) => {
    if (!existsSync(EXAMPLES)) return t.diagnostic('no ../shared/data/fhir-r4-examples here: generated ones alone')
    const files = readdirSync(EXAMPLES).filter((name) => name.startsWith('Consent-'))
    t.diagnostic(`read: ${files.join(', ')}`)
    const example = (name: string): object => JSON.parse(readFileSync(join(EXAMPLES, name), 'utf8')) as object
    const strict = Object.fromEntries(files.map((name) => [name.slice(24, -5), says(example(name))]))
    for (const [name, word] of Object.entries(strict)) assert.equal(word, 'ROTA-6059 Consent.scope', name)
    const mapping: FhirMapping = {
      ...MAPPING,
      patient: { system: null, id: true },
      scopes: ['http://terminology.hl7.org/CodeSystem/consentscope|patient-privacy'],
      categories: [...MAPPING.categories, 'http://terminology.hl7.org/CodeSystem/consentcategorycodes|npp'],
      organizations: { ours: ['Organization/f001'], others: ['Practitioner/f204', 'Practitioner/13', 'Patient/example'] },
    }
    assert.deepEqual(Object.fromEntries(files.map((name) => [name.slice('Consent-consent-example-'.length, -5), says(example(name), mapping)])), {
      // An opt-out whose provision names us, but not whether it permits us or denies us.
      Out: 'ROTA-6051 Consent.provision.type',
      basic: 'ended',
      grantor: 'ROTA-6051 Consent.provision.type',
      // Access and correction are denied to us, use is not.
      notOrg: 'ROTA-6057 Consent.provision.action',
      notThem: 'ROTA-6051 Consent.provision.type',
      signature: 'ROTA-6051 Consent.provision.type',
    })
  })
})

const SYNTHEA = resolve('../shared/data/fhir-bulk-synthea/10-patients/Patient.000.ndjson')

describe('a bulk export of synthetic patients', () => {
  it('names each patient by the hospital', (t) => {
    if (!existsSync(SYNTHEA)) return t.diagnostic('no ../shared/data/fhir-bulk-synthea here: generated patients alone')
    const patients = readFileSync(SYNTHEA, 'utf8').trim().split('\n')
    t.diagnostic(`${patients.length} patients of Patient.000.ndjson, with consents generated for them`)
    const consents = patients.map((line, i) => {
      const { id } = JSON.parse(line) as { id: string }
      return JSON.stringify(consent({ id: `c${i}`, patient: { reference: `Patient/${id}` } }))
    })
    const mapping = { ...MAPPING, patient: { system: 'http://hospital.smarthealthit.org', id: false } }
    const read = readText([...patients, ...consents].join('\n'), mapping)
    const names = read.flatMap((one) => ('who' in one && 'name' in one.who ? [one.who.name] : []))
    assert.deepEqual([names.length, new Set(names).size], [patients.length, patients.length])
  })
})
