import assert from 'node:assert/strict'
import { readJournal } from '#adapters/journal/file-journal.ts'
import { sitePaths } from '#app/site/site-folder.ts'
import type { RunId } from '#base/ids.ts'
import { only } from '../../scripts/chaos/record.ts'
import type { RoughHospitals } from './rough-hospitals.ts'

/**
 * What sites showed shares for, by their journals: each a set that the chain froze, whose sum stood there, one of a model and of a round. So no two sums were
 * unmasked that tell of whoever is in one of them alone.
 * @returns how many sets were shown
 */
export async function assertShownOnce({ folders, reader }: RoughHospitals, run: RunId): Promise<number> {
  const events = await reader.events(0, { run })
  const frozen = new Map(only(events, 'Frozen').map(({ round, included }) => [round, included]))
  const published = new Set(only(events, 'Published').map(({ round }) => round))
  const sets = new Map<string, Set<bigint>>()
  for (const [site, folder] of folders.entries())
    for (const entry of (await readJournal(sitePaths(folder).journal)).entries) {
      if (entry.kind !== 'released' || entry.run !== run) continue
      assert.equal(entry.included, frozen.get(entry.round), `site ${site} shows shares in round ${entry.round} for the set that was frozen`)
      assert.ok(published.has(entry.round), `site ${site} shows shares in round ${entry.round} once its sum is published`)
      sets.set(entry.base, (sets.get(entry.base) ?? new Set()).add(entry.included))
    }
  for (const [base, shown] of sets) assert.equal(shown.size, 1, `of model ${base} one set is unmasked`)
  return sets.size
}
