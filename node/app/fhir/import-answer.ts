import type { FhirFile } from '#adapters/fhir/fhir-file.ts'
import type { ReadConsent } from '#adapters/fhir/read-consent.ts'
import type { RecordedConsents } from '#app/consent/consent-record.ts'
import { isRotaError, type RotaError } from '#base/errors.ts'
import { type ToldError, toldError } from '../told-error.ts'
import type { Planned } from './import-plan.ts'

/** What becomes of one Consent. */
export interface ImportedResource {
  /** Where it lies in the file. */
  readonly place: string
  readonly id: string | null
  /** As this site names the patient. For this site's screen alone. */
  readonly patient: string | null
  readonly outcome: 'recorded' | 'withdrawn' | 'unchanged' | 'refused'
  readonly reason: string
  /** FHIRPath of what is refused. */
  readonly path: string | null
  /** ISO: the consent counts up to this moment. */
  readonly until: string | null
  readonly error: ToldError | null
}

export interface FhirImport extends Pick<RecordedConsents, 'programme' | 'receipts' | 'handover' | 'root'> {
  readonly dryRun: boolean
  /** Whether anything of it was recorded. */
  readonly taken: boolean
  readonly recorded: number
  readonly withdrawn: number
  readonly unchanged: number
  readonly refused: number
  /** Of those recorded, patients of whom this site's data file has no row. */
  readonly withoutRows: number
  readonly resources: readonly ImportedResource[]
  /** Why nothing was taken, or why the chain does not know yet. */
  readonly problem: ToldError | null
}

export interface Refused {
  readonly place: string
  readonly id?: string | null
  readonly error: RotaError
}

export function readOrRefused({ place, resource }: FhirFile['consents'][number], read: () => ReadConsent): ReadConsent | Refused {
  try {
    return read()
  } catch (error) {
    if (!isRotaError(error)) throw error
    return { place, id: typeof resource.id === 'string' && /^[A-Za-z0-9.-]{1,64}$/.test(resource.id) ? resource.id : null, error }
  }
}

export const refusedResource = ({ place, id = null, error }: Refused): ImportedResource => ({
  ...{ place, id, patient: null, outcome: 'refused', reason: error.message, until: null, error: toldError(error) },
  path: String(error.details.path ?? place),
})

export function plannedResource(planned: Planned): ImportedResource {
  const { consent, outcome, reason } = planned
  const { place, id, who } = consent
  const patient = 'name' in who ? who.name : null
  if (outcome === 'refused') return { ...refusedResource({ place, id, error: planned.error }), patient }
  const until = outcome === 'recorded' && consent.changesMs !== null ? new Date(consent.changesMs).toISOString() : null
  return { place, id, patient, outcome, reason, path: null, until, error: null }
}
