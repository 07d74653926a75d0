import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Clock } from '#ports/host.ts'
import { createWaker } from '#round/waker.ts'

// given one who waits
// ├── when something wakes after the mark and before the waiting, it goes on at once
// └── when nothing wakes for a day of seconds, memory does not grow

const never = new AbortController().signal
const quick: Clock = { nowMs: () => 0, sleep: () => new Promise((resolve) => setImmediate(resolve)) }

describe('waker', () => {
  it('forgets no wake', async () => {
    const waker = createWaker()
    const mark = waker.mark()
    waker.wake()
    await waker.next(mark, { nowMs: () => 0, sleep: () => new Promise(() => undefined) }, 1_000, never)
  })

  it('keeps nothing of those who slept', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const waker = createWaker()
    const sleep = async (times: number): Promise<number> => {
      for (let i = 0; i < times; i++) await waker.next(waker.mark(), quick, 1, never)
      await new Promise((resolve) => setTimeout(resolve, 10))
      collect()
      return process.memoryUsage().heapUsed
    }
    const before = await sleep(20_000)
    const after = await sleep(40_000)
    assert.ok(after - before < 6_000_000, `${after - before} bytes more`)
  })
})
