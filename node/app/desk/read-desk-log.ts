import { patientDigest } from '#adapters/cohort/patient-digest.ts'
import { openSiteFolder } from '#app/site/site-folder.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { RotaError } from '#base/errors.ts'
import type { DeskEntry } from '#web/desk/desk-log.ts'
import { deskLogFiles } from './desk-files.ts'
import { readWholeLog, type WholeDeskLog } from './desk-log-parts.ts'

export interface DeskLogCall extends Omit<StudyCall, 'signal'> {
  /** Only what concerns this patient, named as in the site's data: who has looked at my record? */
  readonly patient: string | undefined
  readonly user: string | undefined
  /** ISO day or time: only from then on. */
  readonly from: string | undefined
}

/**
 * What was done at the desk, oldest first. Whoever may read it has the site's password: the data protection officer, not the stewards.
 * All parts of the log that lie here are read.
 * @throws ROTA-6002 when an entry or a part was changed, moved or taken out in the middle; 1004 a time that is none
 */
export async function readDeskLog(call: DeskLogCall): Promise<WholeDeskLog> {
  const fromMs = call.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(call.from)
  if (Number.isNaN(fromMs)) throw new RotaError('ROTA-1004', { option: '--from', value: String(call.from), expected: 'a day or time, as 2026-11-22' })
  const folder = await openSiteFolder(call.folder, call.password)
  const patient = call.patient === undefined ? undefined : patientDigest(folder.vault, call.patient)
  const isAsked = ({ at, who, patient: whose }: DeskEntry): boolean =>
    Date.parse(at) >= fromMs && (patient === undefined || whose === patient) && (call.user === undefined || who === call.user)
  const { entries, missing } = await readWholeLog(deskLogFiles(folder))
  return { entries: entries.filter(isAsked), missing }
}
