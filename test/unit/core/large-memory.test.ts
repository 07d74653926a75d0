import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { freeKeptMemory, giveMemoryBack, keepAtMost, LARGE_BYTES, largeMemory, zeroMemory } from '#base/large-memory.ts'

// given memory of a large vector
// ├── when it is given back, a vector of about that size gets it again, and whoever held it finds it empty
// ├── when none is to be kept, what is given back is freed, and what was kept
// ├── when zeros are asked for, it is zeros, used before or not
// ├── when more is given back than a round needs, what was given first is freed
// └── when no round is under way, all of it is freed
// given memory that is short, or of another size than ours
// └── it is freed

const BYTES = 5 * LARGE_BYTES + 12_345

describe('memory of large vectors', () => {
  afterEach(freeKeptMemory)

  it('is used again, and empty for whoever held it before', () => {
    const first = largeMemory(BYTES)
    assert.ok(first.byteLength >= BYTES)
    const view = new Uint8Array(first).fill(7)
    giveMemoryBack(first)
    assert.equal(view.length, 0)
    const again = largeMemory(BYTES + 36)
    assert.equal(new Uint8Array(again)[4_000_000], 7, 'the same memory')
    assert.equal(new Uint8Array(largeMemory(BYTES))[4_000_000], 0, 'there was but one')
  })

  it('is freed where none is to be kept', (t) => {
    t.after(() => keepAtMost(2))
    const [before, after] = [largeMemory(BYTES), largeMemory(BYTES)]
    for (const memory of [before, after]) new Uint8Array(memory)[0] = 7
    giveMemoryBack(before)
    keepAtMost(0)
    giveMemoryBack(after)
    assert.equal(new Uint8Array(largeMemory(BYTES))[0], 0)
  })

  it('is zeros where zeros are asked for', () => {
    const used = largeMemory(BYTES)
    new Uint8Array(used).fill(7)
    giveMemoryBack(used)
    for (const memory of [zeroMemory(BYTES), zeroMemory(BYTES), zeroMemory(1_000)]) assert.ok(new Uint8Array(memory).every((byte) => byte === 0))
    assert.equal(new Uint8Array(largeMemory(BYTES))[0], 0, 'the used one was taken')
  })

  it('is kept for as many vectors as a round needs', () => {
    const marks = [1, 2, 3].map((mark) => {
      const memory = largeMemory(BYTES)
      new Uint8Array(memory)[0] = mark
      return memory
    })
    for (const memory of marks) giveMemoryBack(memory)
    assert.deepEqual(
      [1, 2, 3].map(() => new Uint8Array(largeMemory(BYTES))[0]),
      [3, 2, 0],
    )
  })

  it('is freed when no round is under way', () => {
    const memory = largeMemory(BYTES)
    new Uint8Array(memory)[0] = 9
    giveMemoryBack(memory)
    freeKeptMemory()
    assert.equal(new Uint8Array(largeMemory(BYTES))[0], 0)
  })

  it('is freed when it is short or of another size', () => {
    for (const size of [1_000, BYTES]) {
      const memory = new ArrayBuffer(size)
      new Uint8Array(memory)[0] = 9
      giveMemoryBack(memory)
      giveMemoryBack(memory)
      assert.ok(memory.detached)
      assert.equal(new Uint8Array(largeMemory(size))[0], 0)
    }
    assert.equal(largeMemory(1_000).byteLength, 1_000)
  })
})
