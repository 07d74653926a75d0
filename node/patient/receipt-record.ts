import type { Digest } from '#base/ids.ts'
import type { LawfulBasis, Terms } from '#core/consent/terms.ts'
import type { ReceiptNetwork, ReceiptSite } from './receipt.ts'
import type { HistoryEntry } from './receipt-history.ts'

/**
 * The consent record in a receipt: the fields of ISO/IEC TS 27560:2023, section 6.3, in the terms of the W3C Data Privacy Vocabulary 2.3.
 * @see https://w3id.org/dpv/guides/consent-27560
 */
export type ConsentRecord = Readonly<Record<string, unknown>>

/** What a JSON-LD reader knows the prefixes by; without a prefix: our own words. It is in the file, so that nobody has to fetch it. */
export const CONTEXT = {
  '@vocab': 'urn:rota:receipt#',
  dpv: 'https://w3id.org/dpv#',
  pd: 'https://w3id.org/dpv/pd#',
  'dpv-pd': 'https://w3id.org/dpv/pd#',
  'eu-gdpr': 'https://w3id.org/dpv/legal/eu/gdpr#',
  dct: 'http://purl.org/dc/terms/',
} as const

export const SCHEMA = 'ISO/IEC TS 27560:2023 in terms of W3C DPV 2.3'
export const RECEIPT_PROFILE = 'https://w3id.org/dpv/schema/dpv-27560#receipt'
const RECORD_PROFILE = 'https://w3id.org/dpv/schema/dpv-27560#record'

export interface Recorded {
  readonly programme: string
  readonly tag: Digest
  readonly grantedAt: string
  readonly network: ReceiptNetwork
  readonly site: ReceiptSite
  readonly terms: { readonly digest: Digest; readonly agreed: Terms } | null
  readonly history?: readonly HistoryEntry[]
}

export const recordIdOf = (tag: Digest): string => `urn:rota:consent:${tag}`

export function consentRecord(recorded: Recorded): ConsentRecord {
  const { tag, site, terms } = recorded
  const agreed = terms?.agreed
  const basis = agreed?.lawfulBasis ?? 'consent'
  return {
    '@id': recordIdOf(tag),
    '@type': 'dpv:ConsentRecord',
    'dct:identifier': tag,
    'dct:conformsTo': RECORD_PROFILE,
    // The tag is all that the record calls the person by.
    'dpv:hasDataSubject': { '@type': 'dpv:Patient', 'dct:identifier': tag },
    'dpv:hasDataController': [{ '@type': 'dpv:DataController', 'dct:identifier': `site ${site.id}`, 'dpv:hasName': site.name }, ...controllersOf(agreed)],
    ...(agreed === undefined ? {} : { 'dpv:hasDataProtectionOfficer': officerOf(agreed) }),
    'dpv:hasJurisdiction': "the controllers'",
    'dpv:hasLegalBasis': LEGAL_BASIS[basis],
    'dpv:hasProcess': processOf(recorded),
    'dpv:hasNotice': noticeOf(recorded),
    'dpv:hasConsentControl': roadsOf(recorded),
    'dpv:hasRight': basis === 'consent' ? { '@type': ['dpv:DataSubjectRight', 'eu-gdpr:A7-3'] } : { '@type': ['dpv:DataSubjectRight', 'eu-gdpr:A21'] },
    'dpv:hasConsentStatus': [statusOf(recorded, basis), ...endOf(recorded)],
  }
}

/** Explicit consent to health data; or research under the law, with the safeguards of article 89. */
const LEGAL_BASIS: Readonly<Record<LawfulBasis, string>> = { consent: 'eu-gdpr:A9-2-a', 'opt-out': 'eu-gdpr:A9-2-j' }

const controllersOf = (agreed: Terms | undefined) =>
  (agreed?.controllers ?? []).map(({ name, contact }) => ({ '@type': 'dpv:DataController', 'dpv:hasName': name, 'dpv:hasContact': contact }))

const officerOf = ({ dataProtectionOfficer: { name, email } }: Terms) => ({
  '@type': 'dpv:DataProtectionOfficer',
  'dpv:hasName': name,
  'dpv:hasContact': email,
})

