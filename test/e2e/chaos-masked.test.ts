import process from 'node:process'
import { after, before, describe, it } from 'node:test'
import type { RunId } from '#base/ids.ts'
import { Seeded } from '#core/model/seeded.ts'
import { assertAllClosed, assertUndisturbed, type Blow, dealAndClose, tellBlow } from '../support/blows.ts'
import { leftOut } from '../support/how-much.ts'
import { maskedKills, maskedOfSeven } from '../support/masked-kills.ts'
import { makeRoughHospitals, type RoughHospitals } from '../support/rough-hospitals.ts'
import { longStudy } from '../support/studies.ts'

// given six hospitals in six processes, a masked study in which patients may rest, and a run of many rounds
// ├── when leader, standby or plain site is killed at a row of next.ts, before it keyed or after, masked or not yet, its shares shown or not,
// │   │   or, started again, without its secrets, in maintenance, or with rows that cannot be read
// │   ├── and starts again at once, its round closes
// │   └── and stays away, its round closes without it: the others take its masks off
// └── then no round is lost, and every model is the one that the plain updates of the frozen sets give
// given seven
// └── when one drops out of a round in which it has keyed, and whoever moves the phase on for it is killed there, or leader and standby before they publish, the same
// (rare rows: chaos-masked-rare.test.ts)

const seed = Number(process.env.ROTA_CHAOS_SEED ?? 1)
const limit = (seconds: number) => ({ seconds, blocks: seconds })
/** Who is killed while keys are exchanged and stays away is waited for until the limit; who starts again needs some seconds, on a slow machine more. */
const LIMITS = { keying: limit(24), contributing: limit(30), witnessing: limit(30), publishing: limit(30), attesting: limit(30) }

/** @param sites one more than a masked round waits for in any case: those that are left begin before the limit; @param quorum so many take masks off */
const maskedStudy = (sites: number, quorum: number, contributing = LIMITS.contributing) =>
  longStudy({
    sites,
    change: {
      mode: 'masked',
      minSites: sites,
      quorum,
      maxSites: sites,
      limits: { ...LIMITS, contributing },
      cohort: { rule: 'all rows', differencing: 'rest' } as never,
    },
  })

const skipped = { skip: leftOut('all', 'masked.test.ts plays two') }

function play(what: string, study: ReturnType<typeof maskedStudy>, blows: readonly Blow[]): void {
  describe(what, skipped, () => {
    let hospitals: RoughHospitals
    let run: RunId

    before(async () => {
      console.log(`${what}: ${blows.length}`)
      hospitals = await makeRoughHospitals(study.sites, study.cohort.label.name)
      await hospitals.startAll()
      run = await hospitals.openRun(await hospitals.publish(study.protocol))
    })
    after(() => hospitals?.stop())

    for (const blow of blows) it(tellBlow(blow), () => dealAndClose(hospitals, run, blow))

    it('no round is lost, and each model is what the frozen sets add up to', async () => {
      const stories = await hospitals.stories(run)
      if (process.env.ROTA_CHAOS_TIMES) console.log(`${what}: ${stories.length} rounds, ${stories.filter(({ state }) => state === 'closed').length} closed`)
      assertAllClosed(stories)
      await assertUndisturbed(hospitals, run, study)
    })
  })
}

play('kills at rows of masked rounds', maskedStudy(6, 5), byLot(maskedKills, seed))
play('kills of two in a masked round of seven', maskedStudy(7, 5, limit(14)), maskedOfSeven)

/** Mixed, the same for the same seed: a run of them that is cut short has seen something of everything. */
function byLot<T>(items: readonly T[], from: number): readonly T[] {
  const random = new Seeded(from)
  return items
    .map((item) => ({ item, lot: random.uniform() }))
    .sort((a, b) => a.lot - b.lot)
    .map(({ item }) => item)
}
