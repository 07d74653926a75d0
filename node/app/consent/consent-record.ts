import { basename, join, resolve } from 'node:path'
import { recordConsent } from '#adapters/cohort/consent-desk.ts'
import type { EntryNote } from '#adapters/cohort/imported.ts'
import { patientDigest } from '#adapters/cohort/patient-digest.ts'
import { patientNames } from '#adapters/cohort/patient-names.ts'
import { systemClock, systemRandom } from '#adapters/host/system-host.ts'
import { readIfThere, writeAtomic } from '#adapters/journal/atomic-file.ts'
import { readGiven } from '#app/given-text.ts'
import { newestTerms, type PublishedTerms, programmesWithTerms } from '#app/programme/terms-on-chain.ts'
import { readPatientMapping } from '#app/protocol/mapping-file.ts'
import { type AtSite, atSite, heldProtocols } from '#app/site/at-site.ts'
import type { SiteFolder } from '#app/site/site-folder.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import { nearest } from '#base/nearest.ts'
import { expiresAt } from '#core/consent/terms.ts'
import { type ToldError, toldError } from '../told-error.ts'
import { type ConsentRoot, putConsentRoot, putNextRoot } from './consent-root.ts'
import { handOut, issuerAt } from './receipt-issue.ts'
import { knownLanguage } from './receipt-print.ts'
import { cadenceOf } from './root-cadence.ts'
import { takeOverWithdrawals } from './take-over-withdrawals.ts'

/** `names`: as this site's data names them. `file`: a patient's name a line. `all`: whoever the data file names and the record does not know. `none`: only puts the root on chain. */
export type WhichPatients = { readonly names: readonly string[] } | { readonly file: string } | 'all' | 'none'

export interface RecordedConsents {
  readonly programme: string
  readonly recorded: number
  /** No patient beside a tag here; HANDOVER in the folder says whose is which. */
  readonly receipts: readonly { readonly file: string; readonly tag: Digest }[]
  readonly handover: string | null
  readonly root: ConsentRoot | null
  /** ISO: when they come on chain with the site's next root, at the step of the terms' cadence. */
  readonly countsFrom?: string
  /** Nobody here knew a programme of this name: no terms, no study, no consents. The name may be mistyped; this is the nearest that is known. */
  readonly nearestKnown?: string
  /** Why the root is not on chain yet; the consents stand. */
  readonly problem: ToldError | null
}

/** What the chain says of consents that were recorded or withdrawn just now. */
export type Rooted = Pick<RecordedConsents, 'root' | 'countsFrom' | 'problem'>

/** Beside the receipts: which is whose, for whoever hands them over. To be deleted with them. */
const HANDOVER = 'handover.csv'

/** @throws ROTA-3xxx files, 6003 one of them consents already (then nothing is recorded) */
export const recordConsents = (
  call: StudyCall & { readonly programme: string; readonly patients: WhichPatients; readonly receipts: string; readonly language?: string | undefined },
): Promise<RecordedConsents> =>
  atSite(call, async (site) => {
    const nearestKnown = await nearestOf(site, call)
    const made = await recordNames(site, { ...call, names: await namesOf(site, call.programme, call.patients) })
    return nearestKnown === null ? made : { ...made, nearestKnown }
  })

/** Null where the programme is known here by terms, a study or consents, or none is. */
async function nearestOf(site: AtSite, { programme, signal }: Pick<StudyCall, 'signal'> & { readonly programme: string }): Promise<string | null> {
  const studied = [...(await heldProtocols(site, signal)).values()].map((protocol) => protocol.programme)
  const known = new Set([...(await site.folder.consents.programmes()), ...(await programmesWithTerms(site.chain)).keys(), ...studied])
  return known.size === 0 || known.has(programme) ? null : nearest(programme, known)
}

/** The same at a site that is open. @param call.noted what the record keeps beside each patient's entry @throws ROTA-6003, 6015 */
export async function recordNames(
  site: AtSite,
  call: {
    readonly programme: string
    readonly names: readonly string[]
    readonly receipts: string
    readonly language?: string | undefined
    readonly noted?: (patient: string) => EntryNote
  },
): Promise<RecordedConsents> {
  const { programme, names } = call
  if (call.language !== undefined) knownLanguage(call.language)
  const folder = resolve(call.receipts)
  if (names.length > 0) checkInTime(await newestTerms(site.chain, programme))
  await takeOverWithdrawals(site, programme, systemClock)
  const issuer = await issuerAt(site, programme)
  const made = names.length === 0 ? [] : await recordConsent({ ...deskOf(site.folder), issue: issuer.issue }, programme, names, folder, call.noted)
  const handover = made.length === 0 ? null : join(folder, HANDOVER)
  if (handover !== null)
    await writeAtomic(handover, `${await knownLines(handover)}${made.map(({ patient, file }) => `${quoted(patient)},${basename(file)}\n`).join('')}`)
  const stands = await rooted(site, programme, names.length === 0)
  await handOut(site, issuer, programme, made, stands.root, call.language)
  return {
    programme,
    recorded: made.length,
    receipts: made.map(({ file, receipt }) => ({ file, tag: receipt.tag })),
    handover,
    ...stands,
  }
}

/** @throws ROTA-6015 nobody can agree to what has expired */
export function checkInTime(published: PublishedTerms | null): void {
  if (published === null || systemClock.nowMs() < expiresAt(published.terms) * 1000) return
  const { programme, version, expires } = published.terms
  throw new RotaError('ROTA-6015', { programme, version, expires })
}

export const deskOf = ({ consents, vault }: SiteFolder) => ({ store: consents, vault, clock: systemClock, random: systemRandom })

/**
 * Puts the root over what stands now on chain; under terms that is the cadence's, since its time would tell when somebody consented.
 * The chain may be away: what the desk did stands.
 * @param due put it where a step has passed without one
 */
export async function rooted(site: AtSite, programme: string, due = false): Promise<Rooted> {
  try {
    const cadence = await cadenceOf(site, programme, systemClock)
    if (cadence === null) return { root: await putConsentRoot({ ...site, clock: systemClock }, programme), problem: null }
    if (due && cadence.isDue) return { root: await putNextRoot({ ...site, clock: systemClock }, programme), problem: null }
    return { root: null, problem: null, countsFrom: new Date(cadence.next * 1000).toISOString() }
  } catch (error) {
    if (!isRotaError(error)) throw error
    return { root: null, problem: toldError(error) }
  }
}

async function namesOf({ folder }: AtSite, programme: string, which: WhichPatients): Promise<readonly string[]> {
  if (which === 'none') return []
  if (which !== 'all') return 'names' in which ? which.names : namesIn(which.file)
  // Who withdrew is known, and is not asked for anew.
  const standings = await folder.consents.standings(programme)
  return (await ownPatients(folder)).filter((name) => !standings.has(patientDigest(folder.vault, name)))
}

/** As this site's own file names them. */
export async function ownPatients({ config, paths }: Pick<SiteFolder, 'config' | 'paths'>): Promise<readonly string[]> {
  const mapping = await readPatientMapping(config.data.mapping === undefined ? null : resolve(paths.folder, config.data.mapping))
  return patientNames(resolve(paths.folder, config.data.file), mapping)
}

async function namesIn(file: string): Promise<readonly string[]> {
  const names = (await readGiven(file))
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
  if (names.length === 0) throw new RotaError('ROTA-3002', { file })
  return names
}

const knownLines = async (file: string): Promise<string> => (await readIfThere(file))?.toString() ?? 'patient,receipt\n'
const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
