/**
 * Test files, one after the other, in this process: what they all import is loaded once. Started by many-tests.ts, which reads what it tells.
 *   node --test scripts/test/batch.ts FILE…
 * Each file is a suite that bears its path; hooks that stand outside of its own suites hold for it alone. The next file is loaded once the
 * tests of the one before have ended.
 */
import { resolve } from 'node:path'
import process from 'node:process'
import { after, suite } from 'node:test'
import { pathToFileURL } from 'node:url'

for (const file of process.argv.slice(2))
  await new Promise<void>((ended) => {
    suite(file, async () => {
      after(() => ended())
      try {
        await import(pathToFileURL(resolve(file)).href)
      } catch (error) {
        ended()
        throw error
      }
    })
  })
