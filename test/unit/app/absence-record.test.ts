import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { NO_FAULTS } from '#adapters/sim/faults.ts'
import { absenceRecord } from '#app/audit/absence-record.ts'
import { recentRounds } from '#app/node/recent-rounds.ts'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { participationOf } from '#audit/participation.ts'
import { roundAbsences } from '#audit/participation-text.ts'
import { type RunId, siteId } from '#base/ids.ts'
import type { LearnerSpec } from '#core/protocol/protocol.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { generatedStudy } from '../../support/studies.ts'

/*
  who is missing, told round by round
  given the log of a run of fifty rounds that one site was away from for twenty, one joined late, and one left for good long before its end
  ├── looked at after every few events, each round's line is what the whole log up to there says
  ├── so it is when some looks are left out
  └── the whole log is read once
*/
const AVERAGING: LearnerSpec = {
  kind: 'logistic',
  algorithm: 'fedavg',
  rounds: 48,
  localSteps: 1,
  learningRate: 0.3,
  l2: 0.01,
  standardise: 'pooled',
}
const name = (site: number): string => `site ${site}`

describe('who is missing, told round by round', () => {
  let log: readonly ChainEvent[] = []
  let run: RunId

  before(async () => {
    const { protocol, sites } = generatedStudy({ sites: 5, rows: 40, learner: AVERAGING })
    const faults = { ...NO_FAULTS, late: [{ site: siteId(3), afterMs: 15_000 }] }
    const net = await simulateNetwork({ seed: 3, sites, protocol, rules: await rulesOf(protocol), faults })
    run = await net.openRun()
    const round = async () => (await net.world.node(net.world.site(0)).run(run)).round.round
    const until = async (least: number) => {
      while ((await round()) < least) await net.world.within(net.world.time.sleep(100), 600_000)
    }
    await until(12)
    await net.world.within(net.world.steward(net.world.site(4)).membership().resign(siteId(4)), 600_000)
    await until(20)
    net.world.crash(net.world.site(2))
    await until(40)
    net.world.restart(net.world.site(2))
    await net.finish(run)
    log = await net.events()
    net.stop()
  })

  /** Tells the rounds that end between looks, each after so many more events. */
  async function lines(steps: (i: number) => number): Promise<{ readonly told: number; readonly wholeReads: number }> {
    let end = 0
    let wholeReads = 0
    const chain = {
      async events(from: number, filter?: { run?: number; kinds?: readonly string[] }) {
        return log.slice(0, end).filter((e) => e.block >= from && (filter?.kinds === undefined || filter.kinds.includes(e.kind)))
      },
    }
    const recent = recentRounds(chain)
    const record = absenceRecord({
      events: (from) => {
        wholeReads++
        return chain.events(from)
      },
    })
    const told = new Set<number>()
    let missing = 0
    for (let i = 0; end < log.length; i++) {
      end = Math.min(log.length, end + steps(i))
      await recent.changed()
      const known = await record.of(run, await recent.of(run))
      recent.settle(run)
      const whole = participationOf(log.slice(0, end), run)
      for (const { round, state } of known.rounds) {
        if (state === 'open') continue
        assert.deepEqual(roundAbsences(known, round, name), roundAbsences(whole, round, name), `round ${round} after ${end} events`)
        told.add(round)
        missing += roundAbsences(known, round, name).length
      }
    }
    assert.ok(missing > 50, `${missing} times somebody was away`)
    const last = participationOf(log, run).rounds.at(-1)
    assert.equal(last?.fates.find(({ site }) => site === 4)?.fate, 'left')
    return { told: told.size, wholeReads }
  }

  it('says what the whole log says, and reads it once', async () => {
    const { told, wholeReads } = await lines(() => 7)
    assert.ok(told >= 50, `${told} rounds`)
    assert.equal(wholeReads, 1)
  })

  it('says so where looks are far between', async () => {
    assert.ok((await lines((i) => (i % 3 === 0 ? 400 : 40))).told >= 50)
  })
})
