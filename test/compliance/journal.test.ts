import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { type FileJournal, openJournal } from '#adapters/journal/file-journal.ts'
import { SimJournal } from '#adapters/sim/journal.ts'
import type { JournalEntry } from '#ports/journal.ts'
import { journalCompliance } from './journal.ts'

journalCompliance('in memory', async () => {
  const disk: JournalEntry[] = []
  return { open: async () => new SimJournal(disk), die: async () => undefined }
})

const dir = await mkdtemp(join(tmpdir(), 'rota-journal-'))
after(() => rm(dir, { recursive: true }))
let disks = 0

journalCompliance('a file', async () => {
  const path = join(dir, `${disks++}.jsonl`)
  let open: FileJournal | null = null
  return {
    open: async () => (open = await openJournal(path)),
    die: async () => open?.close(),
  }
})
