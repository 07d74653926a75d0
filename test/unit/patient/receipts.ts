import { secp256k1 } from '@noble/curves/secp256k1.js'
import { toDigest, toHex } from '#base/bytes.ts'
import { address } from '#base/ids.ts'
import { grantEntry, grantKey } from '#core/consent/cohort-map.ts'
import { tellMapProof } from '#core/consent/cohort-proof.ts'
import { buildKeyedMap, proveKey } from '#core/consent/keyed-map.ts'
import type { Terms } from '#core/consent/terms.ts'
import { addressOf, consentKeys } from '#patient/keys.ts'
import { completeReceipt, type Granted, type Inclusion, type ReceiptV2, receiptContent } from '#patient/receipt.ts'
import { sha256 } from '#patient/sha256.ts'
import { termsDigest } from '#wire/terms.ts'
import { DOMAIN, drawn, secretOf } from './support.ts'

const nodeKey = drawn('node key')
/** The site's node account, whose signature stands on receipts. */
export const SIGNER = { nodeKey, account: addressOf(secp256k1.getPublicKey(nodeKey, false)) }

export const TERMS: Terms = {
  version: 2,
  programme: 'cardio',
  lawfulBasis: 'consent',
  expires: '2031-12-31',
  cadenceHours: 24,
  relayDelayHours: 12,
  controllers: [
    { name: 'Northern Hospital', contact: 'research@north.example' },
    { name: 'Southern Hospital', contact: 'Am Park 1, 1234 Süden' },
  ],
  dataProtectionOfficer: { name: 'Dr. Ada Muster', email: 'privacy@north.example' },
  dataCategories: ['pd:MedicalHealth', 'blood pressure since 2015'],
  ombudsman: { name: 'Patients’ Office of the North', address: address(toHex(drawn('ombudsman', 20))) },
  portals: ['https://rota.north.example/', 'https://rota.south.example/'],
  texts: {
    en: {
      title: 'Heart and circulation',
      purpose: 'Hospitals learn together who is at risk of a heart attack, so that others can be treated in time.',
      data: 'Your record stays at your hospital. Computers there work out sums over the records of many patients, and hospitals add up their sums.',
      withdrawing: 'You may withdraw at any time, without a reason, on the page, by your card, at the desk or by telephone.',
      limits: 'Models that were finished before stay as they are. The proofs on the page show what your hospital declared under its signature.',
    },
    de: {
      title: 'Herz und Kreislauf',
      purpose: 'Krankenhäuser lernen gemeinsam, wem ein Herzinfarkt droht, damit andere rechtzeitig behandelt werden.',
      data: 'Ihre Akte bleibt in Ihrem Krankenhaus. Rechner dort bilden Summen über die Akten vieler Patienten, und die Krankenhäuser zählen sie zusammen.',
      withdrawing: 'Sie können jederzeit und ohne Grund widerrufen: auf der Seite, mit Ihrer Karte, am Schalter oder am Telefon.',
      limits: 'Modelle, die vorher fertig waren, bleiben, wie sie sind. Die Nachweise zeigen, was Ihr Krankenhaus mit seiner Unterschrift erklärt hat.',
    },
  },
}

/** Of the site's map over this tag and fifteen others. */
export function inclusionOf(tag: Uint8Array): Inclusion {
  const entries = Array.from({ length: 16 }, (_, i) => grantEntry(i === 0 ? tag : drawn(`tag ${i}`), drawn(`cohort secret ${i}`), sha256))
  const map = buildKeyedMap(entries, sha256)
  return { epoch: 7, root: toDigest(map.root), block: 1_234, map: tellMapProof(proveKey(map, grantKey(tag, sha256))) }
}

export interface ReceiptParts extends Partial<Omit<Granted, 'terms'>> {
  readonly terms?: Terms | null
  readonly secret?: Uint8Array
}

export function receiptOf({ terms = TERMS, secret = secretOf('Ann'), ...rest }: ReceiptParts = {}): ReceiptV2 {
  const programme = rest.programme ?? terms?.programme ?? 'cardio'
  const { tag, oneTimeAddress } = consentKeys(secret, programme)
  const granted: Granted = {
    ...{ programme, tag, oneTimeAddress, grantedAt: '2026-11-22T09:30:00.000Z' },
    network: { chainId: Number(DOMAIN.chainId), contracts: address(toHex(drawn('directory', 20))), consentRegistry: address(DOMAIN.verifyingContract) },
    site: { id: 3, name: 'Northern Hospital' },
    terms: terms === null ? null : { digest: termsDigest(terms, sha256), agreed: terms },
    inclusion: null,
    ...rest,
  }
  return completeReceipt(receiptContent(granted, SIGNER), secret)
}
