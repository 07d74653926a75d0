/**
 * Canaries that a running node does for a command
 * ├── one at a time: who comes second waits, and each asks again with a ticket until its own is done
 * ├── a ticket that is unknown, delivered or too old is none; what the work threw is thrown once
 * ├── an answer is worked out once a minute for all who ask, and one that failed is not kept
 * ├── a budget is each asker's own, and whole again in time
 * └── what a killed process left of rounds is deleted, and nothing else
 */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { systemRandom } from '#adapters/host/system-host.ts'
import { createBudget } from '#app/canary/canary-budget.ts'
import { createErrands } from '#app/canary/canary-errands.ts'
import { createFresh } from '#app/canary/canary-fresh.ts'
import { offline } from '#app/node/offline-store.ts'
import { dropRoundStores, openRoundStore } from '#app/node/scratch-store.ts'

const never = new AbortController().signal

describe('a canary for a command', () => {
  it('is one at a time, asked for with a ticket', async () => {
    const errands = createErrands(systemRandom, never)
    const order: string[] = []
    const done = Promise.withResolvers<void>()
    const first = errands.begin(async (onStep) => {
      onStep('measures')
      await done.promise
      order.push('first')
      return { answer: 1 }
    })
    const second = errands.begin(async () => {
      order.push('second')
      return { answer: 2 }
    })
    assert.deepEqual(await errands.look(first), { ticket: first, step: 'measures' })
    assert.deepEqual(await errands.look(second), { ticket: second, step: 'waits for another canary' })
    done.resolve()
    assert.deepEqual([await errands.look(second), await errands.look(first), order], [{ answer: 2 }, { answer: 1 }, ['first', 'second']])
    assert.deepEqual([await errands.look(first), await errands.look('0x00')], [null, null], 'delivered, and unknown')

    const failing = errands.begin(() => Promise.reject(new Error('no')))
    await assert.rejects(errands.look(failing), /no/)
    const left = Array.from({ length: 9 }, (_, i) => errands.begin(async () => ({ i })))
    await errands.over()
    assert.deepEqual([await errands.look(left[0] as string), await errands.look(left[8] as string)], [null, { i: 8 }], 'of nine, eight are kept')
  })

  it('is worked out once a minute for all, unless it failed', async () => {
    let nowMs = 0
    let worked = 0
    const fresh = createFresh<number>({ nowMs: () => nowMs }, (answer) => answer % 2 === 1)
    const get = (key = 'a'): Promise<number> => fresh.get(key, async () => ++worked)
    assert.deepEqual(await Promise.all([get(), get()]), [1, 1])
    assert.equal(await get('b'), 2)
    assert.equal(await get('b'), 3, 'an even answer is not kept')
    nowMs = 60_000
    assert.deepEqual([await get(), worked], [4, 4])
    await assert.rejects(fresh.get('c', () => Promise.reject(new Error('no'))))
    assert.equal(await get('c'), 5)
  })

  it('is bounded for each who asks', () => {
    let nowMs = 0
    let most = 2
    const budget = createBudget<string>({ nowMs: () => nowMs }, () => most, 1_000)
    assert.deepEqual([budget.take('a'), budget.take('a'), budget.take('a'), budget.take('b')], [true, true, false, true])
    most = 3
    assert.deepEqual([budget.take('a'), budget.take('a')], [true, false])
    nowMs = 1_000
    assert.equal(budget.take('a'), true)
  })

  it('leaves nothing that the next start of the node does not delete', async () => {
    const state = await mkdtemp(join(tmpdir(), 'rota-state-'))
    try {
      await mkdir(join(state, 'blocks'))
      await openRoundStore(state, offline)
      const { close } = await openRoundStore(state, offline)
      assert.equal((await readdir(state)).length, 3)
      await close()
      await dropRoundStores(state)
      assert.deepEqual(await readdir(state), ['blocks'])
      await dropRoundStores(join(state, 'none'))
    } finally {
      await rm(state, { recursive: true })
    }
  })
})
