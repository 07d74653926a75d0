import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { recordConsents } from '#app/consent/consent-record.ts'
import type { DeskRecorded, Printable } from '#web/desk/desk-work.ts'
import type { DeskAct, DeskProgramme } from '#wire/desk-api.ts'
import type { DeskSite } from './desk-site.ts'

/**
 * Records one consent and takes the card's page into memory: the file with the patient's secret is gone from the disk when it returns.
 * @throws ROTA-6003 a consent stands already, 5xxx the chain, which knows the terms, is away
 */
export async function recordAtDesk({ folder, call }: DeskSite, { patient, language }: DeskAct, { name }: DeskProgramme): Promise<DeskRecorded> {
  const receipts = await mkdtemp(join(folder.paths.state, 'desk-'))
  try {
    const made = await recordConsents({ ...call, programme: name, patients: { names: [patient] }, receipts, language })
    const [receipt] = made.receipts
    if (receipt === undefined) throw new TypeError('one patient, one receipt')
    return { tag: receipt.tag, print: await cardPage(patient, receipt.file), problem: made.problem }
  } finally {
    await rm(receipts, { recursive: true, force: true })
  }
}

/** The page that lies beside a receipt. */
export const cardPage = (patient: string, receipt: string): Promise<Printable> => pageAt(patient, receipt.replace(/\.json$/, '.html'))

export const pageAt = async (patient: string, file: string): Promise<Printable> => ({ patient, html: await readFile(file, 'utf8') })
