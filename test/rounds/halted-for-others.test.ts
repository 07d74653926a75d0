import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { sitesOf } from '#base/bitmap.ts'
import { RotaError } from '#base/errors.ts'
import { type Digest, type SiteId, siteId } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { Progress } from '#round/progress.ts'
import { generatedStudy } from '../support/studies.ts'

// given an exact study in which patients may rest
// ├── when a patient withdraws during a run, the leader halts it whoever's patient it was; no site is missing before, nor from the next run
// ├── when the leader swallows a wish, and the standbys too, another halts some seconds later
// ├── when patients of two sites withdraw at once, one halt is for both
// ├── when a node starts again in between, its wish is not forgotten
// └── when a site wishes without a reason, members are told whose wish it is, and how often

const SITES = 5
const all = Array.from({ length: SITES }, (_, i) => i)

interface Played {
  /** By place in the rota, counted from the leader; null: nobody. */
  readonly halter: number | null
  readonly haltedBy: SiteId | null
  readonly swallowers: readonly SiteId[]
  /** From the withdrawal to the halt, in virtual time. */
  readonly tookMs: number
  /** Sites whose contribution is missing from a frozen round, or that abstained. */
  readonly seen: readonly number[]
  readonly wishes: readonly { readonly at: SiteId; readonly of: SiteId; readonly timesToday: number }[]
  /** Of this site, most that rested. */
  readonly resting: ReadonlyMap<SiteId, number>
}

interface Options {
  readonly mode?: Protocol['mode']
  /** Whose patients withdraw, in round 2. */
  readonly leaving: readonly number[]
  /** So many of the rota, from the leader on, do nothing more once they should halt. */
  readonly swallowing?: number
  readonly restarts?: boolean
  /** Whose node takes its cohort for another in each run. */
  readonly lying?: number
  readonly runs?: number
}

async function play({ mode = 'open', leaving, swallowing = 0, restarts = false, lying, runs = 2 }: Options): Promise<Played> {
  const change = { mode, minSites: SITES, quorum: 4, cohort: { rule: 'all rows', minRows: 10, maxRows: 1000, differencing: 'rest' as const } }
  const { protocol, sites } = generatedStudy({ sites: SITES, rows: 100, change })
  const wishes: { at: SiteId; of: SiteId; timesToday: number }[] = []
  const resting = new Map<SiteId, number>()
  const told = (at: SiteId, progress: Progress): void => {
    if (progress.kind === 'wish') wishes.push({ at, of: progress.site, timesToday: progress.timesToday })
    if (progress.kind === 'contributed') resting.set(at, Math.max(resting.get(at) ?? 0, progress.resting))
  }
  const placeIn = ({ rota, turn }: { rota: readonly SiteId[]; turn: number }, id: SiteId): number => (rota.indexOf(id) - turn + SITES) % SITES
  let swallow: ReadonlySet<SiteId> | null = null
  const network = await simulateNetwork({
    ...{ seed: 'halted for others', sites, protocol, rules: await rulesOf(protocol) },
    tell: ({ id }, progress) => told(id, progress),
    hooks: ({ id }) => ({
      async beforeRow(row, { round }) {
        if (row !== 'halt-run') return
        const from = round.rota.slice(round.turn)
        swallow ??= new Set([...from, ...round.rota].slice(0, swallowing).filter((site) => !leaving.includes(site)))
        if (swallow.has(id)) throw new RotaError('ROTA-4010')
      },
    }),
  })
  const { world } = network
  let [withdrawnMs, haltedMs] = [0, 0]
  const withdraw = (): void => {
    withdrawnMs = world.time.nowMs
    for (const site of leaving.map((id) => world.site(siteId(id)))) {
      site.cohort.withdrawHere(site.cohort.tags.train[7] as Digest)
      if (!restarts) continue
      world.crash(site)
      world.restart(site)
    }
  }
  world.chain.onEvent((event) => {
    if (event.kind === 'RunStateChanged' && event.state === 'Halted' && haltedMs === 0) haltedMs = world.time.nowMs
    if (event.kind === 'RoundOpened' && event.round === 2 && withdrawnMs === 0 && leaving.length > 0) world.time.after(30, withdraw)
  })
  try {
    if (lying !== undefined) world.site(siteId(lying)).cohort.consented = changing(world.site(siteId(lying)).cohort)
    const views = []
    for (let i = 0; i < runs; i++) views.push(await network.finish(await network.openRun()))
    assert.deepEqual(
      views.map(({ state }) => state),
      views.map((_, i) => (i === 0 || lying !== undefined ? 'Halted' : 'Finished')),
    )
    const events = await network.events()
    const halt = events.find((e) => e.kind === 'RunStateChanged' && e.state === 'Halted')
    const haltedBy = halt?.kind === 'RunStateChanged' ? halt.site : null
    const first = views[0]?.round
    const missing = events.flatMap((e) => (e.kind === 'Frozen' ? all.filter((id) => !sitesOf(e.included).includes(siteId(id))) : []))
    return {
      halter: haltedBy === null || first === undefined ? null : placeIn(first, haltedBy),
      haltedBy,
      swallowers: [...(swallow ?? [])],
      tookMs: haltedMs - withdrawnMs,
      seen: [...missing, ...events.flatMap((e) => (e.kind === 'Abstained' ? [e.site as number] : []))],
      wishes,
      resting,
    }
  } finally {
    network.stop()
  }
}

