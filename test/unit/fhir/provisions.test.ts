/**
 * given random provisions as FHIR writes them, nested to any depth
 *   what the Consent says is what R4's own words give, asked use by use of the JSON itself
 * given a Bundle of which any one value is another, or gone
 *   it is read or refused by number, and nothing else happens
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FhirMapping } from '#adapters/fhir/fhir-mapping.ts'
import { isRotaError } from '#base/errors.ts'
import { Seeded } from '#core/model/seeded.ts'
import { ACTION, bundle, code, consent, type Loose, MAPPING, NOW, OPTOUT, patient, readText, says, V3 } from './support.ts'

interface Provision {
  readonly type: 'permit' | 'deny'
  readonly period?: { readonly start?: string; readonly end?: string }
  readonly purpose?: readonly { readonly system: string; readonly code: string }[]
  readonly action?: readonly { readonly coding: readonly { readonly code: string }[] }[]
  readonly actor?: readonly { readonly reference: { readonly reference: string } }[]
  readonly class?: readonly { readonly system: string; readonly code: string }[]
  readonly provision?: readonly Provision[]
}

/** What each purpose is part of, written out once more. */
const PART_OF: Readonly<Record<string, readonly string[]>> = {
  HRESCH: ['HRESCH'],
  BIORCH: ['BIORCH', 'HRESCH'],
  DSRCH: ['DSRCH', 'HRESCH'],
  POARCH: ['POARCH', 'HRESCH'],
  TRANSRCH: ['TRANSRCH', 'HRESCH'],
  CLINTRCH: ['CLINTRCH', 'HRESCH'],
  CLINTRCHNPC: ['CLINTRCHNPC', 'CLINTRCH', 'HRESCH'],
  CLINTRCHPC: ['CLINTRCHPC', 'CLINTRCH', 'HRESCH'],
  PRECLINTRCH: ['PRECLINTRCH', 'CLINTRCH', 'HRESCH'],
}
const mapping: FhirMapping = { ...MAPPING, organizations: { ours: ['Organization/us'], others: ['Organization/them'] } }
const today = new Date(NOW).toISOString().slice(0, 10)

function draw(random: Seeded, depth: number): Provision {
  const maybe = (chance: number): boolean => random.uniform() < chance
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random.uniform() * of.length)] as T
  const some = <T>(of: readonly T[]): readonly T[] => [pick(of), ...of.filter(() => maybe(0.3))]
  const nested = depth === 0 ? [] : Array.from({ length: Math.floor(random.uniform() * 3) }, () => draw(random, depth - 1))
  return {
    type: pick(['permit', 'deny']),
    ...(maybe(0.3) ? { period: pick([{ start: '2020', end: today }, { end: '2026-11-20' }, { start: today }, { start: '2026-11-22', end: '2030' }]) } : {}),
    ...(maybe(0.5) ? { purpose: some(['TREAT', 'HRESCH', 'HRESCH', 'CLINTRCH', 'DSRCH', 'CLINTRCHPC']).map((one) => ({ system: V3, code: one })) } : {}),
    ...(maybe(0.3) ? { action: some(['access', 'use', 'use', 'correct']).map(ACTION) } : {}),
    ...(maybe(0.2)
      ? {
          actor: some(['us', 'them']).map((one) => ({
            role: code('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'PRCP'),
            reference: { reference: `Organization/${one}` },
          })),
        }
      : {}),
    ...(maybe(0.15) ? { class: [{ system: 'http://hl7.org/fhir/resource-types', code: pick(['Condition', 'Observation']) }] } : {}),
    ...(nested.length > 0 ? { provision: nested } : {}),
  }
}

interface Use {
  readonly purpose: string
  readonly action: string
  readonly has: readonly string[]
}

function isAbout(rule: Provision, { purpose, action, has }: Use): boolean {
  if (rule.period?.start !== undefined && rule.period.start > today) return false
  if (rule.period?.end !== undefined && rule.period.end < today) return false
  if (rule.purpose?.every((one) => !PART_OF[purpose]?.includes(one.code))) return false
  if (rule.action?.every((one) => one.coding[0]?.code !== action)) return false
  if (rule.actor?.every((one) => one.reference.reference !== 'Organization/us')) return false
  return rule.class?.every((one) => !has.includes(one.code)) !== true
}

