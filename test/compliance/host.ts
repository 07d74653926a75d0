import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import type { Host } from '#ports/host.ts'

/*
 * given a machine that a program runs on
 * ├── its clock goes forward, a sleep lasts no shorter than it was told, and ends with the signal's reason when that comes first
 * ├── its randomness gives as many bytes as asked, others each time, each in memory of its own
 * └── its log takes every level, with any value of a field, and never throws
 */

/** The clock may round to its milliseconds. */
const ROUNDING_MS = 1
const never = new AbortController().signal

export function hostCompliance(name: string, make: () => { readonly host: Host; readonly stop: () => void }): void {
  describe(`host: ${name}`, { timeout: 20_000 }, () => {
    const { host, stop } = make()
    after(stop)

    it('sleeps as long as it is told by its own clock, and not at all for nothing', async () => {
      for (const ms of [30, 0]) {
        const from = host.clock.nowMs()
        await host.clock.sleep(ms, never)
        assert.ok(host.clock.nowMs() - from >= ms - ROUNDING_MS, `${ms}`)
      }
      const woke: number[] = []
      await Promise.all([60, 20, 40].map((ms) => host.clock.sleep(ms, never).then(() => woke.push(ms))))
      assert.deepEqual(woke, [20, 40, 60])
    })

    it("ends a sleep with the signal's reason", async () => {
      const stopped = new AbortController()
      const reason = new Error('stop')
      const long = host.clock.sleep(3_600_000, stopped.signal)
      void host.clock.sleep(20, never).then(() => stopped.abort(reason))
      await assert.rejects(long, (error) => error === reason)
      await assert.rejects(host.clock.sleep(10, stopped.signal), (error) => error === reason)
    })

    it('draws as many bytes as asked, others each time, in memory of their own', () => {
      for (const length of [0, 1, 32, 70_000]) assert.equal(host.random.bytes(length).length, length)
      const [a, b] = [host.random.bytes(32), host.random.bytes(32)]
      assert.notDeepEqual(a, b)
      const kept = Uint8Array.from(a)
      b.fill(0)
      host.random.bytes(32)
      assert.deepEqual(a, kept)
      assert.equal(new Set(host.random.bytes(70_000)).size, 256)
    })

    it('logs at every level whatever a field holds', () => {
      const fields = { round: 3, run: 2n, code: 'ROTA-4001', ok: true, state: null, leader: undefined, seconds: Number.NaN, nobodyListed: 'x\n' }
      for (const level of ['debug', 'info', 'warn', 'error'] as const) {
        host.log[level]('compliance.said')
        host.log[level]('compliance.said', fields)
      }
    })
  })
}
