import { ownPatients } from '#app/consent/consent-record.ts'
import type { SiteFolder } from '#app/site/site-folder.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { isRotaError } from '#base/errors.ts'
import type { DeskProgramme } from '#wire/desk-api.ts'
import type { DeskChain } from './desk-chain.ts'

/** What the acts at the desk work with. */
export interface DeskSite {
  readonly folder: SiteFolder
  /** Opens the site anew, as a command would: its password is held as long as the desk runs. */
  readonly call: StudyCall
  readonly chain: DeskChain
  programmes(): Promise<readonly DeskProgramme[]>
}

/** Null where the data file cannot be read. */
export async function hasRows(folder: SiteFolder, patient: string): Promise<boolean | null> {
  try {
    return (await ownPatients(folder)).includes(patient)
  } catch (error) {
    if (isRotaError(error)) return null
    throw error
  }
}
