import assert from 'node:assert/strict'
import process from 'node:process'
import { before, describe, it } from 'node:test'
import { loadBackend } from '#adapters/training/load-backend.ts'
import { fitPrivate } from '#adapters/training/private/fit-private.ts'
import { privateModel } from '#adapters/training/private/private-model.ts'
import type { Tfl } from '#adapters/training/private/tfl.ts'
import type { Tf } from '#adapters/training/tf.ts'
import type { TrainNeural } from '#core/learner/learner.ts'
import { oneRowEach } from '#core/learner/private/units.ts'
import type { NeuralSpec } from '#core/protocol/protocol.ts'
import { plainTrainer } from '../unit/core/plain-trainer.ts'
import { audited, rowOf, seededBytes } from './support/audited.ts'

/*
  rota audit privacy, on a network that learns by heart
  ├── given noise: whom it was trained on is shown without it, and is not with it
  ├── given noise or masks: no row is rebuilt from what leaves a hospital
  └── (slow, ROTA_SLOW_ATTACKS=1) two patients out of one vector, by optimisation; canaries
*/
const dense = (units: number, activation: 'tanh' | 'sigmoid') => ({ className: 'Dense' as const, config: { units, activation, useBias: true } })
const LEARNER: NeuralSpec = {
  ...{ kind: 'neural', algorithm: 'fedavg', layers: [dense(8, 'tanh'), dense(1, 'sigmoid')], loss: 'binaryCrossentropy' },
  ...{ rounds: 1, localEpochs: 40, batchSize: 8, learningRate: 0.3, standardise: 'pooled', normBound: 40, fractionBits: 16, seed: 'by heart' },
} as const
const PRIVACY = { epsilon: 1, delta: 1e-4, samplingRate: 0.25, expectedBatch: 10, steps: 10, minPatients: 20 }
const SLOW = process.env['ROTA_SLOW_ATTACKS'] === '1'

let tf: Tf
let tfl: Tfl
const random = seededBytes(9)

/** Private tasks by the real training, with noise that is the same each time; plain ones by the book. */
const train: TrainNeural = async (task, signal) => {
  const { privacy, layers, inputs, weights, features, labels, loss, learningRate } = task
  if (privacy === undefined) return plainTrainer(task, signal)
  const model = privateModel(tf, tfl, layers, [inputs], weights)
  try {
    const rows = { features, labels, patients: oneRowEach(labels.length) }
    return await fitPrivate(tf, model, rows, { ...privacy, loss, learningRate }, { random, pause: () => undefined })
  } finally {
    model.dispose()
  }
}

describe('a network', () => {
  before(async () => {
    tf = (await loadBackend('cpu', null)).tf
    tfl = await import('@tensorflow/tfjs-layers')
  })

  it('under noise knows nobody by heart that it knows without', async (t) => {
    const evidence = await audited({ learner: LEARNER, privacy: PRIVACY, rows: 130, models: 32, train, attacks: ['inversion', 'loss', 'likelihood'] })
    t.diagnostic(evidence.found.map((row) => `${row.attack}, ${row.evidenced}`).join('\n'))
    assert.equal(rowOf(evidence, 'inversion').verdict, 'under its ceiling')
    assert.equal(rowOf(evidence, 'loss').verdict, 'under its ceiling')
    assert.equal(rowOf(evidence, 'likelihood', 'area').verdict, 'under its ceiling')
    assert.ok(rowOf(evidence, 'likelihood', 'area').unprotected.low > 0.6)
    const found = rowOf(evidence, 'likelihood', 'members found')
    // What the promise allows, 2.7 %, is near to guessing: far more is found without noise, and no more with it.
    const ceiling = found.ceiling ?? 0
    assert.ok(found.unprotected.low > 2 * ceiling && (found.protected?.value ?? 1) < ceiling && found.verdict !== 'over its ceiling', found.evidenced)
  })

  it('under masks sends nothing of a patient', async () => {
    const evidence = await audited({ learner: LEARNER, mode: 'masked', rows: 130, train, attacks: ['inversion', 'differencing'] })
    assert.equal(rowOf(evidence, 'inversion').verdict, 'under its ceiling')
    assert.ok(rowOf(evidence, 'inversion').unprotected.low > 0.99)
    assert.equal(evidence.notTried[0]?.attack, 'differencing')
  })

  it('gives two patients of one vector away, by optimisation, and not under noise; nor canaries', {
    skip: SLOW ? false : 'slow: ROTA_SLOW_ATTACKS=1 runs it',
  }, async (t) => {
    const learner = { ...LEARNER, localEpochs: 2, rounds: 2 }
    const evidence = await audited({ learner, privacy: { ...PRIVACY, epsilon: 2 }, rows: 130, trials: 400, train, attacks: ['matching', 'canary'] })
    t.diagnostic(evidence.found.map((row) => `${row.attack}, ${row.evidenced}`).join('\n'))
    assert.equal(rowOf(evidence, 'matching').verdict, 'under its ceiling')
    assert.ok(rowOf(evidence, 'matching').unprotected.low > 0.7)
    assert.ok((rowOf(evidence, 'canary').protected?.value ?? 9) <= 2)
  })
})
