import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createMemo, keepLatest, type Memo } from '#round/memo.ts'

// given what was computed for a name
// ├── when it is asked for again, it is not computed again, until it is forgotten or is the oldest of too many; a failure is not remembered
// └── when it is large, the latest is kept where other sites of the process want it too, and nothing elsewhere

function counted(memo: Memo) {
  let computed = 0
  const ask = (key: string): Promise<number> => memo.once(key, async () => ++computed)
  return { ask, computed: () => computed }
}

describe('what is remembered', () => {
  it('is computed once, until it is forgotten', async () => {
    const memo = createMemo(2)
    const { ask, computed } = counted(memo)
    for (const key of ['a', 'a', 'b', 'a', 'c', 'a']) await ask(key)
    assert.equal(computed(), 4, 'the third one was one too many')
    memo.forget('c')
    await ask('c')
    assert.equal(computed(), 5)
    await assert.rejects(memo.once('d', () => Promise.reject(new Error('not now'))))
    assert.equal(await memo.once('d', async () => 'later'), 'later')
  })

  it('is the latest alone, and nothing where nobody shares it, when it is large', async () => {
    for (const [more, expected] of [
      [{ isShared: true } as const, 3],
      [{}, 4],
    ] as const) {
      const memo: Memo = { ...createMemo(), ...more }
      const { ask, computed } = counted(memo)
      for (const key of ['a', 'b', 'b', 'a']) {
        await ask(key)
        keepLatest(memo, key)
      }
      assert.equal(computed(), expected)
    }
  })
})
