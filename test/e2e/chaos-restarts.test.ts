import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunId } from '#base/ids.ts'
import { Seeded } from '#core/model/seeded.ts'
import { assertUndisturbed } from '../support/blows.ts'
import { makeRoughHospitals, type RoughHospitals } from '../support/rough-hospitals.ts'
import { arm, type Strike } from '../support/strikes.ts'
import { longStudy } from '../support/studies.ts'

// given four hospitals in four processes, and a run of 50 rounds
// └── when every three seconds a site drawn by lot is killed, wherever it stands, and started again
//     └── 50 rounds close, and every model is the undisturbed run's with the same frozen sets

const ROUNDS = 50
const EVERY_MS = 3_000
const ROWS: readonly Strike['row'][] = ['contribute', 'witness', 'publish', 'attest', 'wait']

describe('a run in which a random node is killed and restarted every three seconds', () => {
  // One round of moments and one of evaluation are in it.
  const study = longStudy({ sites: 4, rounds: ROUNDS - 2 })
  const random = new Seeded(7)
  const lot = <T>(of: readonly T[]): T => of[Math.floor(random.uniform() * of.length)] as T
  let hospitals: RoughHospitals
  let run: RunId

  before(async () => {
    hospitals = await makeRoughHospitals(study.sites, study.cohort.label.name)
    await hospitals.startAll()
    run = await hospitals.openRun(await hospitals.publish(study.protocol))
  })
  after(() => hospitals?.stop())

  it('closes 50 rounds', async () => {
    let kills = 0
    for (const end = Date.now() + 240_000; (await hospitals.reader.run(run)).state === 'Active'; ) {
      assert.ok(Date.now() < end, 'the run is over in time')
      const dueMs = Date.now() + EVERY_MS
      const [next] = arm(hospitals.strikes, [{ row: lot(ROWS), role: 'anyone', at: 'row', signal: 'SIGKILL', site: lot([0, 1, 2, 3]) }])
      // A site that does not get to its row before the next lot is spared.
      while (Date.now() < dueMs && next?.struck() == null) await sleep(10)
      arm(hospitals.strikes, [])
      const struck = next?.struck()
      if (struck != null) {
        kills++
        await hospitals.nodes[struck.site]?.ended()
        // On a slow machine starting takes longer than three seconds: never are two of the four away.
        await hospitals.start(struck.site)
      }
      await sleep(Math.max(0, dueMs - Date.now()))
    }
    const stories = await hospitals.stories(run)
    assert.deepEqual(
      stories.map(({ state }) => state),
      Array.from({ length: ROUNDS }, () => 'closed'),
    )
    assert.ok(kills >= 3, `${kills} kills`)
    await assertUndisturbed(hospitals, run, study)
  })
})
