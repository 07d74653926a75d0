import { fromHex, toHex } from '#base/bytes.ts'
import { type Address, type Digest, isAddress, isDigest } from '#base/ids.ts'
import { grantKey } from '#core/consent/cohort-map.ts'
import { isGrant, shownIn, type ToldMapProof } from '#core/consent/cohort-proof.ts'
import { isTerms, type Terms } from '#core/consent/terms.ts'
import { type Card, cardLink } from './card.ts'
import { consentKeys, SECRET_BYTES } from './keys.ts'
import { type HistoryEntry, isHistory } from './receipt-history.ts'
import { CONTEXT, type ConsentRecord, consentRecord, RECEIPT_PROFILE, SCHEMA } from './receipt-record.ts'
import { isSealed, type Seal, sealOf } from './seal.ts'
import { sha256 } from './sha256.ts'
import { type ConsentDomain, consentDomain } from './typed-data.ts'

/**
 * What the patient takes home: with it anyone can withdraw this one consent, and check that it was. It names nobody. The site keeps no secret
 * of it. Version 2 says what was agreed and is countersigned by the site; version 1, which Rota 0.1 wrote, stays good for ever.
 */
export type Receipt = ReceiptV1 | ReceiptV2

interface ReceiptCore {
  readonly programme: string
  readonly tag: Digest
  readonly oneTimeAddress: Address
  /** 128 bits as hex: keep it like a key. */
  readonly secret: string
  readonly grantedAt: string
}

export interface ReceiptV1 extends ReceiptCore {
  readonly version: 1
  /** The network whose chain says what became of it; the first receipts did not name it. */
  readonly network?: { readonly chainId: number; readonly contracts: Address } | undefined
}

export interface ReceiptNetwork {
  readonly chainId: number
  /** The network's directory contract. */
  readonly contracts: Address
  /** What a withdrawal calls, so that a script needs nothing else. */
  readonly consentRegistry: Address
}

export interface ReceiptSite {
  readonly id: number
  readonly name: string
}

/** Where the consent stands in the site's root of an epoch: `grantKey(tag)` is in the map. Null while no root with it stood: `rota consent prove` shows it then. */
export interface Inclusion {
  readonly epoch: number
  readonly root: Digest
  readonly block: number
  readonly map: ToldMapProof
}

export interface ReceiptV2 extends ReceiptCore {
  readonly '@context': typeof CONTEXT
  readonly '@id': string
  readonly '@type': 'dpv:ConsentReceipt'
  readonly version: 2
  readonly schema: typeof SCHEMA
  readonly network: ReceiptNetwork
  readonly site: ReceiptSite
  /** What was agreed; null for a programme without terms on chain. */
  readonly terms: { readonly digest: Digest; readonly agreed: Terms } | null
  /** The patient's page that the card opens; null where the terms name no portal. */
  readonly page: string | null
  /** The link of the card, with the secret in it. */
  readonly card: string | null
  readonly inclusion: Inclusion | null
  /** What happened with it up to when the site last wrote it anew; none in one that was just handed out. */
  readonly history?: readonly HistoryEntry[]
  readonly 'dct:identifier': Digest
  readonly 'dct:conformsTo': typeof RECEIPT_PROFILE
  readonly 'dct:created': string
  readonly 'dct:publisher': string
  readonly 'dct:audience': 'dpv:DataSubject'
  readonly 'dpv:hasRecordOfActivity': ConsentRecord
  readonly seal: Seal
}

/** What a site knows of a consent that it recorded. */
export interface Granted extends Pick<ReceiptV2, 'programme' | 'tag' | 'oneTimeAddress' | 'grantedAt' | 'network' | 'site' | 'terms' | 'inclusion'> {
  /** Default: the first portal of the terms. */
  readonly page?: string | null
  readonly history?: readonly HistoryEntry[]
}

/** All but what only the patient knows: the site signs it without having seen the secret. */
export type ReceiptContent = Omit<ReceiptV2, 'secret' | 'card'>

/** @param signer the site's node account */
export function receiptContent(granted: Granted, signer: { readonly account: Address; readonly nodeKey: Uint8Array }): ReceiptContent {
  const { programme, tag, oneTimeAddress, grantedAt, network, site, terms, inclusion } = granted
  const content = {
    ...({ '@context': CONTEXT, '@id': `urn:rota:receipt:${tag}`, '@type': 'dpv:ConsentReceipt', version: 2, schema: SCHEMA } as const),
    ...{ programme, tag, oneTimeAddress, grantedAt, network, site, terms, inclusion },
    ...(granted.history === undefined ? {} : { history: granted.history }),
    page: granted.page ?? terms?.agreed.portals[0] ?? null,
    ...({ 'dct:identifier': tag, 'dct:conformsTo': RECEIPT_PROFILE, 'dct:created': grantedAt } as const),
    ...({ 'dct:publisher': site.name, 'dct:audience': 'dpv:DataSubject' } as const),
    'dpv:hasRecordOfActivity': consentRecord(granted),
  }
  return { ...content, seal: sealOf(content, signer, domainOf(network)) }
}

