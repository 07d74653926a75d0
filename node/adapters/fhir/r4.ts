/**
 * The part of FHIR R4 that this site writes; the names are R4's.
 * @see http://hl7.org/fhir/R4/consent.html, auditevent.html, provenance.html
 */
export interface Coding {
  readonly system: string
  readonly code: string
  readonly display?: string
}
export interface CodeableConcept {
  readonly coding: Coding[]
  readonly text?: string
}
export interface Identifier {
  readonly system: string
  readonly value: string
}
export interface Reference {
  readonly reference?: string
  readonly type?: string
  readonly identifier?: Identifier
  readonly display?: string
}
export interface Period {
  readonly start?: string
  readonly end?: string
}

export interface ConsentProvision {
  readonly type?: 'deny' | 'permit'
  readonly period?: Period
  readonly action?: CodeableConcept[]
  readonly purpose?: Coding[]
  readonly provision?: ConsentProvision[]
}

export interface Consent {
  readonly resourceType: 'Consent'
  readonly id: string
  readonly meta: { readonly lastUpdated: string }
  readonly status: 'active' | 'inactive'
  readonly scope: CodeableConcept
  readonly category: CodeableConcept[]
  readonly patient: Reference
  readonly dateTime: string
  readonly performer?: Reference[]
  readonly organization: Reference[]
  readonly policy: { readonly uri: string }[]
  readonly provision: ConsentProvision
}

interface AuditDetail {
  readonly type: string
  readonly valueString: string
}

export interface AuditEvent {
  readonly resourceType: 'AuditEvent'
  readonly id: string
  readonly type: Coding
  readonly subtype: Coding[]
  readonly action: 'C' | 'U' | 'E'
  readonly recorded: string
  readonly outcome: '0'
  readonly purposeOfEvent: CodeableConcept[]
  readonly agent: { readonly type: CodeableConcept; readonly who: Reference; readonly requestor: boolean }[]
  readonly source: { readonly site: string; readonly observer: Reference; readonly type: Coding[] }
  readonly entity: { readonly what: Reference; readonly type: Coding; readonly role?: Coding; readonly detail?: AuditDetail[] }[]
}

export interface Signature {
  readonly type: Coding[]
  readonly when: string
  readonly who: Reference
  readonly sigFormat?: string
  readonly data?: string
}

export interface Provenance {
  readonly resourceType: 'Provenance'
  readonly id: string
  readonly target: Reference[]
  readonly occurredDateTime?: string
  readonly recorded: string
  readonly policy: string[]
  readonly activity: CodeableConcept
  readonly agent: { readonly type: CodeableConcept; readonly who: Reference }[]
  readonly signature?: Signature[]
}

export type Written = Consent | AuditEvent | Provenance
