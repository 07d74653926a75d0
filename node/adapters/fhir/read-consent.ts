import { codeName, SYSTEM } from './codes.ts'
import { type Concept, type ConsentResource, consentShape } from './consent-shape.ts'
import { standpoint } from './decide.ts'
import type { Placed } from './fhir-file.ts'
import type { FhirMapping, OwnNames } from './fhir-mapping.ts'
import { useOf } from './fhir-mapping.ts'
import { type FhirPatients, sameWho, type Who } from './fhir-patients.ts'
import { type Moment, momentOf } from './fhir-time.ts'
import { withoutPrimitiveExtensions } from './plain-json.ts'
import { isKnownProfile } from './profiles.ts'
import { baseWord, readingsOf } from './read-rules.ts'
import type { FhirReason } from './reasons.ts'
import { fhirPath, refused, sayable } from './refusal.ts'

/** What one Consent says of the programme, as far as it could be read exactly. */
export interface ReadConsent {
  readonly place: string
  readonly root: string
  readonly fullUrl: string | null
  readonly id: string | null
  /** What later versions of the same resource are known by. */
  readonly key: string | null
  readonly who: Who
  readonly status: ConsentResource['status']
  /** 'not in force': by its status. */
  readonly says: 'permits' | 'denies' | 'not yet' | 'ended' | 'not in force'
  /** ms; when a permission ends, or one begins. */
  readonly changesMs: number | null
  readonly agreed: Moment | null
  /** The same as it was written. */
  readonly givenAt: string | null
  readonly updatedMs: number | null
  /** It names the programme's own terms. */
  readonly underOwnTerms: boolean
  readonly by: 'patient' | 'representative' | 'another' | null
}

export interface ReadContext {
  readonly mapping: FhirMapping
  readonly own: OwnNames
  readonly patients: FhirPatients
  readonly nowMs: number
}

/** @throws ROTA-6051 to 6060 and 6064, with the FHIRPath of what cannot be taken exactly */
export function readConsent(placed: Placed, context: ReadContext): ReadConsent {
  const { root, place } = placed
  const consent = shaped(placed)
  checkProfile(consent, root, context.mapping)
  checkMatter(consent, root, context)
  const who = patientOf(consent, placed, context)
  const by = performerOf(consent, placed, context, who)
  const agreed = dateOf(consent, root, context.nowMs)
  const updated = consent.meta?.lastUpdated === undefined ? null : momentOf(consent.meta.lastUpdated)
  const named = consent.identifier?.find(({ system, value }) => system !== undefined && value !== undefined)
  const key = consent.id !== undefined ? `Consent/${consent.id}` : named === undefined ? null : `${named.system}|${named.value}`
  const underOwnTerms = (consent.policy ?? []).some(({ uri }) => uri === context.own.policy)
  return {
    ...{
      place,
      root,
      fullUrl: placed.fullUrl,
      id: consent.id ?? null,
      key,
      who,
      by,
      agreed,
      givenAt: consent.dateTime ?? null,
      status: consent.status,
      underOwnTerms,
    },
    updatedMs: updated?.from ?? null,
    ...wordOf(consent, root, context),
  }
}

function shaped({ resource, root }: Placed): ConsentResource {
  const read = consentShape.safeParse(withoutPrimitiveExtensions(resource, root))
  if (read.success) return read.data
  const issue = read.error.issues.find(({ code }) => code === 'unrecognized_keys') ?? read.error.issues[0]
  if (issue?.code === 'unrecognized_keys') throw refused('ROTA-6051', fhirPath(root, [...issue.path, sayable(issue.keys[0] ?? '')]), 'R4 has no such element')
  throw refused('ROTA-6051', fhirPath(root, issue?.path ?? []), misshapen(issue))
}

/** In words of ours: the checker's own are for whoever writes code. */
function misshapen(issue: { readonly code: string; readonly message: string } | undefined): FhirReason {
  if (issue?.code === 'invalid_type') return issue.message.endsWith('received undefined') ? 'R4 wants something there' : 'R4 wants another kind of value there'
  return issue?.code === 'invalid_value' ? 'R4 has no such value there' : 'not as R4 has it'
}

function checkProfile({ meta }: ConsentResource, root: string, { profiles }: FhirMapping): void {
  const at = (meta?.profile ?? []).findIndex((profile) => !isKnownProfile(profile, 'Consent', profiles))
  if (at >= 0) throw refused('ROTA-6054', `${root}.meta.profile[${at}]`, sayable(meta?.profile?.[at] ?? ''))
}

/** Scopes that R4 names, so that a consent under one of them is known to be about something else. */
const R4_SCOPES = new Set(['adr', 'research', 'patient-privacy', 'treatment'].map((code) => `${SYSTEM.scope}|${code}`))

