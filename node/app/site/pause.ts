import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { writeAtomic } from '#adapters/journal/atomic-file.ts'
import { readConfig } from './config.ts'
import { sitePaths } from './site-folder.ts'

/**
 * Announces maintenance, or ends it. The running node looks before each round: while it rests it abstains, and the others do not
 * wait for it. @throws ROTA-1201 no site there
 */
export async function pauseSite(folder: string, off: boolean): Promise<{ readonly resting: boolean; readonly changed: boolean }> {
  await readConfig(folder)
  const { resting, state } = sitePaths(folder)
  const before = existsSync(resting)
  if (off) await rm(resting, { force: true })
  else {
    await mkdir(state, { recursive: true, mode: 0o700 })
    await writeAtomic(resting, `since ${new Date().toISOString()}\n`)
  }
  return { resting: !off, changed: before === off }
}
