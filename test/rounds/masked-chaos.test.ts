import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { describe, it, type TestContext } from 'node:test'
import { HIDDEN_LIES, type Lie, MASKING_LIES, NO_FAULTS } from '#adapters/sim/faults.ts'
import { bitmapOf } from '#base/bitmap.ts'
import { siteId } from '#base/ids.ts'
import { brokenIn } from '../../scripts/chaos/invariants/all.ts'
import { replayCommand } from '../../scripts/chaos/options.ts'
import { playSeed } from '../../scripts/chaos/play-seed.ts'
import { playSeeds } from '../../scripts/chaos/pool.ts'
import { only } from '../../scripts/chaos/record.ts'
import { addUp } from '../../scripts/chaos/report.ts'

// given worlds of masked studies in which everything goes wrong at once, drawn from a seed each
// └── when some of them are played (ROTA_MASKED_SEEDS=N for more), no invariant is broken; of three hundred each lie about masks has struck, of fewer it is told which
// given the same of studies in groups
// └── when one of them is played (ROTA_GROUPS_SEEDS=N for more), no invariant is broken: groups are fixed, hide enough, and an auditor finds the median of their means;
//     of sixty what hides behind a mask has struck
// given a masked round whose sum is published
// ├── when its network falls into halves, the run pauses once publications are spent, and goes on with the same set when the halves are one again
// └── when all sites are down, the same
// given a masked round of eight, of which six can unmask the sum
// └── when three lose their folders after they keyed, too few can answer: the run waits, is right to, and would not be had one lost that before;
//     they do not say that they are ready, so that no publication is made in vain
// given a liar that spoils each fresh round, and a site that missed the first of them, so that it has no place in what repeats it
// └── it says in time that it is there for the next fresh one, though its abstention is the last word that the others wait for

const SEEDS = Number(process.env.ROTA_MASKED_SEEDS ?? 3)
const GROUPS_SEEDS = Number(process.env.ROTA_GROUPS_SEEDS ?? 1)
const TIMEOUT_MS = 840_000

interface Seeds {
  readonly seeds: readonly number[]
  readonly sites: number
  readonly mode: 'masked' | 'groups'
  /** Rounds that close in each seed at least. */
  readonly least: number
  /** What strikes in so many seeds. */
  readonly lies: readonly Lie[]
  readonly strikeIn: number
}

async function holds(t: TestContext, { seeds, sites, mode, least, lies, strikeIn }: Seeds): Promise<void> {
  const threads = Math.min(seeds.length, Number(process.env.ROTA_THREADS ?? 2), availableParallelism())
  const reports = await playSeeds({ seeds, sites, mode, threads })
  const { failing, faults, roundsClosed, roundsOpened } = addUp(reports)
  t.diagnostic(`${seeds.length} seeds (ROTA_${mode.toUpperCase()}_SEEDS for more), ${roundsOpened} rounds opened, ${roundsClosed} closed`)
  const idle = lies.filter((lie) => (faults[lie]?.struck ?? 0) === 0)
  if (idle.length > 0) t.diagnostic(`in none of them: ${idle.join(', ')}`)
  const broken = reports.flatMap((report) => report.broken.map(({ invariant, what }) => `seed ${report.seed} breaks ${invariant}: ${what}`))
  const again = failing.map((seed) => replayCommand(seed, { mode, sites, study: undefined }))
  assert.deepEqual(failing, [], [...broken, ...again].join('\n'))
  assert.ok(roundsClosed >= least * seeds.length, 'runs were played, not skipped')
  if (seeds.length >= strikeIn) assert.deepEqual(idle, [], 'a lie that never strikes tests nothing')
}

const from = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => i + first)

describe('chaos of masked rounds', () => {
  it('unmasks no second set, shows no share too early, and loses no round', { timeout: TIMEOUT_MS }, (t) =>
    holds(t, { seeds: from(4, SEEDS), sites: 6, mode: 'masked', least: 4, lies: MASKING_LIES, strikeIn: 300 }),
  )
})

