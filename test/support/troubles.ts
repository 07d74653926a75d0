import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openJournal } from '#adapters/journal/file-journal.ts'
import { pauseSite } from '#app/site/pause.ts'
import { sitePaths } from '#app/site/site-folder.ts'
import { has } from '#base/bitmap.ts'
import { type RunId, roundNo, siteId } from '#base/ids.ts'
import type { RoughHospitals } from './rough-hospitals.ts'
import { nextRoleOf, type Role, type Struck } from './strikes.ts'

/** What a node finds when it starts again that it had not left so. */
export type Trouble = 'its secrets gone' | 'in maintenance' | 'its rows broken'

/** What is not over by itself, by site. */
const ends = new Map<number, () => Promise<unknown>>()

/** While the node is down. */
export async function bringTrouble(hospitals: RoughHospitals, { site, run, round }: Struck, trouble: Trouble | undefined): Promise<void> {
  const folder = hospitals.folders[site] as string
  if (trouble === 'in maintenance') await rest(folder, site)
  if (trouble === 'its rows broken') await breakRows(join(hospitals.dir, `rows-${site}.csv`), site)
  if (trouble !== 'its secrets gone') return
  const journal = await openJournal(sitePaths(folder).journal)
  await journal.burn(run as RunId, roundNo(round + 1))
  await journal.close()
}

export async function endTroubles(): Promise<void> {
  for (const end of ends.values()) await end()
  ends.clear()
}

async function rest(folder: string, site: number): Promise<void> {
  ends.set(site, () => pauseSite(folder, true))
  await pauseSite(folder, false)
}

async function breakRows(file: string, site: number): Promise<void> {
  const whole = await readFile(file, 'utf8')
  ends.set(site, () => writeFile(file, whole))
  await writeFile(file, `${whole}train,no,number\n`)
}

const MOMENT_LIMIT_MS = 180_000

/** A site rests until it will have this role in the round that opens next, which does not wait for it: that it is back is the first thing it says there. */
export async function restUntilNextIs(hospitals: RoughHospitals, run: RunId, site: number, role: Role): Promise<void> {
  await rest(hospitals.folders[site] as string, site)
  for (const end = Date.now() + MOMENT_LIMIT_MS; Date.now() < end; await sleep(10)) {
    const view = await hospitals.reader.run(run)
    const { phase, abstained } = view.round
    if (phase !== 'Keying' && phase !== 'Contributing' && has(abstained, siteId(site)) && nextRoleOf(view, siteId(site)) === role) return
  }
  throw new Error(`site ${site} was never about to be ${role}`)
}
