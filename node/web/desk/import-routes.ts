import type { Hono } from 'hono'
import type { ImportRow } from '#wire/desk-api.ts'
import { textsIn } from './answers.ts'
import type { DeskParts } from './desk-app.ts'
import type { SignedIn } from './guards.ts'
import type { Prints } from './prints.ts'

const MOST = { fhir: 8 * 1024 * 1024, programme: 128, language: 35 }

/** A FHIR file: first what it would do, then doing it. Every patient whom it names counts as looked at, before anything is shown or done. */
export function importRoutes(app: Hono<SignedIn>, { work, looks }: Pick<DeskParts, 'work' | 'looks'>, prints: Prints): void {
  const people = (rows: readonly ImportRow[]) =>
    [...new Set(rows.map(({ patient }) => patient))].flatMap((patient) => (patient === null ? [] : [work.digestOf(patient)]))

  app.post('/api/import/preview', async (c) => {
    const file = await textsIn(c, MOST)
    const preview = await work.previewImport(file)
    await looks.noteMany(c.var.session.user.name, 'previewed', people(preview.rows), file.programme)
    return c.json(preview)
  })

  app.post('/api/import/record', async (c) => {
    const file = await textsIn(c, MOST)
    const who = c.var.session.user.name
    await looks.noteMany(who, 'imported', people((await work.previewImport(file)).rows), file.programme)
    const { prints: pages, ...done } = await work.importConsents(file)
    return c.json({ ...done, prints: pages.map((page) => ({ patient: page.patient, print: prints.keep(who, work.digestOf(page.patient), page) })) })
  })
}