/** With the secret, where that is: at the desk that drew it, or in the browser. */
export function completeReceipt(content: ReceiptContent, secret: Uint8Array): ReceiptV2 {
  const { '@context': context, '@id': id, '@type': type, version, schema, programme, tag, oneTimeAddress, ...rest } = content
  const first = { '@context': context, '@id': id, '@type': type, version, schema, programme, tag, oneTimeAddress }
  return { ...first, secret: toHex(secret).slice(2), ...rest, card: cardOf(content, secret) }
}

export const domainOf = ({ chainId, consentRegistry }: ReceiptNetwork): ConsentDomain => consentDomain(BigInt(chainId), consentRegistry)

function cardOf({ page, programme, network, site, terms }: ReceiptContent, secret: Uint8Array): string | null {
  if (page === null) return null
  const card: Card = { programme, secret, chainId: network.chainId, contracts: network.contracts, site: site.id, portals: terms?.agreed.portals ?? [] }
  return cardLink(page, card)
}

/** Reads a receipt; null where it is none, a character of it was altered, or it is of an unknown version. */
export function readReceiptText(text: string): Receipt | null {
  try {
    const value = JSON.parse(text) as Partial<Receipt> | null
    if (typeof value !== 'object' || value === null || !isCore(value)) return null
    const receipt = value.version === 2 ? isWhole(value) && value : value.version === 1 && isFirst(value) && value
    if (receipt === false) return null
    const { tag, oneTimeAddress } = consentKeys(fromHex(value.secret), value.programme)
    return tag === value.tag && oneTimeAddress === value.oneTimeAddress ? receipt : null
  } catch {
    return null
  }
}

const V1_FIELDS = ['version', 'programme', 'tag', 'oneTimeAddress', 'secret', 'grantedAt', 'network']

/** With nothing besides: else one of version 2 whose number was altered would pass, seal or not. */
const isFirst = (value: ReceiptCore & Partial<Receipt>): value is ReceiptV1 =>
  Object.keys(value).every((field) => V1_FIELDS.includes(field)) && (value.network === undefined || isAddress(value.network?.contracts))

const SECRET_HEX = new RegExp(`^(0x)?[0-9a-f]{${2 * SECRET_BYTES}}$`)

const isCore = (r: Partial<Receipt>): r is ReceiptCore & Partial<Receipt> =>
  typeof r.programme === 'string' && isDigest(r.tag) && isAddress(r.oneTimeAddress) && typeof r.secret === 'string' && SECRET_HEX.test(r.secret)

/** The seal holds the rest together; what is read from it later has its shape besides, since anyone can seal. */
function isWhole(value: ReceiptCore & Partial<Receipt>): value is ReceiptV2 {
  const r = value as Partial<ReceiptV2> & ReceiptCore
  const { network, site, terms, inclusion } = r
  const placed = Number.isSafeInteger(network?.chainId) && isAddress(network?.contracts) && isAddress(network?.consentRegistry)
  const given = Number.isSafeInteger(site?.id) && typeof site?.name === 'string' && !Number.isNaN(Date.parse(r.grantedAt))
  const agreed = terms === null || (isDigest(terms?.digest) && isTerms(terms.agreed))
  const included = inclusion === null || (isGrant(inclusion) && isDigest(inclusion?.root) && Number.isSafeInteger(inclusion?.block))
  const paged = (r.page === null || typeof r.page === 'string') && (r.history === undefined || isHistory(r.history))
  if (!placed || !given || !agreed || !included || !paged || !isSealed(r, domainOf(network as ReceiptNetwork))) return false
  return r.card === cardOf(r as ReceiptV2, fromHex(r.secret))
}

/** Whether the receipt shows its consent in the root that it names. That this root is the site's on chain, the chain says. */
export const showsInclusion = ({ tag, inclusion }: ReceiptV2): boolean =>
  inclusion !== null && shownIn(inclusion.root, grantKey(fromHex(tag), sha256), inclusion.map, sha256)?.present === true

/** For people, on paper and over the telephone: as the receipt's file is named. */
export const receiptNumber = ({ tag }: Pick<Receipt, 'tag'>): string => tag.slice(2, 18).replace(/(.{4})(?=.)/g, '$1-')

export const receiptFileName = ({ tag }: Pick<Receipt, 'tag'>): string => `receipt-${tag.slice(2, 18)}.json`
