import assert from 'node:assert/strict'
import { consentShape } from '#adapters/fhir/consent-shape.ts'
import { momentOf } from '#adapters/fhir/fhir-time.ts'
import type { Loose } from './support.ts'

/** Elements that R4 requires, and those that it knows, of what is written here; from the R4 definitions, apart from the code under test. */
const DEFINITIONS: Readonly<Record<string, { required: readonly string[]; known: readonly string[] }>> = {
  Consent: {
    required: ['status', 'scope', 'category'],
    known: [
      'id',
      'meta',
      'status',
      'scope',
      'category',
      'patient',
      'dateTime',
      'performer',
      'organization',
      'policy',
      'policyRule',
      'verification',
      'provision',
    ],
  },
  AuditEvent: {
    required: ['type', 'recorded', 'agent', 'source'],
    known: ['id', 'type', 'subtype', 'action', 'period', 'recorded', 'outcome', 'outcomeDesc', 'purposeOfEvent', 'agent', 'source', 'entity'],
  },
  Provenance: {
    required: ['target', 'recorded', 'agent'],
    known: ['id', 'target', 'occurredDateTime', 'recorded', 'policy', 'location', 'reason', 'activity', 'agent', 'entity', 'signature'],
  },
}

/** Codes that R4 binds and that are written here: system, then codes. */
const BOUND: Readonly<Record<string, readonly string[]>> = {
  'http://terminology.hl7.org/CodeSystem/consentscope': ['adr', 'research', 'patient-privacy', 'treatment'],
  'http://loinc.org': ['59284-0'],
  'http://terminology.hl7.org/CodeSystem/v3-ActReason': ['HRESCH'],
  'http://dicom.nema.org/resources/ontology/DCM': ['110110'],
  'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle': ['originate', 'amend', 'access'],
  'http://terminology.hl7.org/CodeSystem/extra-security-role-type': ['authserver', 'datacollector', 'dataprocessor', 'datasubject', 'humanuser'],
  'http://terminology.hl7.org/CodeSystem/security-source-type': ['1', '2', '3', '4', '5', '6', '7', '8', '9'],
  'http://hl7.org/fhir/resource-types': ['Consent'],
  'http://terminology.hl7.org/CodeSystem/object-role': ['4'],
  'http://terminology.hl7.org/CodeSystem/provenance-participant-type': [
    'enterer',
    'performer',
    'author',
    'verifier',
    'legal',
    'attester',
    'informant',
    'custodian',
    'assembler',
    'composer',
  ],
  'http://terminology.hl7.org/CodeSystem/v3-DataOperation': ['CREATE', 'DELETE', 'UPDATE', 'APPEND', 'NULLIFY'],
  'urn:iso-astm:E1762-95:2013': ['1.2.840.10065.1.12.1.1'],
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/

/** Structure, cardinalities and bound codes of a resource that this site wrote. */
export function checkR4(resource: Loose): void {
  const type = String(resource.resourceType)
  const { required, known } = DEFINITIONS[type] ?? assert.fail(type)
  for (const key of required) assert.ok(resource[key] !== undefined, `${type}.${key}`)
  for (const key of Object.keys(resource)) assert.ok(key === 'resourceType' || known.includes(key), `${type}.${key}`)
  assert.match(String(resource.id), /^[A-Za-z0-9.-]{1,64}$/)
  walk(resource, type)
  if (type === 'Consent') {
    assert.ok(consentShape.safeParse(resource).success)
    assert.ok(['draft', 'proposed', 'active', 'rejected', 'inactive', 'entered-in-error'].includes(String(resource.status)))
    assert.ok(resource.policy !== undefined || resource.policyRule !== undefined, 'ppc-1')
    assert.ok(resource.patient !== undefined, 'ppc-2')
    assert.ok(momentOf(String(resource.dateTime)) !== null)
  } else assert.match(String(resource.recorded), INSTANT)
  if (type === 'AuditEvent') {
    assert.ok(['C', 'R', 'U', 'D', 'E'].includes(String(resource.action)) && ['0', '4', '8', '12'].includes(String(resource.outcome)))
    for (const agent of resource.agent as Loose[]) assert.equal(typeof agent.requestor, 'boolean')
    assert.ok((resource.source as Loose).observer !== undefined)
  }
  if (type === 'Provenance') {
    assert.ok((resource.target as Loose[]).length > 0)
    for (const agent of resource.agent as Loose[]) assert.ok(agent.who !== undefined)
    for (const { type, when, who } of (resource.signature ?? []) as Loose[]) {
      assert.ok(Array.isArray(type) && type.length > 0 && who !== undefined)
      assert.match(String(when), INSTANT)
    }
  }
}

/** R4: no empty array, object or string anywhere; a code is one of its system. */
function walk(value: unknown, path: string): void {
  assert.ok(value !== null && value !== '' && value !== undefined, path)
  if (typeof value !== 'object') return
  const inner = Object.entries(value as object)
  assert.ok(inner.length > 0, `${path} is empty`)
  const { system, code } = value as Loose
  if (code !== undefined) assert.ok(BOUND[String(system)]?.includes(String(code)), `${path}: ${String(system)}|${String(code)}`)
  for (const [key, one] of inner) walk(one, `${path}.${key}`)
}
