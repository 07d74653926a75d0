import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_FAULTS } from '#adapters/sim/faults.ts'
import { simulateNetwork } from '#app/simulated-network.ts'
import { rulesOf } from '#app/studies.ts'
import { siteId } from '#base/ids.ts'
import type { LearnerSpec } from '#core/protocol/protocol.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { Trainer } from '#ports/trainer.ts'
import { generatedStudy } from '../support/studies.ts'

// given a network whose model is too large to be re-added by everybody
// └── when a leader publishes a wrong sum, it is thrown out, though the custodians that re-add are a minority

type Of<K extends ChainEvent['kind']> = Extract<ChainEvent, { kind: K }>
const only = <K extends ChainEvent['kind']>(events: readonly ChainEvent[], kind: K): Of<K>[] => events.filter((e): e is Of<K> => e.kind === kind)

const large: LearnerSpec = {
  kind: 'neural',
  layers: [
    { className: 'Dense', config: { units: 8_000, activation: 'relu', useBias: true } },
    { className: 'Dense', config: { units: 1, activation: 'sigmoid', useBias: true } },
  ],
  loss: 'binaryCrossentropy',
  rounds: 2,
  localEpochs: 1,
  batchSize: 32,
  learningRate: 0.1,
  seed: 'attacks',
  normBound: 10,
  fractionBits: 20,
  standardise: 'pooled',
} as LearnerSpec
const shrinking: Trainer = { backend: 'none', train: async (task) => task.weights.map((w) => 0.99 * w) } as unknown as Trainer

describe('a member that attacks', () => {
  it('cannot pass a wrong sum of a large model, whoever leads', async () => {
    const study = generatedStudy({ sites: 7, rows: 40, learner: large })
    const network = await simulateNetwork({
      seed: 1,
      sites: study.sites,
      protocol: study.protocol,
      rules: await rulesOf(study.protocol),
      trainer: shrinking,
      faults: { ...NO_FAULTS, liars: [siteId(1)] },
    })
    try {
      const view = await network.finish(await network.openRun())
      const events = await network.events()
      assert.equal(view.state, 'Finished')
      for (const p of only(events, 'Published').filter((e) => e.site === siteId(1)))
        assert.ok(
          only(events, 'PublicationDiscarded').some((d) => d.round === p.round && d.attempt === p.attempt),
          `the lie of round ${p.round} stood`,
        )
    } finally {
      network.stop()
    }
  })
})
