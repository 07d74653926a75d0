import assert from 'node:assert/strict'
import { it } from 'node:test'
import { rowOrder } from '#adapters/training/row-order.ts'

const seed = (byte: number) => new Uint8Array(32).fill(byte)

it('is a permutation, the same for a seed and epoch, another for others', () => {
  const order = rowOrder(1000, seed(1), 0)
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    Array.from({ length: 1000 }, (_, i) => i),
  )
  assert.deepEqual(order, rowOrder(1000, seed(1), 0))
  assert.notDeepEqual(order, rowOrder(1000, seed(1), 1))
  assert.notDeepEqual(order, rowOrder(1000, seed(2), 0))
})

it('keeps its order for ever: a golden value', () => {
  assert.deepEqual([...rowOrder(8, seed(0), 0)], GOLDEN)
})

it('puts each row in each place about equally often', () => {
  const counts = new Array(5).fill(0)
  for (let epoch = 0; epoch < 5000; epoch++) counts[rowOrder(5, seed(3), epoch)[0] as number] += 1
  for (const count of counts) assert.ok(Math.abs(count - 1000) < 150, `${counts}`)
})

/** From another implementation (Python's hashlib) of SHA-256(seed ‖ epoch ‖ counter) and Fisher-Yates. */
const GOLDEN: readonly number[] = [0, 7, 4, 1, 6, 3, 2, 5]
