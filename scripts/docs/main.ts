/**
 * Writes what the documents take from the code: `node scripts/docs/main.ts`. With --check nothing is written; it names the files
 * that are not what the code says, and exits 1.
 */
import process from 'node:process'
import { DOCUMENTS } from './documents.ts'
import { freshText, readDocument, writeDocument } from './generated.ts'

const check = process.argv.includes('--check')
let stale = 0
for (const document of DOCUMENTS) {
  const fresh = await freshText(document)
  if (fresh === (await readDocument(document.file))) continue
  stale += 1
  console.log(`${check ? 'out of date' : 'written'}: ${document.file}`)
  if (!check) await writeDocument(document.file, fresh)
}
if (stale === 0) console.log('documents: all are what the code says')
process.exitCode = check && stale > 0 ? 1 : 0
