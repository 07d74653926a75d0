import { type Address, type Digest, isAddress, isDigest } from '#base/ids.ts'
import type { LawfulBasis } from '#core/consent/terms.ts'
import { domainOf, type ReceiptNetwork } from './receipt.ts'
import { CONTEXT, RECEIPT_PROFILE, recordIdOf, SCHEMA } from './receipt-record.ts'
import { isSealed, type Seal, sealOf } from './seal.ts'

/** What a patient takes home who withdrew at the desk, or asks there for the paper of another withdrawal: the site says so, under its signature. It names nobody and holds no secret. */
export interface WithdrawalReceipt {
  readonly '@context': typeof CONTEXT
  readonly '@id': string
  readonly '@type': 'dpv:ConsentReceipt'
  readonly version: 2
  readonly schema: typeof SCHEMA
  /** 16 hex digits: of the tag; for a patient who never had one, of a keyed digest of the site. */
  readonly number: string
  readonly programme: string
  readonly lawfulBasis: LawfulBasis
  /** Null for a patient who never had a receipt. */
  readonly tag: Digest | null
  /** ISO; from then on the site uses nothing of this patient for the programme. */
  readonly withdrawnAt: string
  /** With the patient's card at a portal, or found on chain; none: at the desk. */
  readonly by?: 'card' | 'chain'
  /** Null where the chain was away. */
  readonly network: ReceiptNetwork | null
  readonly site: { readonly id: number | null; readonly name: string }
  /** Where the tag stands as withdrawn; null: not on chain yet, or there is none. */
  readonly onChain: { readonly block: number } | null
  /** The site's root without the patient, where it is on chain already. */
  readonly root: { readonly epoch: number; readonly root: Digest; readonly block: number } | null
  readonly 'dct:identifier': string
  readonly 'dct:conformsTo': typeof RECEIPT_PROFILE
  readonly 'dct:created': string
  readonly 'dct:publisher': string
  readonly 'dct:audience': 'dpv:DataSubject'
  readonly 'dpv:hasRecordOfActivity': Readonly<Record<string, unknown>>
  /** By the site's node account, in the registry's domain; null where the chain, which names it, was away: the desk makes it anew later. */
  readonly seal: Seal | null
}

export type WithdrawnAtDesk = Pick<
  WithdrawalReceipt,
  'number' | 'programme' | 'lawfulBasis' | 'tag' | 'withdrawnAt' | 'by' | 'network' | 'site' | 'onChain' | 'root'
>

/** @param signer the site's node account */
export function withdrawalReceipt(withdrawn: WithdrawnAtDesk, signer: { readonly account: Address; readonly nodeKey: Uint8Array }): WithdrawalReceipt {
  const { number, programme, lawfulBasis, tag, withdrawnAt, by, network, site, onChain, root } = withdrawn
  const content = {
    ...({ '@context': CONTEXT, '@id': `urn:rota:withdrawal:${number}`, '@type': 'dpv:ConsentReceipt', version: 2, schema: SCHEMA } as const),
    ...{ number, programme, lawfulBasis, tag, withdrawnAt, ...(by === undefined ? {} : { by }), network, site, onChain, root },
    ...({ 'dct:identifier': `withdrawal ${number}`, 'dct:conformsTo': RECEIPT_PROFILE, 'dct:created': withdrawnAt } as const),
    ...({ 'dct:publisher': site.name, 'dct:audience': 'dpv:DataSubject' } as const),
    'dpv:hasRecordOfActivity': recordOf(withdrawn),
  }
  return { ...content, seal: network === null ? null : sealOf(content, signer, domainOf(network)) }
}

const recordOf = ({ number, tag, withdrawnAt, by, site }: WithdrawnAtDesk) => ({
  '@id': tag === null ? `urn:rota:objection:${number}` : recordIdOf(tag),
  '@type': 'dpv:ConsentRecord',
  'dct:identifier': tag ?? number,
  'dpv:hasDataSubject': { '@type': 'dpv:Patient', 'dct:identifier': tag ?? number },
  'dpv:hasDataController': { '@type': 'dpv:DataController', 'dpv:hasName': site.name },
  'dpv:hasConsentStatus': [
    {
      '@type': 'dpv:ConsentWithdrawn',
      'dpv:isIndicatedBy': 'dpv:DataSubject',
      'dpv:isIndicatedAtTime': withdrawnAt,
      'dpv:hasIndicationMethod': by === undefined ? `at the desk of ${site.name}` : METHODS[by],
    },
  ],
})

const METHODS = { card: "with the patient's card, at a portal", chain: "with the consent's key, on chain" } as const

/** Reads one that was made while the chain was away, without a seal; null where it is none. Nothing in it is sure: anyone could have written it. */
export function readUnsealedWithdrawal(text: string): Pick<WithdrawalReceipt, 'number' | 'programme' | 'lawfulBasis' | 'tag' | 'withdrawnAt'> | null {
  try {
    const r = JSON.parse(text) as Partial<WithdrawalReceipt> | null
    if (r?.version !== 2 || r.seal !== null || typeof r.number !== 'string' || !/^[0-9a-f]{16}$/.test(r.number) || typeof r.programme !== 'string') return null
    if ((r.lawfulBasis !== 'consent' && r.lawfulBasis !== 'opt-out') || !(r.tag === null || isDigest(r.tag)) || Number.isNaN(Date.parse(r.withdrawnAt ?? '')))
      return null
    const { number, programme, lawfulBasis, tag, withdrawnAt } = r as WithdrawalReceipt
    return { number, programme, lawfulBasis, tag, withdrawnAt }
  } catch {
    return null
  }
}

/** Reads what a desk handed out; null where it is none, altered, or not countersigned. */
export function readWithdrawalReceipt(text: string): WithdrawalReceipt | null {
  try {
    const r = JSON.parse(text) as Partial<WithdrawalReceipt> | null
    if (r?.version !== 2 || typeof r.number !== 'string' || typeof r.programme !== 'string' || !(r.tag === null || isDigest(r.tag))) return null
    const { network, site } = r
    const placed = Number.isSafeInteger(network?.chainId) && isAddress(network?.contracts) && isAddress(network?.consentRegistry)
    const told = typeof site?.name === 'string' && !Number.isNaN(Date.parse(r.withdrawnAt ?? ''))
    return placed && told && isSealed(r, domainOf(network as ReceiptNetwork)) ? (r as WithdrawalReceipt) : null
  } catch {
    return null
  }
}

export const withdrawalFileName = ({ number }: Pick<WithdrawalReceipt, 'number'>): string => `withdrawal-${number}.json`
