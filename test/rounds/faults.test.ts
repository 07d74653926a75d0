import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { drawFaults } from '#adapters/sim/draw-faults.ts'
import { CRASH_POINTS, type FaultPlan, NO_FAULTS } from '#adapters/sim/faults.ts'
import { SimRandom } from '#adapters/sim/random.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { rulesOf } from '#app/study/studies.ts'
import { has, sizeOf } from '#base/bitmap.ts'
import { siteId } from '#base/ids.ts'
import type { ChainEvent, RunView } from '#ports/chain.ts'
import { generatedStudy } from '../support/studies.ts'

// given four hospitals in an exact run
// ├── when a leader keeps its publication back, a standby publishes and the round closes
// ├── when a leader publishes a wrong sum, the others say so, and the next place's publication closes the round
// ├── when a site commits an update and serves it to nobody, it is not in the frozen set
// ├── when a site comes late, it joins the next round
// ├── when a site is asked to stop before one of its steps, it finishes that and begins no other, and the run goes on without it
// ├── when a site dies at any step, before or after it, and comes back, the run ends with the same model at all
// └── when one seed draws the faults, no round that had a quorum is lost

const study = generatedStudy({ sites: 4, rows: 60 })
const rules = await rulesOf(study.protocol)

async function play(faults: FaultPlan, seed: number | string = 1) {
  const network = await simulateNetwork({ seed, sites: study.sites, protocol: study.protocol, rules, faults })
  try {
    const run = await network.openRun()
    const view = await network.finish(run)
    return { view, events: await network.events() }
  } finally {
    network.stop()
  }
}

type Of<K extends ChainEvent['kind']> = Extract<ChainEvent, { kind: K }>
const only = <K extends ChainEvent['kind']>(events: readonly ChainEvent[], kind: K): Of<K>[] => events.filter((e): e is Of<K> => e.kind === kind)

/** What must hold after every run, whatever went wrong. */
function checkInvariants(events: readonly ChainEvent[], story: string): void {
  const frozen = new Map<number, bigint>()
  for (const e of only(events, 'Frozen')) {
    assert.ok(!frozen.has(e.round), `round ${e.round} frozen twice: ${story}`)
    frozen.set(e.round, e.included)
  }
  const closed = only(events, 'RoundClosed')
  assert.equal(new Set(closed.map((e) => e.round)).size, closed.length, `a round closed twice: ${story}`)
  for (const e of closed) {
    const attested = only(events, 'Attested').filter((a) => a.round === e.round && a.attempt === e.attempt && a.modelRoot === e.modelRoot)
    assert.ok(2 * attested.length > sizeOf((frozen.get(e.round) ?? 0n) as never), `round ${e.round} closed without a majority: ${story}`)
  }
  for (const e of only(events, 'Published').filter((p) => closed.some((c) => c.round === p.round && c.attempt === p.attempt))) {
    const same = only(events, 'Published').filter((p) => p.round === e.round && p.sumRoot !== e.sumRoot)
    for (const other of same)
      assert.ok(
        only(events, 'PublicationDiscarded').some((d) => d.round === other.round && d.attempt === other.attempt),
        `two sums stand: ${story}`,
      )
  }
  const voids = only(events, 'RoundVoid').map((e) => e.round)
  assert.ok(
    !voids.some((r) => voids.includes((r + 1) as never) && voids.includes((r + 2) as never) && voids.includes((r + 3) as never)),
    `more than three voids in a row: ${story}`,
  )
}

