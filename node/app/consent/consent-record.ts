import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { recordConsent } from '#adapters/cohort/consent-desk.ts'
import { patientDigest } from '#adapters/cohort/patient-digest.ts'
import { patientNames } from '#adapters/cohort/patient-names.ts'
import { systemClock, systemRandom } from '#adapters/host/system-host.ts'
import { writeAtomic } from '#adapters/journal/atomic-file.ts'
import { readPatientMapping } from '#app/protocol/mapping-file.ts'
import { type AtSite, atSite } from '#app/site/at-site.ts'
import type { SiteFolder } from '#app/site/site-folder.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import { address, type Digest } from '#base/ids.ts'
import { type ToldError, toldError } from '../told-error.ts'
import { type ConsentRoot, putConsentRoot } from './consent-root.ts'

/** `file`: a patient's name a line. `all`: whoever the data file names and the record does not know. `none`: only puts the root on chain. */
export type WhichPatients = { readonly file: string } | 'all' | 'none'

export interface RecordedConsents {
  readonly programme: string
  readonly recorded: number
  /** No patient beside a tag here; HANDOVER in the folder says whose is which. */
  readonly receipts: readonly { readonly file: string; readonly tag: Digest }[]
  readonly handover: string | null
  readonly root: ConsentRoot | null
  /** Why the root is not on chain yet; the consents stand. */
  readonly problem: ToldError | null
}

/** Beside the receipts: which is whose, for whoever hands them over. To be deleted with them. */
const HANDOVER = 'handover.csv'

/** @throws ROTA-3xxx files, 6003 one of them consents already (then nothing is recorded) */
export const recordConsents = (
  call: StudyCall & { readonly programme: string; readonly patients: WhichPatients; readonly receipts: string },
): Promise<RecordedConsents> =>
  atSite(call, async (site) => {
    const { programme } = call
    const folder = resolve(call.receipts)
    const names = await namesOf(site, programme, call.patients)
    const made = names.length === 0 ? [] : await recordConsent(deskAt(site), programme, names, folder)
    const handover = made.length === 0 ? null : join(folder, HANDOVER)
    if (handover !== null)
      await writeAtomic(handover, `${await knownLines(handover)}${made.map(({ patient, file }) => `${quoted(patient)},${basename(file)}\n`).join('')}`)
    return {
      programme,
      recorded: made.length,
      receipts: made.map(({ file, receipt }) => ({ file, tag: receipt.tag })),
      handover,
      ...(await rooted(site, programme)),
    }
  })

export const deskOf = ({ consents, vault }: SiteFolder) => ({ store: consents, vault, clock: systemClock, random: systemRandom })

/** A desk whose receipts name the network. */
const deskAt = ({ folder, chain }: AtSite) => ({
  ...deskOf(folder),
  network: { chainId: Number(chain.chainId), contracts: address(folder.config.contracts) },
})

/** The chain may be away: what the desk did stands. */
export async function rooted(site: AtSite, programme: string): Promise<Pick<RecordedConsents, 'root' | 'problem'>> {
  try {
    return { root: await putConsentRoot(site, programme), problem: null }
  } catch (error) {
    if (!isRotaError(error)) throw error
    return { root: null, problem: toldError(error) }
  }
}

async function namesOf({ folder }: AtSite, programme: string, which: WhichPatients): Promise<readonly string[]> {
  if (which === 'none') return []
  if (which !== 'all') return namesIn(which.file)
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
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new RotaError('ROTA-3001', { file, reason: String(cause.code) })
  })
  const names = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
  if (names.length === 0) throw new RotaError('ROTA-3002', { file })
  return names
}

const knownLines = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => 'patient,receipt\n')
const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
