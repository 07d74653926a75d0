import { sha256 } from '#app/sha256.ts'
import { toHex } from '#base/bytes.ts'
import { expiresAt, type Terms } from '#core/consent/terms.ts'
import type { ChainWriter } from '#ports/chain.ts'
import { programmeId } from '#wire/programme.ts'
import { encodeTerms, termsDigest } from '#wire/terms.ts'

const words = (language: string) => ({ title: `Heart (${language})`, purpose: 'p', data: 'd', withdrawing: 'w', limits: 'l' })

export const TERMS: Terms = {
  version: 1,
  programme: 'heart',
  lawfulBasis: 'consent',
  expires: '2099-12-31',
  cadenceHours: 24,
  relayDelayHours: 12,
  controllers: [{ name: 'A hospital', contact: 'A street' }],
  dataProtectionOfficer: { name: 'An officer', email: 'officer@example.org' },
  dataCategories: ['dpv-pd:MedicalHealth'],
  ombudsman: null,
  portals: ['https://one.example.org', 'https://two.example.org'],
  texts: { en: words('en'), de: words('de') },
}

/** As `rota programme publish` does. */
export async function publishTerms(steward: Pick<ChainWriter, 'publishTerms'>, terms: Terms): Promise<void> {
  await steward.publishTerms(programmeId(terms.programme, sha256), {
    ...{ version: terms.version, digest: termsDigest(terms, sha256), basis: terms.lawfulBasis, ombudsman: terms.ombudsman?.address ?? null },
    ...{ expiresAt: expiresAt(terms), text: toHex(encodeTerms(terms)) },
  })
}
