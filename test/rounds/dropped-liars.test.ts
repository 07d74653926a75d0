import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type FaultPlan, type Lie, NO_FAULTS } from '#adapters/sim/faults.ts'
import { has, sitesOf } from '#base/bitmap.ts'
import { siteId } from '#base/ids.ts'
import { brokenIn } from '../../scripts/chaos/invariants/all.ts'
import { playSeed } from '../../scripts/chaos/play-seed.ts'
import { only, type RunRecord } from '../../scripts/chaos/record.ts'

// given a masked run of seven, of which one or two key and then drop out, so that the masks that others share with them stand in their sum
// ├── where it gave those above it other secrets than its seed makes, nobody takes noise for the sum: it is refused, all others repeat it, and the site is out of the run
// ├── so where it hid what those below it gave under another pad than its seed makes, whether or not these show their shares
// └── where it dealt otherwise to some they share no mask with it, and nobody else is kept out
const SITES = 7

function played(lies: FaultPlan['lies'], sites = SITES): Promise<RunRecord> {
  return playSeed(1, sites, { mode: 'masked', kind: 'weights', slices: 1, audited: true, plan: { ...NO_FAULTS, lies } })
}

const telling = (site: number, ...lies: readonly Lie[]): FaultPlan['lies'] => lies.map((lie) => ({ site: siteId(site), lie }))

function isMended(record: RunRecord): void {
  assert.deepEqual(brokenIn(record), [])
  assert.equal(record.view?.state, 'Finished')
  assert.deepEqual(record.audit?.faults, [])
  assert.ok(record.audit?.ok)
}

const setsOf = (record: RunRecord): Map<number, readonly number[]> =>
  new Map(only(record.events, 'Frozen').map(({ round, included }) => [round, sitesOf(included)]))

/** Refused once; whoever is at fault is in no later round. */
function isOutAfter(record: RunRecord, site: number, first: readonly number[], then: readonly number[]): void {
  const [refused, ...more] = only(record.events, 'RoundRefused')
  assert.deepEqual([more, only(record.events, 'RoundVoid')], [[], []])
  const round = refused?.round ?? 0
  assert.deepEqual([setsOf(record).get(round), setsOf(record).get(round + 1)], [first, then])
  for (const keyed of only(record.events, 'Keyed')) if (keyed.round > round && keyed.site !== site) assert.ok(!has(keyed.holds, siteId(site)))
  assert.ok(record.audit?.notes.some((note) => note.includes(`site ${site} dealt shares`)))
  assert.ok(record.timeline.some(({ text }) => text === `finds the shares of site ${site} false`))
}

describe('a site that keys and drops out', () => {
  it('is out of the run where those above it have other secrets than its seed makes', async () => {
    const record = await played(telling(2, 'false-pairs'))
    isMended(record)
    isOutAfter(record, 2, [0, 1, 3, 4, 5, 6], [0, 1, 3, 4, 5, 6])
  })

  for (const silent of [[], [0]])
    it(`is out where it hid what those below it gave otherwise${silent.length > 0 ? ', also where one of these shows no shares' : ''}`, async () => {
      const record = await played([...telling(6, 'false-pairs'), ...silent.flatMap((site) => telling(site, 'withheld-shares'))])
      isMended(record)
      isOutAfter(record, 6, [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5])
    })

  it('shares no mask with those that it dealt otherwise, and they are in with all others', async () => {
    const record = await played(telling(6, 'two-deals', 'false-pairs'))
    isMended(record)
    assert.deepEqual([only(record.events, 'RoundRefused').length, only(record.events, 'RoundVoid').length], [0, 0])
    for (const set of setsOf(record).values()) assert.deepEqual(set, [0, 1, 2, 3, 4, 5])
  })
})
