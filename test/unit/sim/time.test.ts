import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SimTime } from '#adapters/sim/time.ts'

/*
  virtual time
  ├── events come in the order of their time, then of their calls, and hours pass in no time
  ├── a sleep ends with the signal's reason
  ├── what belongs to one step of the grid comes together
  ├── nothing moves while work outside is held
  ├── what takes longer than it may is an error, also when nothing is left that could end it
  └── after stop nothing wakes
*/
describe('virtual time', () => {
  it('comes in the order of time, then of calls', async () => {
    const time = new SimTime(0)
    const seen: string[] = []
    time.after(7_200_000, () => seen.push('two hours'))
    time.after(5, () => seen.push('first of five'))
    time.after(5, () => seen.push('second of five'))
    time.after(1, () => time.after(3, () => seen.push('four')))
    time.after(2, () => seen.push('never'))()
    await time.sleep(7_200_000)
    assert.deepEqual(seen, ['four', 'first of five', 'second of five', 'two hours'])
    assert.equal(time.nowMs, 7_200_000)
  })

  it('orders a thousand events drawn at random', async () => {
    const time = new SimTime(0)
    const seen: number[] = []
    for (let i = 0; i < 1_000; i++) {
      const atMs = (i * 7_919) % 1_009
      time.after(atMs, () => seen.push(atMs))
    }
    await time.sleep(2_000)
    assert.deepEqual(
      seen,
      [...seen].sort((a, b) => a - b),
    )
    assert.equal(seen.length, 1_000)
  })

  it('ends a sleep with the reason of its signal', async () => {
    const time = new SimTime(0)
    const reason = new Error('enough')
    const abort = new AbortController()
    const asleep = assert.rejects(time.sleep(1_000, abort.signal), reason)
    time.after(10, () => abort.abort(reason))
    await asleep
    assert.equal(time.nowMs, 10)
    await assert.rejects(time.sleep(1, abort.signal), reason)
  })

  it('lets together what comes within a step of the grid', async () => {
    const time = new SimTime(0)
    const seen: number[] = []
    for (const afterMs of [1, 9, 10, 11]) time.together(afterMs, () => seen.push(time.nowMs))
    await time.sleep(100)
    assert.deepEqual(seen, [10, 10, 10, 20])
  })

  it('stands still while work outside is held', async () => {
    const time = new SimTime(0)
    let slept = false
    time.after(1, () => {
      slept = true
    })
    const work = time.hold(new Promise((resolve) => setTimeout(resolve, 20)).then(() => slept))
    assert.equal(await work, false)
    await time.sleep(2)
    assert.equal(slept, true)
  })

  it('says when something takes too long', async () => {
    const time = new SimTime(0)
    await assert.rejects(time.within(new Promise(() => {}), 60_000), /60000 ms/)
    assert.equal(
      await time.within(
        time.sleep(10).then(() => 'done'),
        60_000,
      ),
      'done',
    )
  })

  it('wakes nobody after stop', async () => {
    const time = new SimTime(0)
    let woken = false
    time.after(1, () => {
      woken = true
    })
    time.stop()
    time.after(1, () => {
      woken = true
    })
    await new Promise((resolve) => setTimeout(resolve, 10))
    assert.deepEqual([woken, time.pending], [false, 0])
  })
})