describe('a run in which something goes wrong', () => {
  it('goes on when a leader keeps its publication back', async () => {
    const { view, events } = await play({ ...NO_FAULTS, silent: [siteId(1)] })
    const led = only(events, 'RoundOpened').filter((e) => e.leader === siteId(1))
    assert.ok(led.length > 0)
    for (const opened of led) {
      const published = only(events, 'Published').filter((e) => e.round === opened.round)
      assert.deepEqual(
        published.map((e) => e.site),
        [siteId(2)],
        'the first standby takes over',
      )
    }
    assert.equal(view.state, 'Finished')
    assert.equal(only(events, 'RoundVoid').length, 0)
  })

  it('throws a wrong sum out, whoever published it', async () => {
    const { view, events } = await play({ ...NO_FAULTS, liars: [siteId(2)] })
    const discarded = only(events, 'PublicationDiscarded')
    assert.ok(discarded.length > 0)
    for (const e of discarded) {
      assert.equal(e.publisher, siteId(2))
      assert.ok(e.wrongSum)
      assert.ok(
        only(events, 'RoundClosed').some((closed) => closed.round === e.round),
        'and the same round closes',
      )
    }
    assert.equal(view.state, 'Finished')
  })

  it('leaves out what a site commits and serves to nobody', async () => {
    const { view, events } = await play({ ...NO_FAULTS, withholding: [siteId(3)], gossip: { ...NO_FAULTS.gossip, loss: 1 } })
    const first = only(events, 'Frozen')[0]
    assert.ok(first !== undefined && !has(first.included, siteId(3)), 'not in the frozen set')
    assert.equal(view.state, 'Finished')
  })

  it('takes a late site in from the next round on', async () => {
    const { view, events } = await play({ ...NO_FAULTS, late: [{ site: siteId(3), afterMs: 45_000 }] })
    const frozen = only(events, 'Frozen')
    assert.ok(frozen.length > 0 && !has(frozen[0]?.included as never, siteId(3)))
    assert.equal(view.state, 'Finished')
  })

  for (const [row, kind] of [
    ['contribute', 'Contributed'],
    ['publish', 'Published'],
    ['attest', 'Attested'],
  ] as const)
    it(`has a site that is asked to stop finish its step: ${row}`, async () => {
      const site = siteId(1)
      let asked = false
      let left: Promise<void> | null = null
      const beforeRow = async (at: string, view: RunView) => {
        if (asked || at !== row || view.round.round < 2) return
        asked = true
        left = network.drain(site)
      }
      const hooks = ({ id }: { readonly id: number }) => (id === site ? { beforeRow } : {})
      const network = await simulateNetwork({ seed: 1, sites: study.sites, protocol: study.protocol, rules, faults: NO_FAULTS, hooks })
      try {
        const view = await network.finish(await network.openRun())
        await left
        const acts = (await network.events()).filter(
          (e) => ['Contributed', 'Witnessed', 'Published', 'Attested'].includes(e.kind) && 'site' in e && e.site === site,
        )
        assert.equal(acts.at(-1)?.kind, kind, 'the step under way is its last')
        assert.equal(only(acts, kind).length, 2 - Number(row === 'publish'), 'and it was done')
        assert.equal(view.state, 'Finished')
      } finally {
        network.stop()
      }
    })

  for (const when of ['before', 'after'] as const)
    it(`survives a death ${when} each step`, async () => {
      for (const point of CRASH_POINTS)
        for (const nth of [1, 2]) {
          const story = `${point} ${when} ${nth}`
          const { view, events } = await play({ ...NO_FAULTS, crashes: [{ site: siteId(1), point, when, nth, backAfterMs: 2_000 }] }, story)
          assert.equal(view.state, 'Finished', story)
          checkInvariants(events, story)
        }
    })

  it('loses no round that had a quorum, whatever one seed draws', async (t) => {
    const seeds = Number(process.env.ROTA_SEEDS ?? 60)
    for (let seed = 1; seed <= seeds; seed++) {
      const faults = drawFaults(new SimRandom(`faults ${seed}`), 4)
      const story = `seed ${seed}: ${JSON.stringify(faults)}`
      const { view, events } = await play(faults, seed)
      assert.equal(view.state, 'Finished', story)
      checkInvariants(events, story)
    }
    t.diagnostic(`${seeds} seeds`)
  })
})
