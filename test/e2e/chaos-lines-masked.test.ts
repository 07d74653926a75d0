import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunId } from '#base/ids.ts'
import { assertUndisturbed } from '../support/blows.ts'
import { leftOut } from '../support/how-much.ts'
import { makeRoughHospitals, noLines, type RoughHospitals } from '../support/rough-hospitals.ts'
import { assertShownOnce } from '../support/shown-sums.ts'
import { longStudy } from '../support/studies.ts'

// given seven hospitals in seven processes, with a proxy before each, and a masked study whose sums five sites unmask
// ├── when three of them and four are cut off from each other, no round closes and no sum is shown; healed, the run goes on with all
// ├── when five and two are cut off from each other, rounds close among the five; healed, all are in them again
// └── whatever happened, each model is what the frozen sets add up to, and of each model one set was unmasked, after its sum was published

const SITES = 7
const limit = (seconds: number) => ({ seconds, blocks: 2 * seconds })
const study = longStudy({
  sites: SITES,
  change: {
    mode: 'masked',
    minSites: SITES,
    quorum: 5,
    maxSites: SITES,
    limits: { keying: limit(20), contributing: limit(10), witnessing: limit(10), publishing: limit(10), attesting: limit(10) },
  },
})
const CUT_MS = 12_000
const skip = noLines || leftOut('drawn', 'masked-chaos.test.ts plays halves in memory, chaos-lines.test.ts those of an open study')

describe('a masked study that falls apart', { skip }, () => {
  let hospitals: RoughHospitals
  let run: RunId

  before(async () => {
    hospitals = await makeRoughHospitals(study.sites, study.cohort.label.name, { lines: true })
    await hospitals.startAll()
    run = await hospitals.openRun(await hospitals.publish(study.protocol))
  })
  after(() => hospitals?.stop())

  const latest = async (): Promise<number> => (await hospitals.stories(run)).length

  /** From some round on everybody is in. */
  async function allIn(what: string): Promise<void> {
    const from = await latest()
    await hospitals.untilStories(run, (told) => told.slice(from).some(({ state, included }) => state === 'closed' && included.length === SITES), what)
  }

  /** Sites below `first` and the others do not reach each other; all have the chain. */
  function between(first: number, state: 'cut' | 'open'): void {
    for (let a = 0; a < first; a++) for (let b = first; b < SITES; b++) hospitals.line(a, b).become(state)
  }

  it('into two halves without a quorum waits, and goes on', async () => {
    await allIn('all are in at first')
    between(3, 'cut')
    const from = await latest()
    const shown = await assertShownOnce(hospitals, run)
    await sleep(CUT_MS)
    const during = (await hospitals.stories(run)).slice(from)
    assert.deepEqual(
      during.filter(({ state }) => state === 'closed'),
      [],
    )
    // What was published before may have been shown by then.
    assert.ok((await assertShownOnce(hospitals, run)) <= shown + 1)
    between(3, 'open')
    await allIn('all are in again after the halves')
  })

  it('into most sites and few goes on among most, and takes in the few', async () => {
    between(5, 'cut')
    const from = await latest()
    try {
      await hospitals.untilStories(
        run,
        (told) => told.slice(from).filter(({ state, included }) => state === 'closed' && included.join() === '0,1,2,3,4').length >= 2,
        'two rounds close among five of seven',
      )
    } finally {
      between(5, 'open')
    }
    await allIn('all are in again after the few were cut off')
  })

  it('comes to what the frozen sets add up to, and shows no second sum', async () => {
    await assertUndisturbed(hospitals, run, study)
    const closed = (await hospitals.stories(run)).filter(({ state }) => state === 'closed').length
    assert.ok((await assertShownOnce(hospitals, run)) >= closed)
  })
})