/** Another patient is not there each time that it is looked. */
function changing(cohort: { consented: unknown; readonly tags: { readonly train: readonly Digest[] } }) {
  const consented = (cohort.consented as (protocol: Protocol, withdrawn: ReadonlySet<Digest>) => Promise<never>).bind(cohort)
  let looks = 0
  return (protocol: Protocol, withdrawn: ReadonlySet<Digest>) => consented(protocol, new Set([...withdrawn, cohort.tags.train[looks++ % 50] as Digest]))
}

describe('an exact run in which patients may rest', () => {
  for (const mode of ['open', 'masked'] as const)
    it(`is halted by the leader whoever wishes it, and nobody is missed (${mode})`, async (t) => {
      const played = await Promise.all((mode === 'open' ? [0, 2, 4] : [1]).map((victim) => play({ mode, leaving: [victim] })))
      t.diagnostic(JSON.stringify(played.map(({ haltedBy, tookMs }) => [haltedBy, tookMs])))
      assert.equal(new Set(played.map(({ haltedBy }) => haltedBy)).size, 1, 'the same site, whoever lost a patient')
      for (const { halter, seen, tookMs, resting } of played) {
        assert.deepEqual([halter, seen], [0, []])
        assert.ok(tookMs < 4_000, `${tookMs} ms`)
        assert.equal([...resting.values()].filter((n) => n === 10).length, 1, 'ten rest at one site, nobody elsewhere')
      }
    })
})

describe('a wish to halt', () => {
  it('is only delayed by who swallows it', async (t) => {
    const played = await Promise.all([1, 2, 3].map((swallowing) => play({ leaving: [0], swallowing, runs: 1 })))
    t.diagnostic(JSON.stringify(played.map(({ haltedBy, tookMs }) => [haltedBy, tookMs])))
    for (const { tookMs, swallowers, haltedBy } of played) {
      assert.ok(tookMs < 14_000, `${tookMs} ms`)
      assert.ok(haltedBy !== null && !swallowers.includes(haltedBy))
    }
  })

  it('of two sites is heeded once', async () => {
    const { halter, seen, wishes } = await play({ leaving: [1, 3] })
    assert.deepEqual([halter, seen], [0, []])
    assert.deepEqual([...new Set(wishes.map(({ of }) => of))].sort(), [1, 3])
  })

  it('is not forgotten by a node that starts again', async () => {
    const { haltedBy } = await play({ leaving: [3], restarts: true, runs: 1 })
    assert.notEqual(haltedBy, null)
  })

  it('without a reason, again and again, is told to the members with its sender', async () => {
    const { wishes } = await play({ leaving: [], lying: 2, runs: 3 })
    assert.ok(wishes.every(({ of }) => of === siteId(2)))
    // A member that a halt overtakes does not hear of the wish.
    assert.deepEqual([...new Set(wishes.map(({ timesToday }) => timesToday))].sort(), [1, 2, 3])
    assert.ok(new Set(wishes.flatMap(({ at, timesToday }) => (timesToday > 1 ? [at] : []))).size > 2)
  })
})
