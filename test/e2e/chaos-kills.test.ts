import assert from 'node:assert/strict'
import process from 'node:process'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunId } from '#base/ids.ts'
import { Seeded } from '#core/model/seeded.ts'
import { assertAllClosed, assertUndisturbed, type Blow, dealAndClose, tellBlow } from '../support/blows.ts'
import { howMuch, more, played } from '../support/how-much.ts'
import { openKills, REACHED } from '../support/open-kills.ts'
import { makeRoughHospitals, type RoughHospitals } from '../support/rough-hospitals.ts'
import { arm } from '../support/strikes.ts'
import { longStudy } from '../support/studies.ts'

// given four hospitals in four processes, and a run of many rounds
// ├── when leader, standby or plain site is killed by SIGKILL at a row of next.ts
// │   (before the row, or with the journal written and nothing sent, or with its transaction sent and no answer seen)
// │   ├── and starts again at once, its round closes
// │   └── and stays away, its round closes without it
// ├── when every three seconds a site drawn by lot is killed, wherever it stands, and started again, all rounds close
// └── then no round is lost, and every model is the one of a run that nothing disturbed and in whose rounds the same sites were in

const seed = Number(process.env.ROTA_CHAOS_SEED ?? 1)
/** A killed node is started again well within it, on a slow machine too: what it does then, it does in the round in which it was killed. */
const PATIENT_LIMIT = 20

/** Rounds with a kill every three seconds. */
const WHOLE = 50
const ROUNDS = played({ few: 6, drawn: 12, all: WHOLE })
const LEAST_KILLS = played({ few: 2, drawn: 3, all: 3 })
const EVERY_MS = 3_000

describe('kills at the rows of the protocol', () => {
  const study = longStudy({ sites: 4, contributing: PATIENT_LIMIT })
  const blows = played({ few: drawn(openKills, seed).slice(0, 5), drawn: drawn(openKills, seed), all: openKills })
  let hospitals: RoughHospitals
  let run: RunId

  before(async () => {
    console.log(`kills: ${blows.length} of ${openKills.length} (${howMuch === 'all' ? 'all' : `drawn by seed ${seed}; ${more}, ROTA_CHAOS_SEED for others`})`)
    console.log(`a kill every three seconds: ${ROUNDS} of ${WHOLE} rounds (${more})`)
    hospitals = await makeRoughHospitals(study.sites, study.cohort.label.name)
    await hospitals.startAll()
    run = await hospitals.openRun(await hospitals.publish(study.protocol))
  })
  after(() => hospitals?.stop())

  for (const blow of blows) it(tellBlow(blow), () => dealAndClose(hospitals, run, blow))

  it(`a site drawn by lot every three seconds, for ${ROUNDS} rounds`, async () => {
    const random = new Seeded(seed + 6)
    const lot = <T>(of: readonly T[]): T => of[Math.floor(random.uniform() * of.length)] as T
    const over = (await hospitals.stories(run)).length + ROUNDS
    let kills = 0
    // On a quick machine the rounds are over before enough were struck: then a few more are played.
    for (const end = Date.now() + 12_000 * ROUNDS; (await hospitals.stories(run)).length < over || kills < LEAST_KILLS; ) {
      assert.ok(Date.now() < end, `the rounds are over in time, after ${kills} kills`)
      const dueMs = Date.now() + EVERY_MS
      const [next] = arm(hospitals.strikes, [{ row: lot(REACHED)[0], role: 'anyone', at: 'row', signal: 'SIGKILL', site: lot([0, 1, 2, 3]) }])
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
  })

  it('no round is lost, and each model is what the frozen sets add up to', async () => {
    assertAllClosed(await hospitals.stories(run))
    await assertUndisturbed(hospitals, run, study)
  })
})

/** Drawn one after the other, those that show something not seen so far: a row, a role, a moment, a restart or none. The same for the same seed. */
function drawn(blows: readonly Blow[], from: number): readonly Blow[] {
  const random = new Seeded(from)
  const seen = new Set<string>()
  return blows
    .map((blow) => ({ blow, lot: random.uniform() }))
    .sort((a, b) => a.lot - b.lot)
    .map(({ blow }) => blow)
    .filter(({ strikes, restart }) => {
      const shown = [`restart ${restart}`, ...strikes.flatMap(({ row, role, at }) => [`row ${row}`, `role ${role}`, `at ${at}`])]
      const before = seen.size
      for (const what of shown) seen.add(what)
      return seen.size > before
    })
}