const wordOf = (rule: Provision, use: Use): 'permit' | 'deny' => {
  const exceptions = (rule.provision ?? []).filter((one) => isAbout(one, use)).map((one) => wordOf(one, use))
  return exceptions.length === 0 ? rule.type : exceptions.includes('deny') ? 'deny' : 'permit'
}

/** R4 of one root without a period: nothing is permitted outside of it. */
function expected(root: Provision): string {
  const words = new Set<string>()
  for (const purpose of Object.keys(PART_OF))
    for (const action of ['access', 'use'])
      for (const has of [[], ['Condition'], ['Observation'], ['Condition', 'Observation']]) {
        const use = { purpose, action, has }
        words.add(isAbout(root, use) ? wordOf(root, use) : 'deny')
      }
  return words.size > 1 ? 'parted' : `${[...words][0]}`
}

test('600 random Consents', () => {
  const random = new Seeded(46)
  const seen: Record<string, number> = { permit: 0, deny: 0, parted: 0 }
  for (let i = 0; i < 600; i++) {
    const { period: _, ...root } = draw(random, 3)
    const said = says(consent({ policyRule: OPTOUT }, root as unknown as Loose), mapping)
    const read = said.startsWith('ROTA-6057') ? 'parted' : said === 'permits' ? 'permit' : said === 'denies' || said === 'not yet' ? 'deny' : said
    assert.equal(read, expected(root), `${i}: ${JSON.stringify(root)}`)
    seen[read] = (seen[read] ?? 0) + 1
  }
  assert.ok(Math.min(...Object.values(seen)) >= 50, JSON.stringify(seen))
})

test('a Bundle with any one value changed', () => {
  const random = new Seeded(47)
  const strange = [
    null,
    '',
    0,
    -1,
    true,
    [],
    {},
    [null],
    [[]],
    'Patient/1',
    '2026-02-30',
    '\u0000',
    1e308,
    { resourceType: 'Consent' },
    ['x'],
    '#p',
    'urn:uuid:1',
  ]
  const provision = { type: 'permit', period: { end: '2030' }, provision: [{ type: 'deny', purpose: [{ system: V3, code: 'TREAT' }] }] }
  const sound = consent(
    {
      patient: { reference: 'Patient/1' },
      performer: [{ reference: 'Patient/1' }],
      verification: [{ verified: true }],
      meta: { lastUpdated: '2026-01-01T00:00:00Z' },
    },
    provision,
  )
  const whole = bundle([
    { resource: patient('1', 'Ann'), fullUrl: 'http://h/Patient/1' },
    { resource: sound, fullUrl: 'http://h/Consent/c1' },
  ])
  const seen = new Set<string>()
  for (let i = 0; i < 1_500; i++) {
    const changed = JSON.parse(whole) as Record<string, unknown>
    let at: Record<string, unknown> = changed
    for (;;) {
      const keys = Object.keys(at)
      const key = keys[Math.floor(random.uniform() * keys.length)] as string
      const inner = at[key]
      if (typeof inner === 'object' && inner !== null && Object.keys(inner).length > 0 && random.uniform() < 0.85) at = inner as Record<string, unknown>
      else {
        if (random.uniform() < 0.2) delete at[key]
        else at[key] = strange[Math.floor(random.uniform() * strange.length)]
        break
      }
    }
    try {
      for (const one of readText(JSON.stringify(changed))) seen.add('says' in one ? one.says : one[0])
    } catch (error) {
      assert.ok(isRotaError(error), `${i}: ${JSON.stringify(changed)}: ${String(error)}`)
      seen.add(error.code)
    }
  }
  for (const code of ['permits', 'ROTA-6050', 'ROTA-6051', 'ROTA-6052', 'ROTA-6055', 'ROTA-6058']) assert.ok(seen.has(code), code)
})
