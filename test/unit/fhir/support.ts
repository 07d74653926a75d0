import { type FhirFile, readFhirText } from '#adapters/fhir/fhir-file.ts'
import { defaultFhirMapping, type FhirMapping, type OwnNames } from '#adapters/fhir/fhir-mapping.ts'
import { FhirPatients } from '#adapters/fhir/fhir-patients.ts'
import { type ReadConsent, readConsent } from '#adapters/fhir/read-consent.ts'
import { isRotaError } from '#base/errors.ts'

export const NOW = Date.parse('2026-11-21T12:00:00Z')
export const SYSTEM = 'urn:oid:1.2.276.0.76.4711'
export const OWN: OwnNames = { patients: 'urn:rota:test:patient', pseudonyms: 'urn:rota:test:pseudonym', policy: 'urn:rota:test:programme' }
export const MAPPING: FhirMapping = { ...defaultFhirMapping, patient: { system: SYSTEM, id: false } }

export const code = (system: string, value: string) => ({ coding: [{ system, code: value }] })
export const V3 = 'http://terminology.hl7.org/CodeSystem/v3-ActReason'
export const OPTIN = code('http://terminology.hl7.org/CodeSystem/v3-ActCode', 'OPTIN')
export const OPTOUT = code('http://terminology.hl7.org/CodeSystem/v3-ActCode', 'OPTOUT')
export const HIPAA = code('http://terminology.hl7.org/CodeSystem/consentpolicycodes', 'hipaa-research')
export const ACTION = (value: string) => code('http://terminology.hl7.org/CodeSystem/consentaction', value)

/** What a test writes may be wrong on purpose. */
export type Loose = Readonly<Record<string, unknown>>

/** A research consent of today, as most systems would write it. */
export function consent(change: Loose = {}, provision: Loose | null = { type: 'permit', purpose: [{ system: V3, code: 'HRESCH' }] }): Loose {
  return {
    resourceType: 'Consent',
    id: 'c1',
    status: 'active',
    scope: code('http://terminology.hl7.org/CodeSystem/consentscope', 'research'),
    category: [code('http://loinc.org', '59284-0')],
    patient: { identifier: { system: SYSTEM, value: '4711' } },
    dateTime: '2026-05-11',
    policyRule: HIPAA,
    ...(provision === null ? {} : { provision }),
    ...change,
  }
}

export const patient = (id: string, value: string, change: Loose = {}): Loose => ({
  resourceType: 'Patient',
  id,
  identifier: [{ system: SYSTEM, value }],
  ...change,
})

export interface Entry {
  readonly resource?: object
  readonly fullUrl?: string
  readonly request?: object
  readonly search?: object
}
export const bundle = (entry: readonly Entry[], type = 'collection', more: object = {}): string =>
  JSON.stringify({ resourceType: 'Bundle', type, entry, ...more })

/** Texts of all that was refused so far. */
export const messages: string[] = []

/** What was read, or the number of the error and its FHIRPath. */
export function readAll(file: FhirFile, mapping = MAPPING): readonly (ReadConsent | readonly [string, string])[] {
  const patients = new FhirPatients(file.patients, mapping.patient, OWN, NOW)
  return file.consents.map((placed) => {
    try {
      return readConsent(placed, { mapping, own: OWN, patients, nowMs: NOW })
    } catch (error) {
      if (!isRotaError(error)) throw error
      messages.push(error.message)
      return [error.code, String(error.details.path)] as const
    }
  })
}

export const readText = (text: string, mapping = MAPPING) => readAll(readFhirText(text, 'file.json', mapping.profiles), mapping)

/** Of one Consent: what it says, or `ROTA-…  path`. */
export function says(resource: object, mapping = MAPPING): string {
  const [one] = readText(JSON.stringify(resource), mapping)
  if (one === undefined) return 'nothing'
  return 'says' in one ? one.says : one.join(' ')
}
