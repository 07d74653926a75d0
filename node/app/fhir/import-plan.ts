import { type Who, whoKey } from '#adapters/fhir/fhir-patients.ts'
import type { ReadConsent } from '#adapters/fhir/read-consent.ts'
import { type FhirReason, type Said, say, sayAll } from '#adapters/fhir/reasons.ts'
import { refused } from '#adapters/fhir/refusal.ts'
import type { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'

/** How a patient stands here before the import. */
export interface KnownStanding {
  readonly state: 'granted' | 'withdrawn'
  readonly atMs: number
  /** When the tag was withdrawn on chain. */
  readonly onChainMs: number | null
  /** Which Consent it came from, where it was imported. */
  readonly from: Digest | null
  /** The earliest moment at which that one was given. */
  readonly givenMs: number | null
  /** When that one ends by itself. */
  readonly untilMs: number | null
  /** Its time, or that of its terms, has passed. */
  readonly isOver: boolean
}

export interface PlanContext {
  readonly lawfulBasis: 'consent' | 'opt-out'
  /** Null: a pseudonym of nobody here. */
  patientOf(who: Who): Digest | null
  standingOf(patient: Digest): KnownStanding | null
  keyOf(key: string): Digest
}

/** What becomes of one Consent. */
export type Planned = { readonly consent: ReadConsent; readonly reason: string } & (
  | { readonly outcome: 'recorded'; readonly patient: Digest; readonly name: string }
  /** The consent stands; how long it counts has changed. */
  | { readonly outcome: 'recorded'; readonly patient: Digest; readonly name: null }
  | { readonly outcome: 'withdrawn'; readonly patient: Digest; readonly atMs: number | null }
  | { readonly outcome: 'unchanged' }
  | { readonly outcome: 'refused'; readonly error: RotaError }
)

/** What all consents of a file come to, patient by patient, in the order of the file. */
export function planImport(consents: readonly ReadConsent[], context: PlanContext): readonly Planned[] {
  const twice = repeated(consents.map(({ key }) => key))
  const planned = new Map<ReadConsent, Planned>()
  const patients = new Map(consents.map((consent) => [consent, context.patientOf(consent.who)]))
  for (const group of Map.groupBy(consents, (consent) => patients.get(consent) ?? whoKey(consent.who)).values()) {
    const patient = patients.get(group[0] as ReadConsent) ?? null
    for (const consent of group) {
      if (patient === null) planned.set(consent, refuse(consent, 'ROTA-6058', 'patient', 'a pseudonym of nobody in this record'))
      else if (consent.key !== null && twice.has(consent.key)) planned.set(consent, refuse(consent, 'ROTA-6053', 'id', 'the same consent is in the file twice'))
    }
    const rest = group.filter((consent) => !planned.has(consent))
    if (patient !== null) for (const one of planPatient(rest, patient, context)) planned.set(one.consent, one)
  }
  return consents.map((consent) => planned.get(consent) as Planned)
}

/** Those that speak for now come before those that do not; more than one of them is a contradiction that nobody here can solve. */
function planPatient(group: readonly ReadConsent[], patient: Digest, context: PlanContext): readonly Planned[] {
  const standing = context.standingOf(patient)
  const inForce = group.filter(({ says }) => says === 'permits' || says === 'denies')
  if (inForce.length > 1) return [...inForce.map((consent) => refuse(consent, 'ROTA-6053', 'status', 'several are active')), ...others(group, inForce)]
  const [speaks] = inForce
  if (speaks === undefined) return planEnded(group, patient, standing, context)
  const rest = others(group, inForce)
  if (speaks.says === 'denies') return [planDenial(speaks, patient, standing, context), ...rest]
  const later = group.find((one) => isOver(one) && !isBefore(one, speaks))
  if (later !== undefined) return [refuse(speaks, 'ROTA-6053', 'dateTime', 'one that has ended was not given before it'), ...rest]
  return [planPermission(speaks, patient, standing, context), ...rest]
}

const others = (group: readonly ReadConsent[], inForce: readonly ReadConsent[]): readonly Planned[] =>
  group.filter((one) => !inForce.includes(one)).map((consent) => unchanged(consent, sayAll(statusOf(consent), say('another one speaks for this patient'))))

const isOver = ({ status }: ReadConsent): boolean => status === 'inactive' || status === 'rejected'
const isBefore = (a: ReadConsent, b: ReadConsent): boolean => a.agreed !== null && b.agreed !== null && a.agreed.to <= b.agreed.from

function planPermission(consent: ReadConsent, patient: Digest, standing: KnownStanding | null, { keyOf }: PlanContext): Planned {
  const name = 'name' in consent.who ? consent.who.name : null
  if (standing?.state === 'granted' && standing.isOver && standing.onChainMs === null)
    return name === null ? nameless(consent) : { consent, outcome: 'recorded', patient, name, reason: say('the one before has run out') }
  const withdrawnMs = standing === null ? null : standing.state === 'withdrawn' ? standing.atMs : standing.onChainMs
  if (standing !== null && withdrawnMs === null) {
    if (standing.untilMs === consent.changesMs || standing.from === null || consent.key === null || keyOf(consent.key) !== standing.from)
      return unchanged(consent, standing.untilMs === consent.changesMs ? 'stands here already' : 'another consent of this patient stands here')
    return { consent, outcome: 'recorded', patient, name: null, reason: say('stands here already, until another day now') }
  }
  if (withdrawnMs !== null) {
    if (consent.agreed === null) return refuse(consent, 'ROTA-6061', 'dateTime', 'it is missing')
    if (consent.agreed.to <= withdrawnMs) return unchanged(consent, 'withdrawn here since')
    if (consent.agreed.from <= withdrawnMs) return refuse(consent, 'ROTA-6061', 'dateTime', 'the withdrawal lies within it')
  }
  if (name === null) return nameless(consent)
  return { consent, outcome: 'recorded', patient, name, reason: say(withdrawnMs === null ? 'a new consent' : 'given again after a withdrawal') }
}

const nameless = (consent: ReadConsent): Planned => refuse(consent, 'ROTA-6058', 'patient', 'a consent is recorded under a name, not under a pseudonym')

/** Here, or on chain. */
const isWithdrawn = ({ state, onChainMs }: KnownStanding): boolean => state === 'withdrawn' || onChainMs !== null

function planDenial(consent: ReadConsent, patient: Digest, standing: KnownStanding | null, { lawfulBasis }: PlanContext): Planned {
  if (standing !== null && isWithdrawn(standing)) return unchanged(consent, 'withdrawn already')
  if (standing === null && lawfulBasis === 'consent' && !consent.underOwnTerms) return unchanged(consent, sayAll(say('it denies'), say('nothing stands here')))
  return {
    consent,
    outcome: 'withdrawn',
    patient,
    atMs: consent.underOwnTerms ? consent.updatedMs : null,
    reason: say(standing === null ? 'an objection' : 'it denies'),
  }
}

/** Nothing of the file speaks for now: what stands here ends, unless it is known to be another one. */
function planEnded(group: readonly ReadConsent[], patient: Digest, standing: KnownStanding | null, context: PlanContext): readonly Planned[] {
  let ended = false
  return group.map((consent) => {
    if (standing?.state !== 'granted') {
      const one = ended || standing !== null ? null : neverStood(consent, patient, context)
      ended ||= one !== null
      return one ?? unchanged(consent, sayAll(statusOf(consent), say('nothing stands here')))
    }
    if (isWithdrawn(standing)) return unchanged(consent, sayAll(statusOf(consent), say('withdrawn already')))
    if (standing.isOver && consent.says === 'ended') return unchanged(consent, 'its time has ended')
    if (ended || !ends(consent, standing, context)) return unchanged(consent, sayAll(statusOf(consent), say('not the one that stands here')))
    ended = true
    return { consent, outcome: 'withdrawn', patient, atMs: null, reason: statusOf(consent) }
  })
}

function ends(consent: ReadConsent, { from, givenMs }: KnownStanding, { keyOf }: PlanContext): boolean {
  const isSource = from !== null && consent.key !== null && keyOf(consent.key) === from
  if (isSource) return true
  // A draft of another never ends what stands; an older one that is over was followed by what stands.
  if (consent.status === 'draft' || consent.status === 'proposed' || consent.says === 'not yet') return false
  if (from === null || consent.key === null) return true
  return consent.status !== 'entered-in-error' && !(consent.agreed !== null && givenMs !== null && consent.agreed.to <= givenMs)
}

/** Where everybody is in who did not object, one that is over is an objection; so is one of this programme's own export. */
function neverStood(consent: ReadConsent, patient: Digest, { lawfulBasis }: PlanContext): Planned | null {
  if (!isOver(consent) || (lawfulBasis === 'consent' && !consent.underOwnTerms)) return null
  return {
    consent,
    outcome: 'withdrawn',
    patient,
    atMs: consent.updatedMs,
    reason: sayAll(statusOf(consent), say('kept, so that no older copy brings it back')),
  }
}

function statusOf({ status, says, changesMs }: ReadConsent): Said {
  if (says === 'ended') return say('its time has ended')
  if (says === 'not yet') return say('it begins at {moment}', { moment: new Date(changesMs ?? 0).toISOString() })
  return say('its status is {status}', { status })
}

const unchanged = (consent: ReadConsent, reason: FhirReason | Said): Planned => ({ consent, outcome: 'unchanged', reason })

function refuse(consent: ReadConsent, code: 'ROTA-6053' | 'ROTA-6058' | 'ROTA-6061', element: string, why: FhirReason): Planned {
  const error = refused(code, `${consent.root}.${element}`, why)
  return { consent, outcome: 'refused', error, reason: error.message }
}

function repeated(keys: readonly (string | null)[]): ReadonlySet<string> {
  const groups = Map.groupBy(keys, (key) => key)
  return new Set([...groups].flatMap(([key, found]) => (key !== null && found.length > 1 ? [key] : [])))
}
