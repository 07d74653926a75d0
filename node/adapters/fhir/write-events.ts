import { SYSTEM } from './codes.ts'
import type { Who } from './fhir-patients.ts'
import type { AuditEvent, Provenance, Reference } from './r4.ts'
import type { ConsentSignature } from './read-signatures.ts'
import { coding, concept, patientReference, siteReference, type WriteContext } from './write-parts.ts'

const DICOM = 'http://dicom.nema.org/resources/ontology/DCM'
const OPERATION = 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle'
const PROCESSOR = 'http://terminology.hl7.org/CodeSystem/extra-security-role-type'
const AGENT = 'http://terminology.hl7.org/CodeSystem/provenance-participant-type'
const ENTITY = 'http://hl7.org/fhir/resource-types'
const ROLE = 'http://terminology.hl7.org/CodeSystem/object-role'
const SOURCE = 'http://terminology.hl7.org/CodeSystem/security-source-type'
const ACTIVITY = 'http://terminology.hl7.org/CodeSystem/v3-DataOperation'

export interface RecordedEvent {
  readonly id: string
  readonly what: 'recorded' | 'withdrawn' | 'used'
  /** ISO. */
  readonly at: string
  /** Ids of the Consents that it is about; many for a round. */
  readonly consents: readonly string[]
  /** More that it says, by name: run, round, the root that the site committed to. */
  readonly details: Readonly<Record<string, string>>
}

/** What happened to consents, from iso-21089: recorded originates, withdrawn amends, used in a round uses. */
const WHAT = {
  recorded: { action: 'C', code: 'originate', display: 'Originate/Retain Record Lifecycle Event' },
  withdrawn: { action: 'U', code: 'amend', display: 'Amend (Update) Record Lifecycle Event' },
  used: { action: 'E', code: 'access', display: 'Access/View Record Lifecycle Event' },
} as const

export function auditEventOf(context: WriteContext, { id, what, at, consents, details }: RecordedEvent): AuditEvent {
  const { action, code, display } = WHAT[what]
  const told = Object.entries(details).map(([type, valueString]) => ({ type, valueString }))
  return {
    resourceType: 'AuditEvent',
    id,
    type: coding(DICOM, '110110', 'Patient Record'),
    subtype: [coding(OPERATION, code, display)],
    action,
    recorded: at,
    outcome: '0',
    purposeOfEvent: [concept(SYSTEM.purpose, 'HRESCH', 'healthcare research')],
    agent: [{ type: concept(PROCESSOR, 'dataprocessor', 'data processor'), who: siteReference(context), requestor: true }],
    source: { site: context.siteName, observer: siteReference(context), type: [coding(SOURCE, '4', 'Application Server')] },
    entity: consents.map((consent, i) => ({
      what: { reference: context.refer('Consent', consent) },
      type: coding(ENTITY, 'Consent', 'Consent'),
      role: coding(ROLE, '4', 'Domain Resource'),
      ...(i === 0 && told.length > 0 ? { detail: told } : {}),
    })),
  }
}

export interface WrittenOrigin {
  readonly id: string
  readonly consent: string
  readonly who: Who
  /** ISO: when this site put it into its record. */
  readonly recordedAt: string
  /** As the hospital's own system has it; null where it was given at the desk. */
  readonly givenAt: string | null
  readonly kind: 'granted' | 'withdrawn'
  readonly by: 'patient' | 'representative' | 'another' | null
  readonly signature: ConsentSignature | null
  /** Of the programme's terms that it was given under; null where there were none. */
  readonly termsVersion: number | null
}

/** Who put a consent, or its end, into the record; with the signature that came with it, unchecked. */
export function provenanceOf(context: WriteContext, { id, consent, who, recordedAt, givenAt, kind, by, signature, termsVersion }: WrittenOrigin): Provenance {
  const signer: Reference = by === 'patient' ? patientReference(context, who) : { display: 'As in the resource that was imported' }
  return {
    resourceType: 'Provenance',
    id,
    target: [{ reference: context.refer('Consent', consent) }],
    ...(givenAt === null ? {} : { occurredDateTime: givenAt }),
    recorded: recordedAt,
    policy: [termsVersion === null ? context.own.policy : `${context.own.policy}:terms:${termsVersion}`],
    activity: kind === 'granted' ? concept(ACTIVITY, 'CREATE', 'create') : concept(ACTIVITY, 'UPDATE', 'revise'),
    agent: [
      { type: concept(AGENT, 'assembler', 'Assembler'), who: siteReference(context) },
      ...(by === 'patient' ? [{ type: concept(AGENT, 'informant', 'Informant'), who: patientReference(context, who) }] : []),
    ],
    ...(signature === null ? {} : { signature: [signatureOf(signature, signer)] }),
  }
}

function signatureOf({ when, type, format, data }: ConsentSignature, who: Reference): NonNullable<Provenance['signature']>[number] {
  const [system = '', code = ''] = type.split('|')
  return {
    type: [coding(system, code)],
    when,
    who,
    ...(format === null ? {} : { sigFormat: format }),
    ...(data === null ? {} : { data: data.replace(/\s/g, '') }),
  }
}
