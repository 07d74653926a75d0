import { SYSTEM } from './codes.ts'
import type { Who } from './fhir-patients.ts'
import type { Consent, ConsentProvision } from './r4.ts'
import { coding, concept, patientReference, siteReference, type WriteContext } from './write-parts.ts'

/** How one patient stands under the programme. */
export interface WrittenStanding {
  readonly id: string
  readonly who: Who
  /** 'objected': withdrawn by somebody who never had given a consent here. */
  readonly state: 'granted' | 'withdrawn' | 'objected'
  /** ISO: when the consent was given, or the objection was made. */
  readonly givenAt: string
  readonly changedAt: string
  /** ISO: it counts up to this moment, not including it. */
  readonly until: string | null
  readonly by: 'patient' | 'representative' | 'another' | null
  /** Purposes of v3 that the programme has here. */
  readonly purposes: readonly { readonly system: string; readonly code: string }[]
}

/**
 * An objection is a denial in force; a consent that was withdrawn is one that has ended.
 * Read again by this site, either says exactly how the patient stands.
 */
export function consentOf(context: WriteContext, standing: WrittenStanding): Consent {
  const { id, who, state, givenAt, changedAt } = standing
  return {
    resourceType: 'Consent',
    id,
    meta: { lastUpdated: changedAt },
    status: state === 'withdrawn' ? 'inactive' : 'active',
    scope: concept(SYSTEM.scope, 'research', 'Research'),
    category: [concept(SYSTEM.loinc, '59284-0', 'Patient Consent')],
    patient: patientReference(context, who),
    dateTime: givenAt,
    ...(standing.by === 'patient' ? { performer: [patientReference(context, who)] } : {}),
    organization: [siteReference(context)],
    policy: [{ uri: context.own.policy }],
    provision: provisionOf(standing),
  }
}

/** R4's end of a period is part of it; a moment that counts no more is not. */
function provisionOf({ state, until, purposes }: WrittenStanding): ConsentProvision {
  return {
    type: state === 'objected' ? 'deny' : 'permit',
    ...(until === null ? {} : { period: { end: new Date(Date.parse(until) - 1).toISOString() } }),
    purpose: purposes.map(({ system, code }) => coding(system, code)),
  }
}
