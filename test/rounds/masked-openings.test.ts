import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type FaultPlan, NO_FAULTS } from '#adapters/sim/faults.ts'
import type { SimPorts } from '#adapters/sim/site.ts'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { type SimulatedNetwork, simulateNetwork } from '#app/simulate/simulated-network.ts'
import { bitmapOf, has, sitesOf, sizeOf } from '#base/bitmap.ts'
import { type RunId, siteId } from '#base/ids.ts'
import type { LearnerSpec } from '#core/protocol/protocol.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { auditOf } from '../support/audit-of.ts'
import { generatedStudy } from '../support/studies.ts'

// given a masked run of seven, and a chain that goes back so that a round opens again on the same model for other members
// └── nobody masks with what was keyed for the first, be the calls that keyed lost or mined again: the run finishes, and an auditor recomputes it
const FEDAVG: LearnerSpec = { kind: 'logistic', algorithm: 'fedavg', rounds: 3, localSteps: 2, learningRate: 0.5, l2: 0.01, standardise: 'pooled' }
const SITES = 7

interface Playing {
  readonly network: SimulatedNetwork
  readonly run: RunId
  readonly ports: ReadonlyMap<number, SimPorts>
}

/** @param act on what the chain shows, every 20 ms, until it says that it is done */
async function play(t: TestContext, faults: Partial<FaultPlan>, act: (playing: Playing) => Promise<boolean>): Promise<Playing> {
  const study = generatedStudy({ sites: SITES, rows: 60, learner: FEDAVG, change: { mode: 'masked', minSites: 5, quorum: 4, maxSites: SITES } })
  const ports = new Map<number, SimPorts>()
  const network = await simulateNetwork({
    seed: 1,
    sites: study.sites,
    protocol: study.protocol,
    rules: await rulesOf(study.protocol),
    faults: { ...NO_FAULTS, ...faults },
    chain: { mayGoBack: true },
    hooks: (site) => {
      ports.set(site.id, site)
      return {}
    },
  })
  t.after(() => network.stop())
  const { world } = network
  const playing = { network, run: await network.openRun(), ports }
  for (let looks = 0, isDone = false; looks < 20_000 && ['Active', 'Paused'].includes(world.chain.run(playing.run).state); looks++) {
    await world.time.sleep(isDone ? 1_000 : 20)
    isDone ||= await act(playing)
  }
  assert.equal(world.chain.run(playing.run).state, 'Finished')
  const audit = await auditOf(network, ports.get(3) as SimPorts, study.protocol)
  assert.deepEqual([audit.faults, audit.ok], [[], true])
  return playing
}

const only = <K extends ChainEvent['kind']>(events: readonly ChainEvent[], kind: K) =>
  events.filter((event): event is Extract<ChainEvent, { kind: K }> => event.kind === kind)

describe('a round that opens again for other members', () => {
  const LATE = siteId(6)
  const never = 900_000_000

  for (const isBack of [false, true])
    it(`has no mask of the first, where the calls that keyed are ${isBack ? 'mined again' : 'lost'}`, async (t) => {
      let isReady = false
      const awaited: string[] = []
      const { network } = await play(t, { late: [{ site: LATE, afterMs: never }] }, async ({ network: { world, events }, run }) => {
        const { round } = world.chain.run(run)
        if (!isReady && round.round === 2 && round.phase === 'Attesting') {
          isReady = true
          void world.node(world.site(LATE)).ready(run)
        }
        if (round.round < 3 || round.phase !== 'Keying' || !has(round.awaited, LATE) || sizeOf(round.keyed) < 4) return false
        awaited.push(sitesOf(round.awaited).join())
        const all = await events()
        const lost = only(all, 'SiteReady').findLast(({ site }) => site === LATE)?.block ?? assert.fail('it said that it is there')
        const kinds = [...new Set(all.flatMap((e) => (e.block >= lost ? [e.block] : [])))].map((block) =>
          all.filter((e) => e.block === block).map(({ kind }) => kind),
        )
        let first = true
        world.chain.rewind(lost - 1, () => {
          const said = kinds.shift() ?? []
          const stays = !first && (isBack || !said.includes('Keyed'))
          first = false
          return stays
        })
        return true
      })
      assert.deepEqual(awaited, ['0,1,2,3,4,5,6'])
      const again = only(await network.events(), 'RoundOpened').find(({ round }) => round === 3)
      assert.equal(again?.awaited, bitmapOf([0, 1, 2, 3, 4, 5].map(siteId)), 'without the one whose call was lost')
    })
})
