import { type Address, type Digest, isAddress } from '#base/ids.ts'

/**
 * What patients agree to, or do not object to, under one programme: one text for one or several studies. Its canonical bytes
 * (wire/terms.ts) are on chain, so that anyone can read them; their SHA-256 is what consents and receipts name.
 */
export interface Terms {
  /** Counts from 1; a later version is for consents given from then on. */
  readonly version: number
  readonly programme: string
  readonly lawfulBasis: LawfulBasis
  /** A day, as 2031-12-31: consents under this version count to its end, in UTC. */
  readonly expires: string
  /** Hours between two roots of a site, whether anything changed or not: the longer, the less their times tell, and the later a consent counts. */
  readonly cadenceHours: number
  /** The longest that a relay may keep a withdrawal back, so that it does not go on chain alone. */
  readonly relayDelayHours: number
  readonly controllers: readonly { readonly name: string; readonly contact: string }[]
  readonly dataProtectionOfficer: { readonly name: string; readonly email: string }
  /** Terms of the W3C Data Privacy Vocabulary (`dpv-pd:…`) or own words. */
  readonly dataCategories: readonly string[]
  /** Whose key may withdraw for patients. */
  readonly ombudsman: { readonly name: string; readonly address: Address } | null
  /** Where withdrawals are relayed and proofs given: URLs, best of more than one member. */
  readonly portals: readonly string[]
  /** By language: en, de, … */
  readonly texts: Readonly<Record<string, TermsText>>
}

export type LawfulBasis = 'consent' | 'opt-out'

/** What a person reads. */
export interface TermsText {
  readonly title: string
  readonly purpose: string
  readonly data: string
  readonly withdrawing: string
  readonly limits: string
}

/** The version that somebody agreed to: in consents, receipts and pages. */
export interface TermsRef {
  readonly version: number
  /** SHA-256 of its canonical bytes. */
  readonly digest: Digest
}

/** As many bytes as ConsentRegistry takes. */
export const TERMS_MAX_BYTES = 16_384

/** The first second, in Unix time, at which consents under these terms do not count. */
export const expiresAt = ({ expires }: Pick<Terms, 'expires'>): number => Date.parse(`${expires}T00:00:00Z`) / 1000 + DAY_SECONDS

export const cadenceSeconds = ({ cadenceHours }: Pick<Terms, 'cadenceHours'>): number => Math.max(1, Math.round(cadenceHours * 3600))

/** Steps of the cadence are the same moments for all sites: when the chain's time is a whole number of them. */
export const cadenceStep = (terms: Pick<Terms, 'cadenceHours'>, seconds: number): number => Math.floor(seconds / cadenceSeconds(terms))

/** When the step after the one of `seconds` begins. */
export const nextCadence = (terms: Pick<Terms, 'cadenceHours'>, seconds: number): number => (cadenceStep(terms, seconds) + 1) * cadenceSeconds(terms)

/** A calendar day, as 2031-12-31. */
export const isDay = (text: unknown): text is string =>
  typeof text === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(text) && new Date(Date.parse(`${text}T00:00:00Z`) || 0).toISOString().startsWith(text)

/** Whether it has the shape of terms: what is read from the chain was written by another member. */
export function isTerms(value: unknown): value is Terms {
  const t = value as Partial<Terms> | null
  return (
    isRecord(t) &&
    isCount(t.version) &&
    isText(t.programme) &&
    (t.lawfulBasis === 'consent' || t.lawfulBasis === 'opt-out') &&
    isDay(t.expires) &&
    isHours(t.cadenceHours) &&
    isHours(t.relayDelayHours) &&
    isList(t.controllers, (c) => isRecord(c) && isText(c.name) && isText(c.contact)) &&
    isRecord(t.dataProtectionOfficer) &&
    isText(t.dataProtectionOfficer.name) &&
    isText(t.dataProtectionOfficer.email) &&
    isList(t.dataCategories, isText) &&
    (t.ombudsman === null || (isRecord(t.ombudsman) && isText(t.ombudsman.name) && isAddress(t.ombudsman.address))) &&
    isList(t.portals, isText) &&
    isRecord(t.texts) &&
    Object.keys(t.texts).length > 0 &&
    Object.values(t.texts).every(isTermsText)
  )
}

const isTermsText = (value: unknown): value is TermsText => isRecord(value) && TEXT_PARTS.every((part) => isText(value[part]))

/** In the order in which they are read. */
export const TEXT_PARTS = ['title', 'purpose', 'data', 'withdrawing', 'limits'] as const

const DAY_SECONDS = 86_400
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0
const isHours = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value > 0
const isList = (value: unknown, is: (each: unknown) => boolean): boolean => Array.isArray(value) && value.every(is)
