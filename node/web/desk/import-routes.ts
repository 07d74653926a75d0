import type { Context, Hono } from 'hono'
import type { ImportFile, ImportRow } from '#wire/desk-api.ts'
import { programmeName, textsIn } from './answers.ts'
import type { DeskParts } from './desk-app.ts'
import type { SignedIn } from './guards.ts'
import type { Prints } from './prints.ts'
import { refusal } from './refusal.ts'

/** Reading so many takes seconds, in which nobody else is answered; the command line takes larger files. */
const MOST_CONSENTS = 10_000
const countOf = (fhir: string): number => fhir.match(/"resourceType"\s*:\s*"Consent"/g)?.length ?? 0

const MOST = { fhir: 8 * 1024 * 1024, programme: 128, language: 35 }

/** A FHIR file: first what it would do, then doing it. Every patient whom it names counts as looked at, before anything is shown or done. */
export function importRoutes(app: Hono<SignedIn>, { work, looks }: Pick<DeskParts, 'work' | 'looks'>, prints: Prints): void {
  const people = (rows: readonly ImportRow[]) =>
    [...new Set(rows.map(({ patient }) => patient))].flatMap((patient) => (patient === null ? [] : [work.digestOf(patient)]))

  const fileIn = async (c: Context): Promise<ImportFile> => {
    const file = await textsIn(c, MOST)
    if (countOf(file.fhir) > MOST_CONSENTS) throw refusal('more than {most} consents in one file: split it', { most: String(MOST_CONSENTS) })
    return { ...file, programme: programmeName(file.programme) }
  }

  app.post('/api/import/preview', async (c) => {
    const file = await fileIn(c)
    const preview = await work.previewImport(file)
    await looks.noteMany(c.var.session.user.name, 'previewed', people(preview.rows), file.programme)
    return c.json(preview)
  })

  app.post('/api/import/record', async (c) => {
    const file = await fileIn(c)
    const who = c.var.session.user.name
    await looks.noteMany(who, 'imported', people((await work.previewImport(file)).rows), file.programme)
    const { prints: pages, ...done } = await work.importConsents(file)
    return c.json({ ...done, prints: pages.map((page) => ({ patient: page.patient, print: prints.keep(who, work.digestOf(page.patient), page) })) })
  })
}
