import { ACTIONS, type Action, purposeName, purposesUnder, RESEARCH_CATEGORIES } from './codes.ts'
import type { Use, Word } from './decide.ts'

/**
 * What a site says about its own Consent resources: nothing in them is guessed, so what only the site can know stands here.
 * Codes are written `system|code`; a purpose without a system is one of HL7 v3.
 */
export interface FhirMapping {
  readonly patient: {
    /** The system of the identifier by which this site's data names its patients. */
    readonly system: string | null
    /** The id of the Patient resource is that name. */
    readonly id: boolean
  }
  readonly scopes: readonly string[]
  readonly categories: readonly string[]
  /** A Consent or Bundle that says it follows another profile is refused: the profile may change what it means. */
  readonly profiles: readonly string[]
  /** What the programme is for: a consent must permit all of it. */
  readonly purposes: readonly string[]
  /** Codes of other systems that mean other purposes. */
  readonly otherPurposes: readonly string[]
  readonly actions: readonly Action[]
  /** References to this site, and to others: an actor that is in neither list is refused. */
  readonly organizations: { readonly ours: readonly string[]; readonly others: readonly string[] }
  /** URIs of policies and codes of rules that belong to the programme, and what they say where no provision does; null: nothing. */
  readonly policies: Readonly<Record<string, Word | null>>
  /** Codes in a provision that mean all that the programme uses, and codes that mean none of it; others restrict it to a part. */
  readonly codes: { readonly ours: readonly string[]; readonly others: readonly string[] }
}

export const defaultFhirMapping: FhirMapping = {
  patient: { system: null, id: false },
  scopes: ['http://terminology.hl7.org/CodeSystem/consentscope|research'],
  categories: RESEARCH_CATEGORIES,
  profiles: [],
  purposes: ['HRESCH'],
  otherPurposes: [],
  actions: ['access', 'use'],
  organizations: { ours: [], others: [] },
  policies: {},
  codes: { ours: [], others: [] },
}

/** Names that only this site gives: its own exports are always understood. */
export interface OwnNames {
  /** System of identifiers that name patients as this site's data does. */
  readonly patients: string
  /** System of identifiers of patients whose names this site does not know. */
  readonly pseudonyms: string
  /** URI of the programme's terms. */
  readonly policy: string
}

/** What a consent is asked about. */
export const useOf = ({ purposes, actions }: FhirMapping): Use => ({
  purposes: new Set(purposes.map(purposeName).flatMap((name) => purposesUnder(name) ?? [name])),
  actions: new Set(actions),
})

export const isAction = (code: string): code is Action => (ACTIONS as readonly string[]).includes(code)
