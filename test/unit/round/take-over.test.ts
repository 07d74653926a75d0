import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { type Digest, digest } from '#base/ids.ts'
import { freeKeptMemory } from '#base/large-memory.ts'
import type { Model } from '#core/model/model.ts'
import { roomyFloats } from '#core/model/roomy.ts'
import type { Play } from '#round/play.ts'
import type { BaseModel } from '#round/study.ts'
import { isOwnStep, takeOver } from '#round/take-over.ts'

// given a site that goes on from the model that it attested
// ├── when the model before was its own, the memory of its weights is used again
// ├── when another site of the process may hold it, it stays
// └── when the weights are still those before (a refused sum, an evaluation), they stay

const COUNT = 300_000
const rootOf = (nibble: string): Digest => digest(`0x${nibble.repeat(64)}`)

function weightsOf(value: number): Uint8Array {
  const { buffer, byteOffset, byteLength } = roomyFloats(COUNT).fill(value)
  return new Uint8Array(buffer, byteOffset, byteLength)
}
const modelOf = (weights: Uint8Array, refusals = 0): Model => ({ version: 1, learner: 'neural/fedavg', stage: 'fit', refusals, state: { weights } })
const playAt = (base: BaseModel): Play => ({ base }) as unknown as Play

describe('going on from a model', () => {
  afterEach(freeKeptMemory)

  it('uses the memory of the one before again, where it was this site’s own', () => {
    for (const isOwn of [true, false]) {
      const [old, fresh] = [weightsOf(1), weightsOf(2)]
      const play = playAt({ model: modelOf(old), root: rootOf('a'), isOwn })
      const next = { model: modelOf(fresh), root: rootOf('b'), isOwn: true }
      takeOver(play, next)
      assert.equal(play.base, next)
      assert.equal(old.length, isOwn ? 0 : 4 * COUNT)
      assert.equal(fresh.length, 4 * COUNT)
      takeOver(play, next)
      assert.equal(fresh.length, 4 * COUNT, 'the same model again')
    }
  })

  it('keeps weights that both models have', () => {
    const weights = weightsOf(1)
    takeOver(playAt({ model: modelOf(weights), root: rootOf('a'), isOwn: true }), { model: modelOf(weights, 1), root: rootOf('b'), isOwn: true })
    assert.equal(weights.length, 4 * COUNT)
  })

  it('calls a step a site’s own unless it has a part of a base that is not', () => {
    const weights = weightsOf(1)
    for (const isOwn of [true, false]) {
      const base = { model: modelOf(weights), root: rootOf('a'), isOwn }
      assert.equal(isOwnStep(base, modelOf(weights, 1)), isOwn)
      assert.ok(isOwnStep(base, modelOf(weightsOf(2))))
    }
  })
})
