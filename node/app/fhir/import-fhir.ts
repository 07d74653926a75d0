import { readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { receiptFileName } from '#adapters/cohort/receipt.ts'
import { type FhirFile, readFhirText } from '#adapters/fhir/fhir-file.ts'
import type { FhirMapping } from '#adapters/fhir/fhir-mapping.ts'
import { FhirPatients } from '#adapters/fhir/fhir-patients.ts'
import { type ReadConsent, readConsent } from '#adapters/fhir/read-consent.ts'
import { signaturesIn } from '#adapters/fhir/read-signatures.ts'
import { say } from '#adapters/fhir/reasons.ts'
import { systemClock } from '#adapters/host/system-host.ts'
import { checkInTime, ownPatients } from '#app/consent/consent-record.ts'
import { basisOf, receiptsIn, relayWithdrawals } from '#app/consent/consent-withdraw.ts'
import { newestTerms, termsUnder } from '#app/programme/terms-on-chain.ts'
import { type AtSite, atSite } from '#app/site/at-site.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import { expiresAt } from '#core/consent/terms.ts'
import { type ToldError, toldError } from '../told-error.ts'
import { readFhirMapping } from './fhir-mapping-file.ts'
import { type FhirImport, type ImportedResource, plannedResource, readOrRefused, refusedResource } from './import-answer.ts'
import { applyPlan } from './import-apply.ts'
import { type Planned, planImport } from './import-plan.ts'
import { knownStandings } from './known-standings.ts'
import { consentKeyDigest, nameDigest, ownNames, pseudonymOf } from './site-names.ts'

export type { FhirImport, ImportedResource } from './import-answer.ts'

export interface FhirImportCall extends StudyCall {
  readonly programme: string
  /** A file, or its text where it was never one. */
  readonly fhir: { readonly file: string } | { readonly text: string }
  /** NDJSON or a Bundle of the Patient resources that the consents point to. */
  readonly patients?: string | undefined
  /** Default: fhir.yaml in the site's folder. */
  readonly mapping?: string | undefined
  /** Shows what would become of each, and records nothing. */
  readonly dryRun: boolean
  /** Takes what can be taken though something else is refused. */
  readonly partial: boolean
  /** Where the receipts of new consents go; default: `receipts` in the site's folder. */
  readonly receipts?: string | undefined
  /** Of the receipts' pages. */
  readonly language?: string | undefined
}

/**
 * Takes FHIR R4 Consent resources into the site's record: all of a file or, where something in it cannot be taken exactly, nothing (but for `partial`).
 * @throws ROTA-6050, 6054 the file; 3001, 3041, 3042, 3043, 6063 the mapping; 6015 terms that have expired; 12xx, 13xx, 5xxx the site. What is refused in it is in the answer.
 */
export async function importFhir(call: FhirImportCall): Promise<FhirImport> {
  const mapping = await readFhirMapping(call.folder, call.mapping)
  const name = 'file' in call.fhir ? call.fhir.file : 'the bundle'
  const file = readFhirText('file' in call.fhir ? await textOf(call.fhir.file) : call.fhir.text, name, mapping.profiles)
  if (file.consents.length + file.bad.length === 0) throw new RotaError('ROTA-6050', { file: name, reason: say('it holds no Consent') })
  const beside = call.patients === undefined ? [] : readFhirText(await textOf(call.patients), call.patients, mapping.profiles).patients
  return atSite(call, (site) => importAt(site, { ...file, patients: [...file.patients, ...beside] }, mapping, call, name))
}

const MOST_MIB = 256

async function textOf(file: string): Promise<string> {
  try {
    if ((await stat(file)).size > MOST_MIB * 2 ** 20)
      throw new RotaError('ROTA-6050', { file, reason: say('more than {mib} MiB: split it', { mib: String(MOST_MIB) }) })
    return await readFile(file, 'utf8')
  } catch (cause) {
    if (isRotaError(cause)) throw cause
    throw new RotaError('ROTA-3001', { file, reason: String((cause as NodeJS.ErrnoException).code) })
  }
}

async function importAt(site: AtSite, file: FhirFile, mapping: FhirMapping, call: FhirImportCall, name: string): Promise<FhirImport> {
  const nowMs = systemClock.nowMs()
  const { programme, dryRun } = call
  const { planned, resources } = await planOf(site, file, mapping, call, nowMs)
  const count = (outcome: ImportedResource['outcome']): number => resources.filter((one) => one.outcome === outcome).length
  const counts = { recorded: count('recorded'), withdrawn: count('withdrawn'), unchanged: count('unchanged'), refused: count('refused') }
  const told = { programme, dryRun, ...counts, withoutRows: await withoutRows(site, planned), resources }
  const stopped = counts.refused > 0 && !call.partial
  const problem = stopped ? toldError(new RotaError('ROTA-6062', { file: name, refused: counts.refused, total: resources.length })) : null
  const nothing = { receipts: [], handover: null, root: null }
  if (dryRun || stopped || counts.recorded + counts.withdrawn === 0) return { ...told, taken: false, ...nothing, problem }
  const receipts = call.receipts ?? join(site.folder.paths.folder, 'receipts')
  const terms = await termsUnder(site.chain, programme)
  if (planned.some((one) => one.outcome === 'recorded' && one.name !== null)) checkInTime(terms.at(-1) ?? null)
  const expiries = new Map(terms.map(({ digest, terms }) => [digest, new Date(expiresAt(terms) * 1000).toISOString()]))
  const made = await applyPlan(site, planned, { programme, receipts, language: call.language, signatures: signaturesIn(file), expiries, nowMs })
  const relayed = await relayAll(site, programme, planned, receipts, call.signal)
  const { handover, root } = made
  return { ...told, taken: true, receipts: made.receipts, handover, root, problem: relayed ?? made.problem }
}

async function planOf(site: AtSite, file: FhirFile, mapping: FhirMapping, { programme, signal }: FhirImportCall, nowMs: number) {
  const { vault } = site.folder
  const own = ownNames(site, programme)
  const patients = new FhirPatients(file.patients, mapping.patient, own, nowMs)
  const read = file.consents.map((placed) => readOrRefused(placed, () => readConsent(placed, { mapping, own, patients, nowMs })))
  const standings = await knownStandings(site, programme, nowMs)
  const byPseudonym = new Map([...standings.keys()].map((patient) => [pseudonymOf(vault, patient), patient]))
  const planned = planImport(
    read.filter((one): one is ReadConsent => !('error' in one)),
    {
      lawfulBasis: (await newestTerms(site.chain, programme))?.terms.lawfulBasis ?? (await basisOf(site, programme, signal)),
      patientOf: (who) => ('name' in who ? nameDigest(vault, who.name) : (byPseudonym.get(who.pseudonym) ?? null)),
      standingOf: (patient) => standings.get(patient) ?? null,
      keyOf: (key) => consentKeyDigest(vault, key),
    },
  )
  const byConsent = new Map(planned.map((one) => [one.consent, one]))
  const told = read.map((one) => ('error' in one ? refusedResource(one) : plannedResource(byConsent.get(one) as Planned)))
  return { planned, resources: [...file.bad.map(refusedResource), ...told] }
}

async function withoutRows(site: AtSite, planned: readonly Planned[]): Promise<number> {
  const names = planned.flatMap((one) => (one.outcome === 'recorded' && one.name !== null ? [one.name] : []))
  if (names.length === 0) return 0
  const own = new Set(await ownPatients(site.folder).catch((): readonly string[] => []))
  return names.filter((name) => !own.has(name)).length
}

/** Those whose receipts still lie here are withdrawn on chain, too. */
async function relayAll(site: AtSite, programme: string, planned: readonly Planned[], receipts: string, signal: AbortSignal): Promise<ToldError | null> {
  const ended = new Set(planned.flatMap((one) => (one.outcome === 'withdrawn' ? [one.patient] : [])))
  if (ended.size === 0) return null
  const entries = await site.folder.consents.entriesUnder(programme)
  const tags = entries.flatMap(({ patient, tag }) => (ended.has(patient) && tag !== null ? [tag] : []))
  const wanted = new Set(tags.map((tag) => receiptFileName({ tag })))
  const files = (await receiptsIn(receipts).catch((): readonly string[] => [])).filter((file) => wanted.has(basename(file)))
  if (files.length === 0) return null
  try {
    await relayWithdrawals(site.folder.config, files, signal)
    return null
  } catch (error) {
    if (!isRotaError(error)) throw error
    return toldError(error)
  }
}
