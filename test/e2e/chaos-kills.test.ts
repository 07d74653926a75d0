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
// ├── when every three seconds a site drawn by lot is killed, at a drawn row or wherever it stands, and started again, all rounds close
// └── then no round is lost, and every model is the one of a run that nothing disturbed and in whose rounds the same sites were in

const seed = Number(process.env.ROTA_CHAOS_SEED ?? 1)
/** A killed node is started again well within it, on a slow machine too: what it does then, it does in the round in which it was killed. */
const PATIENT_LIMIT = 20

/** Rounds with a kill every three seconds. */
const WHOLE = 50
const ROUNDS = played({ few: 6, drawn: 12, all: WHOLE })
/** On a quick machine the rounds are over before so many have fallen: then a few more are played. */
const LEAST_KILLS = ROUNDS / 2
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
    const kills = { atRow: 0, anywhere: 0 }
    const count = (): number => kills.atRow + kills.anywhere
    const beganMs = Date.now()
    let allUpMs = 0
    while ((await hospitals.stories(run)).length < over || count() < LEAST_KILLS) {
      assert.ok(Date.now() < beganMs + 12_000 * ROUNDS, `the rounds are over in time, after ${count()} kills`)
      const drawnMs = Date.now()
      const site = lot([0, 1, 2, 3])
      const row = lot(REACHED)[0]
      const node = hospitals.nodes[site] ?? assert.fail()
      const [next] = arm(hospitals.strikes, [{ row, role: 'anyone', at: 'row', signal: 'SIGKILL', site }])
      // Nobody is spared: who has not come to the drawn row by a drawn moment is killed wherever it stands.
      const latestMs = drawnMs + random.uniform() * EVERY_MS
      while (Date.now() < latestMs && next?.struck() == null) await sleep(10)
      arm(hospitals.strikes, [])
      await node.end('SIGKILL')
      kills[next?.struck() == null ? 'anywhere' : 'atRow']++
      const killedMs = Date.now()
      // On a slow machine starting takes longer than three seconds: never are two of the four away.
      await hospitals.start(site)
      const restMs = Math.max(0, drawnMs + EVERY_MS - Date.now())
      await sleep(restMs)
      allUpMs += killedMs - drawnMs + restMs
    }
    const seconds = (ms: number): string => (ms / 1_000).toFixed(0)
    const rounds = (await hospitals.stories(run)).length - over + ROUNDS
    const told = `${count()} kills (${kills.atRow} at a drawn row, ${kills.anywhere} wherever the site stood) in ${rounds} rounds and ${seconds(Date.now() - beganMs)} s, in ${seconds(allUpMs)} s of which all four were up`
    console.log(told)
    assert.ok(count() >= allUpMs / EVERY_MS / 2, told)
    if (ROUNDS === WHOLE) assert.ok(kills.atRow > 0 && kills.anywhere > 0, told)
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
