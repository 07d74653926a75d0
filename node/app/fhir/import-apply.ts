import { firstEnd } from '#adapters/cohort/consent-end.ts'
import type { ConsentEntry } from '#adapters/cohort/consent-store.ts'
import type { EntryNote, Imported } from '#adapters/cohort/imported.ts'
import type { ReadConsent } from '#adapters/fhir/read-consent.ts'
import type { ConsentSignature } from '#adapters/fhir/read-signatures.ts'
import { type RecordedConsents, recordNames } from '#app/consent/consent-record.ts'
import type { AtSite } from '#app/site/at-site.ts'
import type { Digest } from '#base/ids.ts'
import type { Planned } from './import-plan.ts'
import { consentKeyDigest } from './site-names.ts'

interface Applying {
  readonly programme: string
  /** Where receipts go. */
  readonly receipts: string
  readonly language: string | undefined
  readonly signatures: ReadonlyMap<string, ConsentSignature>
  /** By digest, when each version of the terms expires: ISO. */
  readonly expiries: ReadonlyMap<Digest, string>
  readonly nowMs: number
}

/** What the record holds of a Consent: which one it was, when and by whom it was given. */
function importedOf({ folder }: AtSite, consent: ReadConsent, signatures: Applying['signatures']): Imported {
  const signature = signatures.get(consent.key ?? '') ?? signatures.get(consent.fullUrl ?? '')
  return {
    from: consent.key === null ? null : consentKeyDigest(folder.vault, consent.key),
    givenAt: consent.givenAt,
    by: consent.by,
    ...(consent.changesMs === null ? {} : { until: new Date(consent.changesMs).toISOString() }),
    ...(signature === undefined ? {} : { signature }),
  }
}

function noteOf(site: AtSite, consent: ReadConsent, { signatures }: Applying): EntryNote {
  const imported = importedOf(site, consent, signatures)
  return { imported, ...(imported.until === undefined ? {} : { until: imported.until }) }
}

/**
 * Ends first, and in one write: whatever stops after that, nobody's withdrawal is lost.
 * The root goes on chain where anything has changed.
 */
export async function applyPlan(site: AtSite, planned: readonly Planned[], applying: Applying): Promise<RecordedConsents> {
  const { programme, receipts, language } = applying
  const last = new Map((await site.folder.consents.entriesUnder(programme)).map((entry) => [entry.patient, entry]))
  await site.folder.consents.append(planned.flatMap((one) => entriesFor(site, one, last, applying)))
  const fresh = new Map(planned.flatMap((one) => (one.outcome === 'recorded' && one.name !== null ? [[one.name, one.consent] as const] : [])))
  const noted = (name: string): EntryNote => noteOf(site, fresh.get(name) as ReadConsent, applying)
  return recordNames(site, { programme, names: [...fresh.keys()], receipts, language, noted })
}

function entriesFor(site: AtSite, planned: Planned, last: ReadonlyMap<Digest, ConsentEntry>, applying: Applying): readonly ConsentEntry[] {
  if (planned.outcome !== 'recorded' && planned.outcome !== 'withdrawn') return []
  const { programme, nowMs } = applying
  const before = last.get(planned.patient)
  const at = new Date(planned.outcome === 'withdrawn' ? (planned.atMs ?? nowMs) : nowMs).toISOString()
  const over: ConsentEntry = { kind: 'withdrawn', patient: planned.patient, programme, tag: before?.tag ?? null, at }
  if (planned.outcome === 'withdrawn') return [{ ...over, imported: importedOf(site, planned.consent, applying.signatures) }]
  if (before?.kind !== 'granted') return []
  // One that was withdrawn on chain, or is over, gives way to a new tag; one that stands keeps its own.
  if (planned.name !== null) return [over]
  return [moved(before, noteOf(site, planned.consent, applying), applying)]
}

/** The same consent until another moment, though no longer than what was agreed to. */
function moved({ until: _, ...kept }: ConsentEntry, note: EntryNote, { expiries }: Applying): ConsentEntry {
  const expiry = 'terms' in kept && kept.terms !== undefined ? expiries.get(kept.terms.digest) : undefined
  const until = firstEnd([note.until, expiry])
  return { ...kept, ...note, ...(until === undefined ? {} : { until }) }
}
