import type { OwnNames } from './fhir-mapping.ts'
import type { Who } from './fhir-patients.ts'
import type { CodeableConcept, Coding, Reference } from './r4.ts'

/** Whose record it is, in FHIR: names in place of addresses, since nothing here is a server that others could ask. */
export interface WriteContext {
  readonly own: OwnNames & { readonly site: string }
  readonly siteName: string
  /** The system by which the hospital's own systems know the names of this site's data, where it is known. */
  readonly patientSystem: string | null
  /** How one resource of the file points to another. */
  refer(type: string, id: string): string
}

export const concept = (system: string, code: string, display?: string): CodeableConcept => ({ coding: [coding(system, code, display)] })
export const coding = (system: string, code: string, display?: string): Coding => ({ system, code, ...(display === undefined ? {} : { display }) })

export const siteReference = ({ own, siteName }: WriteContext): Reference => ({
  type: 'Organization',
  identifier: { system: own.site.replace(/:site:\d+$/, ':site'), value: own.site.split(':').at(-1) ?? '' },
  display: siteName,
})

export function patientReference({ own, patientSystem }: WriteContext, who: Who): Reference {
  const identifier = 'name' in who ? { system: patientSystem ?? own.patients, value: who.name } : { system: own.pseudonyms, value: who.pseudonym }
  return { type: 'Patient', identifier }
}
