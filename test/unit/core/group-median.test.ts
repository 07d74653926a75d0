import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FaultList } from '#audit/fault-list.ts'
import { medianOfGroups } from '#audit/median-of-groups.ts'
import { EMPTY } from '#base/bitmap.ts'
import { roundNo, runId, siteId } from '#base/ids.ts'
import { medianModel } from '#core/learner/group-median.ts'
import type { Model, ModelState } from '#core/model/model.ts'
import { Seeded } from '#core/model/seeded.ts'
import { encodeModel } from '#wire/model.ts'

// given the models that groups led to
// ├── each number is the median of theirs, and rows are added up
// ├── a number that some lack is there only where it is the same whatever theirs would be
// ├── while fewer than half are bad each number lies between those of good ones, however far the bad ones go
// ├── the audit's own rule gives the same bytes
// └── where no more than half of the groups are inside the bounds the base is kept, and those beyond are named

const modelOf = (state: ModelState): Model => ({ version: 1, learner: 'neural/fedavg', stage: 'fit', refusals: 0, state })
const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer)
const NONE = modelOf({})

function audited(models: readonly Model[], before = NONE): Model | undefined {
  const groups = models.map((_, i) => ({ sites: new Set([siteId(i)]), start: 32 + 8 * i, end: 40 + 8 * i }))
  let next = 0
  const stepFrom = () => ({ model: models[next++] as Model, status: 'continue' as const })
  return medianOfGroups({ sum: new Uint8Array(32 + 8 * models.length), groups, included: EMPTY, stepFrom }, before, new FaultList(runId(1), roundNo(1)))?.model
}

describe('an audit of a round in groups', () => {
  const bad = { model: NONE, status: 'refused' as const }
  const good = { model: modelOf({ coef: [1] }), status: 'continue' as const }

  /** @returns how it ends, and whose groups are named */
  function outcome(...steps: readonly (typeof bad | typeof good | null)[]) {
    const groups = steps.map((_, i) => ({ sites: new Set([siteId(i)]), start: 32, end: 40 }))
    const faults = new FaultList(runId(1), roundNo(1))
    const left = [...steps]
    const step = medianOfGroups({ sum: new Uint8Array(40), groups, included: EMPTY, stepFrom: () => left.shift() ?? null }, NONE, faults)
    return [step?.status, step?.model.refusals, faults.notes.map((note) => /group of site (\d+)/.exec(note)?.[1])]
  }

  it('goes by more than half of the groups, and names the others', () => {
    assert.deepEqual(outcome(good, bad, good), ['continue', 0, ['1']])
    assert.deepEqual(outcome(bad, good, bad), ['refused', 1, ['0', '2']])
    assert.deepEqual(outcome(bad, good, bad, good), ['refused', 1, ['0', '2']])
    assert.deepEqual(outcome(good, null, good), [undefined, undefined, []])
  })
})

