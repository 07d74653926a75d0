import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { EngineHost } from '#adapters/training/engine-host.ts'
import type { Description } from '#adapters/training/messages.ts'
import { RotaError } from '#base/errors.ts'
import { smallTask } from './reference-net.ts'

/*
  EngineHost
  ├── when the process ends by itself, the question fails with ROTA-3052 (retry) and the next one starts it again
  ├── when the process is killed while it trains, likewise
  └── without questions it does not keep the program running (seen by this test ending)
*/
const dying = new URL('./dying-engine.ts', import.meta.url)
const died = (error: unknown) => error instanceof RotaError && error.code === 'ROTA-3052' && error.reaction === 'retry'

describe('engine host', () => {
  for (const place of ['worker', 'child'] as const) {
    it(`reports a ${place} that dies, and starts it again`, { timeout: 20_000 }, async () => {
      const host = new EngineHost(place, dying)
      const describeIt = { do: 'describe', backend: 'cpu', folder: null } as const
      assert.equal(await host.ask(describeIt), 1)
      assert.equal(await host.ask(describeIt), 2)
      const waiting = [host.ask({ do: 'train', backend: 'cpu', folder: null, task: smallTask({}) }), host.ask(describeIt)]
      for (const result of await Promise.allSettled(waiting)) assert.ok(result.status === 'rejected' && died(result.reason))
      assert.equal(host.runningId, null)
      assert.equal(await host.ask(describeIt), 1)
      await host.stop()
    })
  }

  it('reports a child that is killed while it trains', { timeout: 20_000 }, async () => {
    const host = new EngineHost('child')
    const found = await host.ask<Description>({ do: 'describe', backend: 'cpu', folder: null })
    assert.ok(found.selfTests.every((test) => test.passed))
    const training = host.ask({ do: 'train', backend: 'cpu', folder: null, task: smallTask({ epochs: 1_000_000 }) })
    setTimeout(() => process.kill(host.runningId as number, 'SIGKILL'), 100)
    await assert.rejects(training, died)
    const weights = await host.ask<Float32Array>({ do: 'train', backend: 'cpu', folder: null, task: smallTask({ epochs: 1 }) })
    assert.equal(weights.length, smallTask({}).weights.length)
    await host.stop()
  })
})
