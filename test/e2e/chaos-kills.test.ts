import assert from 'node:assert/strict'
import process from 'node:process'
import { after, before, describe, it } from 'node:test'
import type { RunId } from '#base/ids.ts'
import { Seeded } from '#core/model/seeded.ts'
import { assertAllClosed, assertUndisturbed, type Blow, deal, tellBlow } from '../support/blows.ts'
import { makeRoughHospitals, type RoughHospitals } from '../support/rough-hospitals.ts'
import type { Moment, Role, Strike } from '../support/strikes.ts'
import { longStudy } from '../support/studies.ts'

// given four hospitals in four processes, and a run of many rounds
// ├── when leader, standby or plain site is killed by SIGKILL at a row of next.ts
// │   (before the row, or with the journal written and nothing sent, or with its transaction sent and no answer seen)
// │   ├── and starts again at once, its round closes
// │   └── and stays away, its round closes without it
// └── then no round is lost, and every model is the one of a run that nothing disturbed and in whose rounds the same sites were in

const MOMENTS: readonly Moment[] = ['row', 'send', 'sent']
const RESTARTS = [true, false]
const kill = (row: Strike['row'], role: Strike['role'], at: Moment = 'row'): Strike => ({ row, role, at, signal: 'SIGKILL' })

/** Rows that every round has, and who gets to them. */
const REACHED: readonly (readonly [Strike['row'], readonly Role[], readonly Moment[]])[] = [
  ['contribute', ['leader', 'standby', 'site'], MOMENTS],
  ['witness', ['leader', 'standby'], MOMENTS],
  ['publish', ['leader'], MOMENTS],
  ['attest', ['leader', 'standby', 'site'], MOMENTS],
  ['wait', ['leader', 'standby', 'site'], ['row']],
]

const matrix: readonly Blow[] = [
  ...REACHED.flatMap(([row, roles, moments]) =>
    roles.flatMap((role) => moments.flatMap((at) => RESTARTS.map((restart) => ({ strikes: [kill(row, role, at)], restart })))),
  ),
  // What was journalled and never sent is sent by the row that follows a restart: killed there too, twice started.
  ...(['leader', 'standby', 'site'] as const).flatMap((role) =>
    (['row', 'send', 'sent'] as const).map((at) => ({ strikes: [kill('contribute', role, 'send'), kill('contribute-again', 'the same', at)], restart: true })),
  ),
  // A node that starts again has to take over the model first.
  ...(['leader', 'standby', 'site'] as const).flatMap((role) =>
    RESTARTS.map((restart) => ({ strikes: [kill('attest', role), kill('adopt', 'the same')], restart })),
  ),
  // The standby publishes when the leader does not: both killed, both started again.
  { strikes: [kill('publish', 'leader'), kill('publish', 'standby')], restart: true },
]

const all = process.env.ROTA_CHAOS === 'all'
const seed = Number(process.env.ROTA_CHAOS_SEED ?? 1)
const MORE = 5

describe('kills at the rows of the protocol', () => {
  const study = longStudy({ sites: 4 })
  const blows = all ? matrix : drawn(matrix, MORE, seed)
  let hospitals: RoughHospitals
  let run: RunId

  before(async () => {
    console.log(`kills: ${blows.length} of ${matrix.length} (${all ? 'all' : `drawn by seed ${seed}; ROTA_CHAOS=all for all, ROTA_CHAOS_SEED for others`})`)
    hospitals = await makeRoughHospitals(study.sites, study.cohort.label.name)
    await hospitals.startAll()
    run = await hospitals.openRun(await hospitals.publish(study.protocol))
  })
  after(() => hospitals?.stop())

  for (const blow of blows)
    it(tellBlow(blow), async () => {
      const struggle = await deal(hospitals, run, blow)
      assert.equal(struggle.story.state, 'closed')
      if (process.env.ROTA_CHAOS_TIMES) console.log(`${tellBlow(blow)}: ${(struggle.closedAfterMs / 1000).toFixed(1)} s`)
    })

  it('no round is lost, and each model is what the frozen sets add up to', async () => {
    assertAllClosed(await hospitals.stories(run))
    await assertUndisturbed(hospitals, run, study)
  })
})

/** One for each row at which somebody is killed last, and a few more; the same for the same seed. */
function drawn(blows: readonly Blow[], more: number, from: number): readonly Blow[] {
  const random = new Seeded(from)
  const shuffled = blows
    .map((blow) => ({ blow, lot: random.uniform() }))
    .sort((a, b) => a.lot - b.lot)
    .map(({ blow }) => blow)
  const rows = new Set<string>()
  const first = shuffled.filter(({ strikes }) => {
    const row = strikes.at(-1)?.row ?? ''
    return !rows.has(row) && rows.add(row)
  })
  return [...first, ...shuffled.filter((blow) => !first.includes(blow)).slice(0, more)]
}