describe('the model in the middle', () => {
  it('has the median of each number', () => {
    const models = [
      { rows: 10, coef: [1, -5, 0], test: { n: 3, accuracy: 0.5, aucHistogram: null }, weights: floats(1, 2), label: 'x', iteration: 2 },
      { rows: 20, coef: [9, 4, -0], test: { n: 0, accuracy: null, aucHistogram: null }, weights: floats(-7, 4), label: 'x', iteration: 2 },
      { rows: 30, coef: [2, 1, -0], test: { n: 5, accuracy: 0.75, aucHistogram: 0.5 }, weights: floats(3, 9), label: 'x', iteration: 2 },
    ].map(modelOf)
    const middle = modelOf({ rows: 60, coef: [2, 1, 0], test: { n: 8, accuracy: null, aucHistogram: null }, weights: floats(1, 4), label: 'x', iteration: 2 })
    assert.deepEqual(medianModel(models, NONE), middle)
    assert.deepEqual(audited(models), middle)
    const before = modelOf({ rows: 60 })
    assert.deepEqual([medianModel(models, before), audited(models, before)], [middle, middle])
    assert.deepEqual(medianModel(models.slice(0, 2), NONE).state.coef, [5, -0.5, 0])
  })

  it('has no number that bad groups could choose where good ones have none', () => {
    const of = (...values: (number | null)[]) => {
      const models = values.map((value) => modelOf({ test: { auc: value }, list: [value, 1] }))
      const middle = medianModel(models, NONE)
      assert.deepEqual(audited(models), middle)
      assert.deepEqual((middle.state.list as unknown[])[0], (middle.state.test as ModelState).auc)
      return (middle.state.test as ModelState).auc
    }
    assert.deepEqual(
      [
        of(null, 0.8, -1e9),
        of(null, 0.8, 0.8),
        of(null, null, 0.8),
        of(Number.NaN, 0.7, 0.8),
        of(null, 0.6, 0.7, 0.7, 0.9),
        of(null, 0.6, 0.7, 0.8),
        of(-1e9, 0.7, 0.8),
      ],
      [null, 0.8, null, null, 0.7, null, 0.7],
    )
    const random = new Seeded(8)
    let there = 0
    for (let i = 0; i < 300; i++) {
      const good = Array.from({ length: 2 + Math.floor(random.uniform() * 4) }, () => (random.uniform() < 0.3 ? null : Math.floor(random.uniform() * 3) / 2))
      const bad = Array.from({ length: Math.floor(random.uniform() * good.length) }, () => (random.uniform() < 0.2 ? null : (random.uniform() - 0.5) * 1e9))
      const middle = of(...[...good, ...bad].sort(() => random.uniform() - 0.5))
      const known = good.filter((value) => value !== null)
      if (middle === null) continue
      there += 1
      assert.ok(typeof middle === 'number' && middle >= Math.min(...known) && middle <= Math.max(...known), `${middle} of ${good}, ${bad}`)
    }
    assert.ok(there > 50, `${there} are there`)
  })

  it('is of lists and records that most groups have', () => {
    const models = [{ list: [1] }, { list: null }, { list: null }].map(modelOf)
    const records = [{ of: { x: 1 } }, { of: { x: 1 } }, { of: null }].map(modelOf)
    assert.deepEqual([medianModel(models, NONE).state, audited(models)?.state], [{ list: null }, { list: null }])
    assert.deepEqual([medianModel(records, NONE).state, audited(records)?.state], [{ of: { x: 1 } }, { of: { x: 1 } }])
  })

  it('is between good ones, to the byte what the audit has', () => {
    const random = new Seeded(4)
    const draw = (size: number) => Array.from({ length: 12 }, () => (random.uniform() - 0.5) * size)
    for (let i = 0; i < 200; i++) {
      const good = Array.from({ length: 2 + Math.floor(random.uniform() * 4) }, () => ({ coef: draw(1), std: draw(2), weights: draw(1) }))
      const bad = Array.from({ length: Math.floor(random.uniform() * good.length) }, () => ({ coef: draw(1e12), std: draw(1e-9), weights: draw(1e30) }))
      const all = [...good, ...bad].sort(() => random.uniform() - 0.5)
      const models = all.map(({ coef, std, weights }) => modelOf({ coef, std, weights: floats(...weights) }))
      const middle = medianModel(models, NONE)
      const { coef, weights } = middle.state as { coef: number[]; weights: Uint8Array }
      const between = (x: number, of: readonly number[]): boolean => x >= Math.min(...of) && x <= Math.max(...of)
      const singles = [...new Float32Array(weights.buffer, weights.byteOffset, 12)]
      assert.ok(
        coef.every((x, j) =>
          between(
            x,
            good.map((one) => one.coef[j] as number),
          ),
        ),
      )
      assert.ok(
        singles.every((x, j) =>
          between(
            x,
            good.map((one) => Math.fround(one.weights[j] as number)),
          ),
        ),
      )
      assert.deepEqual(encodeModel(audited(models) as Model), encodeModel(middle))
    }
  })
})
