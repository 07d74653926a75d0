import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { SimAccount } from '#adapters/sim/chain/account.ts'
import { NO_FAULTS } from '#adapters/sim/faults.ts'
import { addressOf } from '#adapters/sim/hash.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { rulesOf } from '#app/study/studies.ts'
import { bitmapOf, has } from '#base/bitmap.ts'
import { type SiteId, siteId } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { Trainer } from '#ports/trainer.ts'
import { generatedStudy, largeNetwork } from '../support/studies.ts'

// given custodians who claim an update that nobody can fetch
// ├── when two of three do, one round is void, and the next asks all and closes without it
// ├── when they sit side by side in the rota, no two rounds in a row are void
// └── when the model is cut into slices, the same

type Of<K extends ChainEvent['kind']> = Extract<ChainEvent, { kind: K }>
const only = <K extends ChainEvent['kind']>(events: readonly ChainEvent[], kind: K): Of<K>[] => events.filter((e): e is Of<K> => e.kind === kind)

const shrinking: Trainer = { backend: 'none', train: async (task) => task.weights.map((w) => 0.99 * w), stop: async () => undefined }

/** These sites say on chain that they hold all that was contributed. */
function claimEverything(t: TestContext, liars: readonly SiteId[]): void {
  const { witness, run: viewOf } = SimAccount.prototype
  const addresses = liars.map((site) => addressOf('node', site))
  t.mock.method(SimAccount.prototype, 'witness', async function (this: SimAccount, ...[run, round, slice, held]: Parameters<typeof witness>) {
    const claimed = addresses.includes(this.account) ? (await viewOf.call(this, run)).round.contributed : held
    return witness.call(this, run, round, slice, claimed)
  })
}

/** The first of them withholds its update; none of them publishes, so that nobody who could add it up does. */
async function play(t: TestContext, study: ReturnType<typeof generatedStudy>, liars: readonly SiteId[]) {
  claimEverything(t, liars)
  const [withholder] = liars as [SiteId]
  const lies = [{ site: withholder, lie: 'withheld-vector' } as const, ...liars.map((site) => ({ site, lie: 'withheld-publication' }) as const)]
  const faults = { ...NO_FAULTS, lies }
  const network = await simulateNetwork({
    seed: 1,
    sites: study.sites,
    protocol: study.protocol,
    rules: await rulesOf(study.protocol),
    trainer: shrinking,
    faults,
  })
  try {
    const view = await network.finish(await network.openRun())
    return { view, events: await network.events(), withholder }
  } finally {
    network.stop()
  }
}

/** Rounds that were frozen with the update in it, and came to nothing. */
function checkClaims({ view, events, withholder }: Awaited<ReturnType<typeof play>>): number[] {
  assert.equal(view.state, 'Finished')
  const voids = only(events, 'RoundVoid')
  const frozen = new Map(only(events, 'Frozen').map((e) => [e.round, e.included]))
  const closed = new Set(only(events, 'RoundClosed').map((e) => e.round))
  assert.ok(voids.length > 0, 'their claim was in')
  for (const { round, phase } of voids) {
    assert.equal(phase, 'Publishing')
    assert.ok(has(frozen.get(round) ?? bitmapOf([]), withholder), `round ${round} was void for another reason`)
    const next = [...closed].find((other) => other === round + 1)
    assert.ok(next !== undefined, `the round after ${round} did not close`)
    assert.ok(!has(frozen.get(next) ?? bitmapOf([]), withholder), 'what only liars claim is out')
  }
  return voids.map(({ round }) => round)
}

describe('custodians who claim an update that nobody can fetch', { timeout: 120_000 }, () => {
  it('void one round, and the next asks all and closes', async (t) => {
    const outcome = await play(t, generatedStudy({ sites: 5, rows: 60 }), [siteId(1), siteId(0)])
    assert.equal(checkClaims(outcome)[0], 1)
  })

  it('void no two rounds in a row, however they sit', async (t) => {
    checkClaims(await play(t, generatedStudy({ sites: 9, rows: 40 }), [1, 0, 3, 4].map(siteId)))
  })

  it('void no two rounds in a row where the model is cut into slices', async (t) => {
    const study = generatedStudy({ sites: 5, rows: 40, learner: largeNetwork(3), change: { slices: 2, minSites: 5 } })
    checkClaims(await play(t, study, [siteId(1), siteId(2)]))
  })
})
