/**
 * What a node's work costs, in processor time
 * ├── work counts, what is waited for does not, and what is trained on this thread is told apart, also when it fails
 * └── what a training waits for after it began is no training of this thread
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createWorkMeter } from '#adapters/host/work-meter.ts'

const spentMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** Keeps the processor busy for so long by its own count. */
function burn(ms: number): void {
  for (const until = spentMs() + ms; spentMs() < until; );
}

const isThere = typeof process.threadCpuUsage === 'function'

describe('the work meter', { skip: isThere ? false : 'this Node cannot tell the time of one thread' }, () => {
  it('counts work, and neither waiting nor training', async () => {
    const meter = createWorkMeter()
    const began = meter.totalMs()
    burn(30)
    const worked = meter.totalMs() - began
    assert.ok(worked >= 30, `${worked} ms of work`)
    await sleep(300)
    const waited = meter.totalMs() - began - worked
    assert.ok(waited < 150, `${waited} ms while it waited`)
    const train = (): number => {
      burn(200)
      return 7
    }
    const fail = (): never => {
      burn(200)
      return assert.fail('training failed')
    }
    assert.equal(meter.training(train), 7)
    assert.throws(() => meter.training(fail), /training failed/)
    const besides = meter.totalMs() - began - worked - waited
    assert.ok(besides >= 0 && besides < 200, `${besides} ms beside 400 ms of training`)
  })

  it('counts what goes on while a training elsewhere is waited for', async () => {
    let spent = 10
    const meter = createWorkMeter(() => spent)
    const training = meter.training(async () => {
      spent += 5
      await sleep(1)
    })
    assert.equal(meter.totalMs(), 10)
    spent += 3
    await training
    assert.equal(meter.totalMs(), 13)
  })
})