function processOf({ programme, terms }: Recorded) {
  const agreed = terms?.agreed
  return {
    '@type': 'dpv:Process',
    'dpv:hasPurpose': { '@type': 'dpv:ScientificResearch', 'dct:title': inLanguages(agreed, 'purpose', programme) },
    'dpv:hasPersonalData': (agreed?.dataCategories ?? ['dpv:SensitivePersonalData']).map(categoryOf),
    'dpv:hasProcessing': ['dpv:Analyse', 'dpv:Derive'],
    'dpv:hasRecipient': { '@type': 'dpv:Recipient', 'dct:description': 'the other members of the studies: sums and changes of models, never rows' },
    'dpv:hasStorageCondition': [
      { '@type': 'dpv:StorageLocation', 'dct:description': 'the hospital that gave this receipt: rows are not copied to others' },
      { '@type': 'dpv:StorageDuration', 'dpv:hasDuration': { '@type': 'dpv:UntilEventDuration', 'dct:description': untilOf(agreed) } },
    ],
  }
}

const untilOf = (agreed: Terms | undefined): string =>
  agreed === undefined ? 'withdrawal' : `withdrawal, at the latest the end of ${agreed.expires}; models and sums that were published stay`

/** A term of DPV stands for itself; own words are told as such. */
const categoryOf = (category: string) =>
  /^(dpv|pd|dpv-pd|eu-gdpr):[\w-]+$/.test(category) ? { '@type': category } : { '@type': 'dpv:PersonalData', 'dct:title': category }

const noticeOf = ({ programme, terms }: Recorded) =>
  terms === null
    ? {
        '@type': 'dpv:ConsentNotice',
        'dct:title': programme,
        'dct:description': 'as read at the desk: the programme has no terms on chain',
        'dct:language': [],
      }
    : {
        '@type': 'dpv:ConsentNotice',
        'dct:identifier': terms.digest,
        'dct:hasVersion': terms.agreed.version,
        'dct:language': Object.keys(terms.agreed.texts),
        'dct:title': inLanguages(terms.agreed, 'title', programme),
      }

const inLanguages = (agreed: Terms | undefined, part: 'title' | 'purpose', otherwise: string) =>
  agreed === undefined ? otherwise : Object.entries(agreed.texts).map(([language, text]) => ({ '@language': language, '@value': text[part] }))

/** How to withdraw: four equal roads, as far as the terms name them. */
function roadsOf({ network, site, terms }: Recorded) {
  const road = (title: string, at: unknown) => ({ '@type': 'dpv:WithdrawConsent', 'dct:title': title, 'dpv:isExercisedAt': at })
  const { portals = [], ombudsman = null } = terms?.agreed ?? {}
  return [
    ...(portals.length === 0 ? [] : [road('page', portals)]),
    road('contract call', `eip155:${network.chainId}:${network.consentRegistry}`),
    road('desk', site.name),
    ...(ombudsman === null ? [] : [road('ombudsman', `${ombudsman.name}, ${ombudsman.address}`)]),
  ]
}

function statusOf({ grantedAt, site, terms }: Recorded, basis: LawfulBasis) {
  const until = terms === null ? {} : { 'dct:valid': `${grantedAt}/${terms.agreed.expires}` }
  const indicated = { 'dpv:isIndicatedAtTime': grantedAt, 'dpv:hasIndicationMethod': `recorded by ${site.name}`, ...until }
  if (basis === 'opt-out') return { '@type': 'dpv:ConsentUnknown', 'dct:description': 'not asked: included under the law until an objection', ...indicated }
  return { '@type': ['dpv:ConsentGiven', 'dpv:ExplicitlyExpressedConsent'], 'dpv:isIndicatedBy': 'dpv:DataSubject', ...indicated }
}

/** The earlier of the site's own stop and the tag on chain ended it. */
function endOf({ history = [], site }: Recorded) {
  const end = history.find(({ what }) => what === 'stopped here' || what === 'withdrawn')
  const expired = history.find(({ what }) => what === 'ended')
  if (end === undefined) return expired === undefined ? [] : [{ '@type': 'dpv:ConsentExpired', 'dpv:isIndicatedAtTime': expired.at }]
  const by = end.what === 'stopped here' ? `${end.road}, at ${site.name}` : end.what === 'withdrawn' ? `on chain, ${end.road}` : ''
  return [{ '@type': 'dpv:ConsentWithdrawn', 'dpv:isIndicatedBy': 'dpv:DataSubject', 'dpv:isIndicatedAtTime': end.at, 'dpv:hasIndicationMethod': by }]
}
