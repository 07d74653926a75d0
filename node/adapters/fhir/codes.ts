/** Code systems of FHIR R4 that a research consent speaks in. */
export const SYSTEM = {
  scope: 'http://terminology.hl7.org/CodeSystem/consentscope',
  category: 'http://terminology.hl7.org/CodeSystem/consentcategorycodes',
  action: 'http://terminology.hl7.org/CodeSystem/consentaction',
  purpose: 'http://terminology.hl7.org/CodeSystem/v3-ActReason',
  directive: 'http://terminology.hl7.org/CodeSystem/v3-ActCode',
  policy: 'http://terminology.hl7.org/CodeSystem/consentpolicycodes',
  role: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType',
  loinc: 'http://loinc.org',
} as const

/** `system|code`, as FHIR searches write it: how codes are named in a site's mapping and compared here. */
export const codeName = (coding: { readonly system?: string | undefined; readonly code?: string | undefined }): string =>
  `${coding.system ?? ''}|${coding.code ?? ''}`

const named = (system: string, codes: readonly string[]): readonly string[] => codes.map((code) => `${system}|${code}`)

/**
 * What a research consent is filed under. `rsdid` and `rsreid` say how far results may lead back to a person: no row leaves a site here, so either will do.
 * @see http://hl7.org/fhir/R4/valueset-consent-category.html
 */
export const RESEARCH_CATEGORIES: readonly string[] = [
  ...named(SYSTEM.category, ['research', 'rsdid', 'rsreid']),
  ...named(SYSTEM.directive, ['ICOL', 'IDSCL', 'INFA', 'INFAO', 'INFASO', 'IRDSCL']),
  ...named(SYSTEM.loinc, ['59284-0', '57016-8', '57017-6', '64292-6']),
]

/** @see http://hl7.org/fhir/R4/valueset-consent-action.html */
export const ACTIONS = ['collect', 'access', 'use', 'disclose', 'correct'] as const
export type Action = (typeof ACTIONS)[number]

/** What a rule of this code says where no provision says otherwise; null: the law that a consent is under, which says neither. */
export const POLICY_RULES: ReadonlyMap<string, 'permit' | 'deny' | null> = new Map([
  ...named(SYSTEM.directive, ['OPTIN', 'OPTINR']).map((code) => [code, 'permit'] as const),
  ...named(SYSTEM.directive, ['OPTOUT', 'OPTOUTE']).map((code) => [code, 'deny'] as const),
  ...named(SYSTEM.policy, [
    ...['cric', 'illinois-minor-procedure', 'hipaa-auth', 'hipaa-npp', 'hipaa-restrictions', 'hipaa-research', 'hipaa-self-pay', 'mdhhs-5515', 'nyssipp'],
    ...['va-10-0484', 'va-10-0485', 'va-10-5345', 'va-10-5345a', 'va-10-5345a-mhv', 'va-10-10116', 'va-21-4142', 'ssa-827', 'dch-3927', 'squaxin'],
    ...['nl-lsp', 'at-elga', 'nih-hipaa', 'nci', 'nih-grdr', 'nih-527', 'ga4gh'],
  ]).map((code) => [code, null] as const),
])

/** Roles in which a site keeps or receives a record. An author (AUT) restricts whose data it is, not who uses it. */
export const ACTOR_ROLES: ReadonlySet<string> = new Set(named(SYSTEM.role, ['PRCP', 'IRCP', 'CST']))

/**
 * The purposes of use of HL7 v3 and what each is part of: who agrees to one agrees to all below it.
 * @see http://terminology.hl7.org/ValueSet/v3-PurposeOfUse
 */
const PURPOSE_TREE: Readonly<Record<string, readonly string[]>> = {
  HRESCH: ['BIORCH', 'CLINTRCH', 'DSRCH', 'POARCH', 'TRANSRCH'],
  CLINTRCH: ['CLINTRCHNPC', 'CLINTRCHPC', 'PRECLINTRCH'],
  HMARKT: [],
  HOPERAT: [
    ...['CAREMGT', 'DONAT', 'FRAUD', 'GOV', 'HACCRED', 'HCOMPL', 'HDECD', 'HDIRECT', 'HDM', 'HLEGAL', 'HOUTCOMS', 'HPRGRP', 'HQUALIMP'],
    ...['HSYSADMIN', 'LABELING', 'METAMGT', 'MEMADMIN', 'MILCDM', 'PATADMIN', 'PATSFTY', 'PERFMSR', 'RECORDMGT', 'SYSDEV', 'HTEST', 'TRAIN'],
  ],
  HPAYMT: ['CLMATTCH', 'COVAUTH', 'COVERAGE', 'REMITADV'],
  COVERAGE: ['ELIGDTRM', 'ELIGVER', 'ENROLLM', 'MILDCRG'],
  PATRQT: ['FAMRQT', 'PWATRNY', 'SUPNWK'],
  PUBHLTH: ['DISASTER', 'THREAT'],
  TREAT: ['CLINTRL', 'COC', 'ETREAT', 'ERTREAT', 'POPHLTH'],
  ETREAT: ['BTG'],
}

const KNOWN_PURPOSES: ReadonlySet<string> = new Set([...Object.keys(PURPOSE_TREE), ...Object.values(PURPOSE_TREE).flat()])

/** A bare word in a mapping is a v3 purpose. */
export const purposeName = (word: string): string => (word.includes('|') ? word : `${SYSTEM.purpose}|${word}`)

/** The purpose itself and all that it takes in; null for one that is not of v3. */
export function purposesUnder(name: string): readonly string[] | null {
  const code = name.startsWith(`${SYSTEM.purpose}|`) ? name.slice(SYSTEM.purpose.length + 1) : ''
  if (!KNOWN_PURPOSES.has(code)) return null
  return [name, ...(PURPOSE_TREE[code] ?? []).flatMap((child) => purposesUnder(`${SYSTEM.purpose}|${child}`) ?? [])]
}
