/**
 * How a canary measures a site
 * ├── each kind of learner is done as in a round, 3 to 20 times; a neural study's slower second stage counts, and its backend is named
 * ├── a long training twice, one beyond half a minute once: the second of two counts where it is slower
 * ├── too few rows and data that do not fit are said, with their code; a fault of the backend is none of the data
 * ├── an aborted measurement ends with the signal's reason
 * └── the store: bytes of the study's size go there and back, and none stay; adding has a speed
 */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { systemRandom } from '#adapters/host/system-host.ts'
import { createTrainer } from '#adapters/training/trainer.ts'
import { isMeasuredOnce } from '#app/canary/canary-limits.ts'
import { largestVector, measureAdding, measureStore, measureTraining, type TrainingParts } from '#app/canary/canary-training.ts'
import { offline } from '#app/node/offline-store.ts'
import { withScratchStore } from '#app/node/scratch-store.ts'
import { RotaError } from '#base/errors.ts'
import { ZERO_DIGEST } from '#base/ids.ts'
import type { SplitTable } from '#core/model/table.ts'
import type { LearnerSpec } from '#core/protocol/protocol.ts'
import type { ConsentedCohort } from '#ports/cohort.ts'
import { generatedStudy } from '../../support/studies.ts'

const never = new AbortController().signal
const NEURAL: LearnerSpec = {
  kind: 'neural',
  algorithm: 'fedavg',
  layers: [
    { className: 'Dense', config: { units: 8, activation: 'relu', useBias: true } },
    { className: 'Dense', config: { units: 1, activation: 'sigmoid', useBias: true } },
  ],
  loss: 'binaryCrossentropy',
  rounds: 3,
  localEpochs: 2,
  batchSize: 16,
  learningRate: 0.1,
  standardise: 'pooled',
  normBound: 10,
  fractionBits: 20,
  seed: 'canary',
}

const cohortOf = (table: SplitTable): ConsentedCohort => ({
  table,
  patients: [],
  testing: [],
  tags: [],
  rootIn: () => ZERO_DIGEST,
  without: () => cohortOf(table),
})

const partsOf = (table: SplitTable, change: Partial<TrainingParts> = {}): TrainingParts => ({
  cohort: { consented: async () => cohortOf(table), remember: async () => undefined },
  trainer: null,
  random: systemRandom,
  ...change,
})
const tableOf = (study: ReturnType<typeof generatedStudy>): SplitTable => study.sites[0]?.rows as SplitTable

describe('a canary measures', () => {
  it('learners as rounds do them', async () => {
    for (const learner of [undefined, { kind: 'statistics', bins: 20 } as const]) {
      const study = generatedStudy({ sites: 3, rows: 60, ...(learner === undefined ? {} : { learner }) })
      const found = await measureTraining(study.protocol, new Set(), partsOf(tableOf(study)), never)
      assert.ok('p95Seconds' in found && found.p95Seconds > 0 && found.p95Seconds < 5 && found.backend === '', JSON.stringify(found))
      assert.ok(found.repetitions >= 3 && found.repetitions <= 20)
    }
  })

  it('a network on its backend', async () => {
    const study = generatedStudy({ sites: 3, rows: 60, learner: NEURAL })
    const trainer = createTrainer({ backend: 'cpu' })
    try {
      const found = await measureTraining(study.protocol, new Set(), partsOf(tableOf(study), { trainer }), never)
      assert.ok('p95Seconds' in found && found.backend === 'cpu' && found.p95Seconds > 0.001, JSON.stringify(found))
      const without = await measureTraining(study.protocol, new Set(), partsOf(tableOf(study)), never)
      assert.deepEqual(without, { whyNot: 'failed', code: 'ROTA-2107' })
    } finally {
      await trainer.stop()
    }
  })

  it('a long training more than once, unless it takes more than half a minute', async () => {
    const study = generatedStudy({ sites: 3, rows: 60, learner: { kind: 'statistics', bins: 20 } })
    const table = tableOf(study)
    /** Each look at the cohort but the first, which only tells whether there are enough rows, takes the next of these times. */
    const measure = async (...seconds: number[]) => {
      let now = 0
      let looks = 0
      const consented = async () => {
        if (looks > 0) now += 1_000 * (seconds[looks - 1] ?? 0.5)
        looks++
        return cohortOf(table)
      }
      const cohort = { consented, remember: async () => undefined }
      const found = await measureTraining(study.protocol, new Set(), { ...partsOf(table), cohort, nowMs: () => now }, never)
      assert.ok('p95Seconds' in found)
      return [found.repetitions, found.p95Seconds]
    }
    assert.deepEqual(await measure(20, 25, 99), [2, 25])
    assert.deepEqual(await measure(30, 22), [2, 30])
    assert.deepEqual(await measure(31, 99), [1, 31])
    assert.deepEqual(await measure(19, 12, 24, 99), [3, 24])
    assert.deepEqual(await measure(1, 2, 3, 99), [3, 3], 'five seconds are enough of three')
    assert.deepEqual([30, 30.1, 50].map(isMeasuredOnce), [false, true, true])
  })

  it('why not', async () => {
    const study = generatedStudy({ sites: 3, rows: 60, change: { cohort: { rule: 'all', minRows: 500, maxRows: 1_000 } } })
    assert.deepEqual(await measureTraining(study.protocol, new Set(), partsOf(tableOf(study)), never), { whyNot: 'belowMinRows', code: 'ROTA-3019' })
    const failing = (code: 'ROTA-3004' | 'ROTA-2105' | 'ROTA-3050' | 'ROTA-1306') =>
      partsOf(tableOf(study), { cohort: { consented: () => Promise.reject(new RotaError(code)), remember: async () => undefined } })
    for (const [code, whyNot] of [
      ['ROTA-3004', 'dataError'],
      ['ROTA-2105', 'dataError'],
      ['ROTA-3050', 'failed'],
      ['ROTA-1306', 'failed'],
    ] as const)
      assert.deepEqual(await measureTraining(study.protocol, new Set(), failing(code), never), { whyNot, code })
    const stop = new AbortController()
    stop.abort(new Error('enough'))
    const sound = generatedStudy({ sites: 3, rows: 60 })
    await assert.rejects(measureTraining(sound.protocol, new Set(), partsOf(tableOf(sound)), stop.signal), /enough/)
  })

  it('the store, and leaves nothing in it', async () => {
    const state = await mkdtemp(join(tmpdir(), 'rota-canary-store-'))
    try {
      await withScratchStore(state, offline, async (store, dir) => {
        for (const size of [0, 3_000_000]) {
          const found = await measureStore(store, dir, size, systemRandom, never)
          assert.ok(found.writeBytesPerSecond > 0 && found.readBytesPerSecond > 0 && found.diskUsed >= 0 && found.diskUsed <= 1)
        }
        assert.deepEqual(
          (await readdir(dir, { recursive: true })).filter((name) => name.endsWith('.data')),
          [],
        )
      })
      assert.deepEqual(await readdir(state), [], 'and is gone with its folder')
    } finally {
      await rm(state, { recursive: true })
    }
    assert.ok(measureAdding(systemRandom) > 1e6)
    assert.ok(largestVector(generatedStudy({ sites: 3, rows: 60 }).protocol) > 1_000)
  })
})