/** Whether it is about research, of this site, under this programme's policy. */
function checkMatter(consent: ConsentResource, root: string, { mapping, own }: ReadContext): void {
  if (!means(consent.scope, mapping.scopes)) {
    const known = means(consent.scope, R4_SCOPES)
    throw refused(known ? 'ROTA-6059' : 'ROTA-6055', `${root}.scope`, sayable(codesIn(consent.scope)))
  }
  const at = consent.category.findIndex((category) => !means(category, mapping.categories))
  if (at >= 0) throw refused('ROTA-6055', `${root}.category[${at}]`, sayable(codesIn(consent.category[at])))
  const { ours } = mapping.organizations
  const managedBy = (consent.organization ?? []).flatMap(({ reference }) => reference ?? [])
  if (ours.length > 0 && managedBy.length > 0 && !managedBy.some((one) => ours.includes(one)))
    throw refused('ROTA-6059', `${root}.organization`, 'another organisation manages it')
  const unverified = (consent.verification ?? []).findIndex(({ verified }) => !verified)
  if (consent.status === 'active' && unverified >= 0) throw refused('ROTA-6064', `${root}.verification[${unverified}].verified`, 'nobody verified it')
  // One that has ended need not say under what; what it says must be this programme's.
  if (consent.status !== 'active' && (consent.policy ?? consent.policyRule) !== undefined) baseWord(consent, root, { mapping, own })
}

const codesIn = (concept: Concept | undefined): string => (concept?.coding ?? []).map(codeName).join('+')

function means(concept: Concept, known: Iterable<string>): boolean {
  const names = new Set(known)
  return (concept.coding ?? []).some((coding) => names.has(codeName(coding)))
}

function patientOf(consent: ConsentResource, { root, fullUrl }: Placed, { patients }: ReadContext): Who {
  if (consent.patient === undefined) throw refused('ROTA-6058', `${root}.patient`, 'it is missing')
  return patients.who(consent.patient, { path: `${root}.patient`, fullUrl, contained: consent.contained ?? [] })
}

/** R4 names here who granted and whom it was granted to; a patient other than the subject can be neither. */
function performerOf(consent: ConsentResource, { root, fullUrl }: Placed, { patients }: ReadContext, who: Who): ReadConsent['by'] {
  const contained = consent.contained ?? []
  const kinds = (consent.performer ?? []).map((performer, i) => {
    const { reference = '', type } = performer
    if (reference !== '' && reference === consent.patient?.reference) return 'patient'
    const kind = type ?? contained.find(({ id }) => `#${id}` === reference)?.resourceType ?? /(?:^|\/)([A-Z][A-Za-z]+)\/[^/]+$/.exec(reference)?.[1]
    if (kind === 'RelatedPerson') return 'representative'
    if (kind !== 'Patient' && !patients.has(reference)) return 'another'
    const path = `${root}.performer[${i}]`
    if (!sameWho(patients.who(performer, { path, fullUrl, contained }), who)) throw refused('ROTA-6064', path, 'another patient')
    return 'patient'
  })
  return (['patient', 'representative', 'another'] as const).find((kind) => kinds.includes(kind)) ?? null
}

function dateOf({ dateTime, status }: ConsentResource, root: string, nowMs: number): Moment | null {
  if (dateTime === undefined) return null
  const moment = momentOf(dateTime)
  if (moment === null) throw refused('ROTA-6060', `${root}.dateTime`, 'not as R4 writes dates')
  if (status === 'active' && moment.from > nowMs + CLOCKS_MS) throw refused('ROTA-6060', `${root}.dateTime`, 'it is in the future')
  return moment
}

/** Clocks of two systems may differ by so much; a day without a zone begins up to 14 hours early. */
const CLOCKS_MS = 15 * 3_600_000

function wordOf(consent: ConsentResource, root: string, context: ReadContext): Pick<ReadConsent, 'says' | 'changesMs'> {
  if (consent.status !== 'active') return { says: 'not in force', changesMs: null }
  const [stands, ...others] = readingsOf(consent, root, context).map((directive) => standpoint(directive, useOf(context.mapping), context.nowMs))
  if (stands === undefined || others.some((other) => JSON.stringify(other) !== JSON.stringify(stands)))
    throw refused('ROTA-6056', `${root}.policyRule`, 'it permits what the provision leaves out, and nothing says which holds')
  switch (stands.says) {
    case 'parted':
      throw refused('ROTA-6057', stands.path, 'it holds for some of what the programme uses and not for the rest')
    case 'permits':
      return { says: 'permits', changesMs: stands.until }
    case 'not yet':
      return { says: 'not yet', changesMs: stands.from }
    default:
      return { says: stands.says, changesMs: null }
  }
}
