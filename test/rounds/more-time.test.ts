import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SimChainOptions } from '#adapters/sim/chain/chain.ts'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { participationOf, type SitePart } from '#audit/participation.ts'
import { absenceLines } from '#audit/participation-text.ts'
import { sizeOf } from '#base/bitmap.ts'
import type { SiteId } from '#base/ids.ts'
import type { NeuralSpec } from '#core/protocol/protocol.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { Trainer } from '#ports/trainer.ts'
import type { Progress } from '#round/progress.ts'
import { generatedStudy } from '../support/studies.ts'

// given four hospitals that train a network, and 30 s to contribute
// ├── when all are done in time, nobody asks for more
// ├── so where the chain makes a block only when somebody calls: the calls of those who wait use up no limit before its time
// ├── when one needs 38 s, it asks once a round after 20 s, and is in every round
// ├── when two need 38 s, one of them asks, and both are in
// ├── when one needs longer than both limits together, it gets no third one, and does not ask in the round after
// └── when no round can do without one that needs longer than both, what it trains outlives void rounds, and nobody trains twice

type Of<K extends ChainEvent['kind']> = Extract<ChainEvent, { kind: K }>
const only = <K extends ChainEvent['kind']>(events: readonly ChainEvent[], kind: K): Of<K>[] => events.filter((e): e is Of<K> => e.kind === kind)

const LIMIT_S = 30
const network: NeuralSpec = {
  kind: 'neural',
  algorithm: 'fedavg',
  layers: [{ className: 'Dense', config: { units: 1, activation: 'sigmoid', useBias: true } }],
  loss: 'binaryCrossentropy',
  rounds: 4,
  localEpochs: 1,
  batchSize: 32,
  learningRate: 0.1,
  seed: 'more time',
  normBound: 10,
  fractionBits: 20,
  standardise: 'none',
}
const shrinking: Trainer = { backend: 'none', train: async (task) => task.weights.map((w) => 0.99 * w), stop: async () => undefined }
const study = generatedStudy({ sites: 4, rows: 40, learner: network })

async function play(trainS: Readonly<Record<number, number>>, { protocol, sites } = study, chain: SimChainOptions = {}) {
  const asked: { readonly site: SiteId; readonly round: number }[] = []
  let trained = 0
  const sim = await simulateNetwork({
    ...{ seed: 1, sites, protocol, rules: await rulesOf(protocol), trainer: shrinking, chain },
    trainMs(site) {
      trained++
      return 1000 * (trainS[site] ?? 1)
    },
    tell: ({ id }, progress: Progress) => {
      if (progress.kind === 'asked-for-time') asked.push({ site: id, round: progress.round })
    },
  })
  try {
    const run = await sim.openRun()
    const view = await sim.finish(run)
    const events = await sim.events()
    const part = participationOf(events, run)
    return {
      view,
      events,
      asked,
      trained,
      part: (site: number) => part.sites.find((s) => s.site === site) as SitePart,
      lines: absenceLines(part, (s) => `H${s}`),
    }
  } finally {
    sim.stop()
  }
}

const extensions = (events: readonly ChainEvent[]) => only(events, 'ContributingExtended').map(({ round, site }) => ({ round, site }))

describe('a site that needs more time', () => {
  it('does not ask when it is done in time', async () => {
    const { view, events, asked, lines } = await play({ 2: 10 })
    assert.equal(view.state, 'Finished')
    assert.deepEqual([extensions(events), asked, lines], [[], [], []])
  })

  it('has it on a chain that makes a block only when somebody calls', async () => {
    const { view, events, asked, lines } = await play({ 2: 15 }, study, { blockSeconds: null })
    assert.equal(view.state, 'Finished')
    assert.deepEqual([extensions(events), asked, lines], [[], [], []])
    assert.ok(only(events, 'Frozen').every(({ included }) => sizeOf(included) === 4))
  })

  it('asks once a round, after two thirds of the limit, and is in', async () => {
    const { view, events, asked, part, lines } = await play({ 2: 38 })
    assert.equal(view.state, 'Finished')
    assert.ok(asked.length >= 4, 'in each round of training')
    assert.deepEqual(extensions(events), asked, 'no second call, and none that failed')
    assert.equal(new Set(asked.map(({ round }) => round)).size, asked.length)
    assert.ok(asked.every(({ site }) => site === 2))
    for (const e of only(events, 'ContributingExtended')) {
      const opened = only(events, 'RoundOpened').find(({ round }) => round === e.round)
      const after = e.timestamp - (opened?.timestamp ?? 0)
      assert.ok(after >= (2 * LIMIT_S) / 3 && after < LIMIT_S, `after ${after} s`)
    }
    assert.ok(only(events, 'Frozen').every(({ included }) => sizeOf(included) === 4))
    assert.deepEqual([part(2).missingRounds, part(2).askedForTime.length], [0, asked.length])
    assert.match(lines.join('\n'), new RegExp(`^H2 asked for more time in ${asked.length} rounds \\(rounds [\\d, to]+\\)$`))
  })

  it('asks only when no other has', async () => {
    const { view, events, part } = await play({ 1: 38, 2: 38 })
    assert.equal(view.state, 'Finished')
    const rounds = extensions(events).map(({ round }) => round)
    assert.equal(new Set(rounds).size, rounds.length)
    assert.ok(rounds.length >= 4)
    assert.deepEqual([part(1).missingRounds, part(2).missingRounds], [0, 0])
  })

  it('gets no third limit, and does not ask in the round after', async () => {
    const { view, events, part } = await play({ 2: 2.5 * LIMIT_S })
    assert.equal(view.state, 'Finished')
    const rounds = extensions(events).map(({ round }) => round)
    assert.ok(rounds.length > 0 && rounds.every((round) => !rounds.includes((round + 1) as never)), `asked in rounds ${rounds}`)
    for (const number of rounds) {
      const opened = only(events, 'RoundOpened').find(({ round }) => round === number)
      const ended = only(events, 'PhaseBegan').find(({ round, phase }) => round === number && phase === 'Witnessing')
      const lasted = (ended?.timestamp ?? Number.POSITIVE_INFINITY) - (opened?.timestamp ?? 0)
      assert.ok(lasted > LIMIT_S && lasted <= 2 * LIMIT_S, `lasted ${lasted} s`)
    }
    assert.ok(part(2).missingRounds > rounds.length)
  })

  it('goes on training in the rounds that come to nothing without it', async () => {
    const needed = generatedStudy({ sites: 4, rows: 40, learner: network, change: { minSites: 4, quorum: 4 } })
    const { view, events, trained } = await play({ 2: 2.5 * LIMIT_S }, needed)
    assert.equal(view.state, 'Finished')
    assert.ok(only(events, 'RoundVoid').length > 0, 'it was too late for some')
    assert.equal(only(events, 'RoundClosed').length, network.rounds + 2)
    assert.equal(trained, 4 * network.rounds, 'each site, once for each model')
  })
})
