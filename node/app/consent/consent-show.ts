import type { ConsentEntry } from '#adapters/cohort/consent-store.ts'
import { patientDigest } from '#adapters/cohort/patient-digest.ts'
import { type AtSite, atSite } from '#app/site/at-site.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { RotaError } from '#base/errors.ts'
import type { Address, Digest } from '#base/ids.ts'
import type { TermsRef } from '#core/consent/terms.ts'
import { programmeId } from '#patient/keys.ts'
import { askAgain } from '#patient/portal-api.ts'
import { requestSigner } from '#patient/request.ts'
import { consentDomain } from '#patient/typed-data.ts'
import { receiptNetwork } from './receipt-issue.ts'

/** By which an entry came into the record. */
export type EntryRoad = 'desk' | 'import' | 'page' | 'chain'

/**
 * What a patient signed who consented again on the page: EIP-712 `Ask` in the registry's domain, by the key of the card that was withdrawn.
 * Anybody who has these fields and that card's receipt can check it.
 */
export interface Agreement {
  readonly what: string
  /** ISO, by the portal's clock. */
  readonly at: string
  /** Of the withdrawn card. */
  readonly tag: Digest
  readonly programmeId: Digest
  readonly signature: string
  /** Whose signature it is; null: of no key at all. */
  readonly signer: Address | null
  /** It is the key of that card, as recorded here before, and what it signed is this very consent. */
  readonly holds: boolean
}

export interface ShownEntry {
  readonly kind: ConsentEntry['kind']
  readonly at: string
  readonly road: EntryRoad
  readonly tag: Digest | null
  /** What was agreed to; null where the programme had no terms, and of a withdrawal. */
  readonly terms: TermsRef | null
  readonly until: string | null
  readonly agreement: Agreement | null
}

export interface ShownConsents {
  readonly programme: string
  readonly network: ReturnType<typeof receiptNetwork>
  /** Oldest first. */
  readonly entries: readonly ShownEntry[]
}

/**
 * What this site's record holds of one patient under one programme, and the signature under each consent that the patient gave again on the
 * page: how the site shows that it was given.
 * @throws ROTA-6031 the record holds nothing of the patient
 */
export const showConsents = (call: StudyCall & { readonly programme: string; readonly patient: string }): Promise<ShownConsents> =>
  atSite(call, async (site) => {
    const { programme, patient } = call
    const all = await site.folder.consents.entriesOf(patientDigest(site.folder.vault, patient))
    const entries = all.filter((entry) => entry.programme === programme)
    if (entries.length === 0) throw new RotaError('ROTA-6031', { programme })
    return { programme, network: receiptNetwork(site), entries: entries.map((entry) => shownEntry(site, entry, entries)) }
  })

function shownEntry(site: AtSite, entry: ConsentEntry, all: readonly ConsentEntry[]): ShownEntry {
  const { kind, at, tag } = entry
  return {
    ...{ kind, at, tag, road: roadOf(entry), until: entry.until ?? null },
    terms: entry.kind === 'granted' ? (entry.terms ?? null) : null,
    agreement: entry.kind === 'granted' ? agreementOf(site, entry, all) : null,
  }
}

function roadOf(entry: ConsentEntry): EntryRoad {
  if (entry.kind === 'granted' && entry.asked !== undefined) return 'page'
  if (entry.kind === 'withdrawn' && entry.by !== undefined) return entry.by === 'card' ? 'page' : 'chain'
  return entry.imported === undefined ? 'desk' : 'import'
}

function agreementOf(site: AtSite, entry: ConsentEntry & { readonly kind: 'granted' }, all: readonly ConsentEntry[]): Agreement | null {
  if (entry.asked === undefined) return null
  const { by, what, at, signature } = entry.asked
  const { chainId, consentRegistry } = receiptNetwork(site)
  const asked = { programme: programmeId(entry.programme), tag: by, what, at }
  const signer = requestSigner(asked, signature, consentDomain(BigInt(chainId), consentRegistry))
  const card = all.find((one) => one.kind === 'granted' && one.tag === by)
  const { tag, oneTimeAddress, terms } = entry
  const meant = askAgain({ tag, oneTimeAddress, ...(terms === undefined ? {} : { terms: terms.version }) })
  const holds = card?.kind === 'granted' && signer === card.oneTimeAddress && what === meant
  return { what, at: new Date(1000 * at).toISOString(), tag: by, programmeId: asked.programme, signature, signer, holds }
}
