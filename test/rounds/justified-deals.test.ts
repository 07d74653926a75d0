import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type FaultPlan, type Lie, NO_FAULTS } from '#adapters/sim/faults.ts'
import { EMPTY, has, sitesOf } from '#base/bitmap.ts'
import { type SiteId, siteId } from '#base/ids.ts'
import { thresholdOf } from '#core/masking/threshold.ts'
import { brokenIn } from '../../scripts/chaos/invariants/all.ts'
import { playSeed } from '../../scripts/chaos/play-seed.ts'
import { only, type RunRecord } from '../../scripts/chaos/record.ts'

// given a masked round in which some who keyed do not hold what others dealt, or say so
// ├── false complaints, by as many sites as may be missing at once, keep nobody out and void no round
// ├── a dealer that chooses its holders is in where it shows the shares of the others, and out where it shows none or false ones; no round waits for it
// ├── so do both together
// ├── so do more than ten sites, whose parcels lie apart
// └── who dies before it justified itself, or after, loses no round and comes back by itself
const SIZES = [5, 7, 10]

async function played(sites: number, plan: Partial<FaultPlan>): Promise<RunRecord> {
  const record = await playSeed(3, sites, { mode: 'masked', kind: 'weights', slices: 1, audited: true, plan: { ...NO_FAULTS, ...plan } })
  assert.deepEqual(brokenIn(record), [])
  assert.equal(record.view?.state, 'Finished')
  assert.deepEqual(record.audit?.faults, [])
  assert.ok(record.audit?.ok)
  return record
}

const liarsOf = (sites: number): SiteId[] => Array.from({ length: sites - thresholdOf(sites) }, (_, i) => siteId(i))
const telling = (liars: readonly SiteId[], ...lies: readonly Lie[]): FaultPlan['lies'] => liars.flatMap((site) => lies.map((lie) => ({ site, lie })))

/** Every round closes, and every honest site is in it. */
function nobodyElseIsOut(record: RunRecord, sites: number, liars: readonly SiteId[]): void {
  assert.deepEqual([only(record.events, 'RoundVoid'), only(record.events, 'RoundRefused'), only(record.events, 'PublicationDiscarded')], [[], [], []])
  const honest = Array.from({ length: sites }, (_, i) => siteId(i)).filter((site) => !liars.includes(site))
  const sets = only(record.events, 'Frozen')
  assert.ok(sets.length > 0)
  for (const { included, round } of sets)
    for (const site of honest) assert.ok(has(included, site), `site ${site} is not in round ${round}: ${sitesOf(included).join()}`)
}

const shownIn = (record: RunRecord): SiteId[] => only(record.events, 'Justified').flatMap(({ site, justification }) => (justification === '0x' ? [] : [site]))

describe('a masked round with other deals than all hold', () => {
  for (const sites of SIZES) {
    const liars = liarsOf(sites)
    const some = `${liars.length} of ${sites}`

    it(`keeps nobody out for false complaints of ${some}`, async () => {
      const record = await played(sites, { lies: telling(liars, 'leaves-out') })
      nobodyElseIsOut(record, sites, liars)
      // A dealer is asked for nothing that it did not deal: the others show the shares of who complained.
      assert.ok(shownIn(record).length > 0)
    })

    for (const [lies, isIn] of [
      [['chosen-holders'], true],
      [['chosen-holders', 'false-justification'], false],
    ] as const)
      it(`has ${some} that choose their holders ${isIn ? 'show the shares of all others' : 'out, who show none of the others'}`, async () => {
        const record = await played(sites, { lies: telling(liars, ...lies) })
        nobodyElseIsOut(record, sites, liars)
        const sets = only(record.events, 'Frozen')
        for (const { included } of sets) for (const site of liars) assert.equal(has(included, site), isIn, `site ${site} of ${sitesOf(included).join()}`)
      })
  }

  it('keeps nobody out for a complaint about all among twelve', async () => {
    const record = await played(12, { lies: telling([siteId(0)], 'false-complaints') })
    nobodyElseIsOut(record, 12, [siteId(0)])
    assert.deepEqual(new Set(shownIn(record)), new Set(Array.from({ length: 11 }, (_, i) => siteId(i + 1))))
  })

  it('keeps nobody out where some complain falsely and others choose their holders', async () => {
    const [first, ...rest] = liarsOf(10)
    const record = await played(10, { lies: [...telling([first as SiteId], 'leaves-out', 'withheld-shares'), ...telling(rest, 'chosen-holders')] })
    nobodyElseIsOut(record, 10, liarsOf(10))
  })

  for (const [point, when, backAfterMs] of [
    ['chain.justify', 'before', 1_000],
    ['chain.justify', 'after', 30_000],
    ['journal.justified', 'torn', 30_000],
    ['journal.justified', 'after', 1_000],
  ] as const)
    it(`goes on where a dealer dies ${when} ${point}, and is back after ${backAfterMs / 1_000} s`, async () => {
      const crash = { site: siteId(3), point, when, nth: 1, backAfterMs }
      const record = await played(7, { lies: telling([siteId(0)], 'leaves-out'), crashes: [crash] })
      assert.ok(
        record.casualties.some(({ site }) => site === 3),
        'it never got there',
      )
      assert.deepEqual(only(record.events, 'RoundVoid'), [])
      assert.ok(has(only(record.events, 'Frozen').at(-1)?.included ?? EMPTY, siteId(3)))
    })
})
