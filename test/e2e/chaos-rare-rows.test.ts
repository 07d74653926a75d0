import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openJournal } from '#adapters/journal/file-journal.ts'
import { pauseSite } from '#app/site/pause.ts'
import { sitePaths } from '#app/site/site-folder.ts'
import type { Bitmap } from '#base/ids.ts'
import { roundNo, type StudyId } from '#base/ids.ts'
import type { SplitTable } from '#core/model/table.ts'
import { untilStruck } from '../support/blows.ts'
import { csvOf } from '../support/hospitals.ts'
import { howMuch, leftOut, more } from '../support/how-much.ts'
import { rareKills } from '../support/open-kills.ts'
import { makeRoughHospitals, type RoughHospitals } from '../support/rough-hospitals.ts'
import { arm, type Strike } from '../support/strikes.ts'
import { exactStudy } from '../support/studies.ts'

// given four hospitals in four processes
// ├── when a site in maintenance is killed at `rest`, or one with broken data at `abstain-again`, its round closes without waiting for it
// ├── when a site is killed at `ready` again and again, the paused run goes on
// ├── when a site whose cohort changed is killed at `halt-run`, it halts the run once it has started again
// └── when a site that acted on another frozen set is killed at `halt-node`, it still refuses to go on, and the others close the round

/** Kills one after another, each of who started again: all of them, or the last. */
const some = (strikes: readonly Strike[]): readonly Strike[] => (howMuch === 'all' ? strikes : strikes.slice(-1))
const NO_QUORUM_LIMIT = 7
/** Nobody waits so long: each test's site comes back, or says that it does not. */
const PATIENT_LIMIT = 90
/** Two starts of a node fit into it, on a machine that does much else too; a standby publishes after a third of it. */
const PUBLISHING_LIMIT = 120

describe('kills at the rows that few rounds have', { skip: leftOut('drawn', 'kills at rows that every round has are played') }, () => {
  const patient = exactStudy({ sites: 4, limit: PATIENT_LIMIT })
  const hasty = exactStudy({ sites: 4, limit: NO_QUORUM_LIMIT, later: PUBLISHING_LIMIT })
  let hospitals: RoughHospitals
  let id: StudyId
  let hastyId: StudyId

  before(async () => {
    console.log(`kills at rare rows: ${howMuch === 'all' ? 14 : 9} of 14 (${more})`)
    hospitals = await makeRoughHospitals(patient.sites, patient.cohort.label.name)
    await hospitals.startAll()
    id = await hospitals.publish(patient.protocol)
    hastyId = await hospitals.publish(hasty.protocol)
  })
  after(() => hospitals?.stop())

  /** Kills one site at these rows in turn, starting it again after each. */
  async function strikeInTurn(strikes: readonly Strike[], between: (site: number) => Promise<void> = async () => undefined): Promise<number> {
    let site = -1
    for (const { strike, struck } of arm(hospitals.strikes, strikes)) {
      site = (await untilStruck(hospitals, struck, `${strike.role} at ${strike.row}`)).site
      assert.equal(await hospitals.nodes[site]?.ended(), 'SIGKILL')
      await between(site)
      hospitals.start(site).catch(() => undefined)
    }
    return site
  }

  it('rest', async () => {
    await pauseSite(hospitals.folders[3] as string, false)
    try {
      const falling = strikeInTurn(some(rareKills.rest))
      await withoutThree(falling)
    } finally {
      await pauseSite(hospitals.folders[3] as string, true)
    }
  })

  it('abstain-again', async () => {
    const data = join(hospitals.dir, 'rows-3.csv')
    const whole = csvOf(patient.sites[3]?.rows as SplitTable, patient.cohort.label.name)
    await writeFile(data, `${whole}train,no,number\n`)
    try {
      await withoutThree(strikeInTurn([rareKills.unsaid, ...some(rareKills.abstainAgain)]))
    } finally {
      await writeFile(data, whole)
    }
  })

  /** A run whose first round closes without site 3, which says why while it is killed again and again. */
  async function withoutThree(falling: Promise<number>): Promise<void> {
    const run = await hospitals.openRun(id)
    assert.equal(await falling, 3)
    const [first] = await hospitals.untilStories(run, ([story]) => story?.state === 'closed', 'round 1 closes')
    assert.deepEqual(first?.included, [0, 1, 2])
    assert.deepEqual(
      first?.abstained.map(({ site }) => site),
      [3],
    )
    await hospitals.untilOver(run)
  }

  it('ready', async () => {
    for (const site of [2, 3]) await hospitals.nodes[site]?.end('SIGKILL')
    const falling = strikeInTurn([rareKills.ready[0], ...some(rareKills.ready.slice(1))])
    const run = await hospitals.openRun(hastyId)
    await falling
    assert.equal((await hospitals.reader.run(run)).state, 'Paused')
    for (const site of [2, 3]) await hospitals.start(site)
    assert.deepEqual(await hospitals.untilOver(run), ['Finished', 'Finished', 'Finished', 'Finished'])
    const stories = await hospitals.stories(run)
    assert.equal(stories.filter(({ state }) => state === 'void').length, 3, 'nothing but the rounds that had no quorum was void')
  })

  it('halt-run', async () => {
    const data = join(hospitals.dir, 'rows-2.csv')
    const whole = csvOf(patient.sites[2]?.rows as SplitTable, patient.cohort.label.name)
    const falling = strikeInTurn(rareKills.halting, async () => {
      await writeFile(data, whole.replace(/\ntrain.*\n/, '\n'))
    })
    const run = await hospitals.openRun(id)
    assert.equal(await falling, 2)
    assert.deepEqual(await hospitals.untilOver(run), ['Halted', 'Halted', 'Halted', 'Halted'])
    await writeFile(data, whole)
  })

  it('halt-node', async () => {
    // The leader is away while its round waits for a publication, and the others do not see that its time passes.
    const [away] = arm(hospitals.strikes, [rareKills.away])
    const run = await hospitals.openRun(hastyId)
    const { round, site } = await untilStruck(hospitals, () => away?.struck() ?? null, 'the leader at publish')
    await hospitals.nodes[site]?.ended()
    const others = [0, 1, 2, 3].filter((other) => other !== site)
    for (const other of others) hospitals.chainLine(other).become('stalls')
    const journal = await openJournal(sitePaths(hospitals.folders[site] as string).journal)
    await journal.append({ kind: 'frozen', run, round: roundNo(round), included: 0b0110n as Bitmap })
    await journal.close()

    const [halt] = arm(hospitals.strikes, [rareKills.haltNode])
    hospitals.start(site).catch(() => undefined)
    assert.equal((await untilStruck(hospitals, () => halt?.struck() ?? null, 'the leader at halt-node')).site, site)
    assert.equal(await hospitals.nodes[site]?.ended(), 'SIGKILL')
    hospitals.start(site).catch(() => undefined)
    assert.notEqual(await hospitals.nodes[site]?.ended(), 0)
    assert.match(hospitals.nodes[site]?.said() ?? '', /ROTA-5504/)

    for (const other of others) hospitals.chainLine(other).become('open')
    assert.deepEqual(await hospitals.untilOver(run, others), ['Finished', 'Finished', 'Finished'])
    assert.deepEqual(
      (await hospitals.stories(run)).filter(({ state }) => state !== 'closed'),
      [],
    )
  })
})