describe('a site without a place in a repeated round', () => {
  it('is in the next fresh one', async () => {
    const record = await playSeed(8137, undefined, { mode: 'masked' })
    assert.ok(only(record.events, 'RoundRefused').length > 2, 'a liar spoils rounds')
    assert.deepEqual(brokenIn(record), [])
  })
})

describe('chaos of rounds in groups', () => {
  it('shows no group that is too small, and no other sum of its sites', { timeout: TIMEOUT_MS }, (t) =>
    holds(t, { seeds: from(1, GROUPS_SEEDS), sites: 16, mode: 'groups', least: 4, lies: HIDDEN_LIES, strikeIn: 60 }),
  )
})

describe('a masked network without enough sites', () => {
  const sites = [0, 1, 2, 3, 4, 5].map(siteId)
  for (const { what, how, group } of [
    { what: 'that falls into halves', how: 'cut', group: sites.slice(3) },
    { what: 'that is down', how: 'down', group: sites },
  ] as const)
    it(`${what} loses nothing, and goes on`, { timeout: TIMEOUT_MS }, async () => {
      const outage = { at: { round: 2, phase: 'Attesting', afterMs: 0 }, kind: 'outage', group, how, lastsMs: 150_000 } as const
      const record = await playSeed(1, sites.length, { mode: 'masked', kind: 'weights', slices: 1, plan: { ...NO_FAULTS, disturbances: [outage] } })
      assert.deepEqual(brokenIn(record), [])
      assert.equal(record.view?.state, 'Finished')
      const sets = only(record.events, 'Frozen').filter(({ round }) => round === 2)
      assert.equal(sets.length, 1)
      assert.ok(
        only(record.events, 'RoundClosed').some(({ round }) => round === 2),
        'it closed after all',
      )
      assert.deepEqual(only(record.events, 'RoundVoid'), [])
      const pauses = only(record.events, 'RunStateChanged').filter(({ state }) => state === 'Paused')
      if (how === 'cut')
        assert.deepEqual(
          pauses.map(({ reason }) => reason),
          [2],
          'those who were there had published it as often as they may',
        )
    })
})

describe('a masked run that goes on no more', () => {
  it('is right to where more lost their shares of its set than masks bear, and not where one lost what it drew anew', { timeout: TIMEOUT_MS }, async () => {
    const at = { round: 2, phase: 'Witnessing', afterMs: 0 } as const
    const disturbances = [3, 4, 5].map((site) => ({ at, kind: 'restore', who: siteId(site), backAfterMs: 0 }) as const)
    const record = await playSeed(1, 8, { mode: 'masked', kind: 'weights', slices: 1, plan: { ...NO_FAULTS, disturbances } })
    const [frozen] = only(record.events, 'Frozen').filter(({ round }) => round === 2)
    assert.deepEqual([record.view?.state, frozen?.included], ['Paused', bitmapOf([0, 1, 2, 3, 4, 5, 6, 7].map(siteId))])
    assert.deepEqual(brokenIn(record), [])
    const paused = only(record.events, 'RunStateChanged').map(({ reason }) => reason)
    const ready = only(record.events, 'SiteReady').filter((e) => e.block > (record.view?.round.since.block ?? 0))
    assert.deepEqual([paused, bitmapOf(ready.map(({ site }) => site))], [[2], bitmapOf([0, 1, 2, 6, 7].map(siteId))])

    const { atMs: keyedMs } = record.said.find(({ event }) => event.kind === 'Keyed' && event.round === 2 && event.site === 3) ?? assert.fail()
    const casualties = record.casualties.map((each) =>
      each.site === 3 && each.why.startsWith('restored') ? { ...each, fromMs: keyedMs - 2, toMs: keyedMs - 1 } : each,
    )
    const broken = brokenIn({ ...record, casualties }).map(({ invariant }) => invariant)
    assert.deepEqual(broken, ['noRoundLost'], 'what it had lost by then it drew anew')
  })
})
