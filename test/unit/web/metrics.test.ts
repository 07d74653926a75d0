import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { describe, it } from 'node:test'
import { Metrics } from '#web/metrics.ts'
import { nodeMetrics } from '#web/node-metrics.ts'

describe('metrics for Prometheus', () => {
  it('are written in the text format', async () => {
    const metrics = new Metrics()
    metrics.gauge('a_gauge', 'Helps\nyou.').set(1.5, { run: 1, name: 'x"y\\z' })
    const counter = metrics.counter('b_total', 'Grows.')
    counter.add()
    counter.add(2)
    assert.equal(
      await metrics.text(),
      [
        '# HELP a_gauge Helps\\nyou.',
        '# TYPE a_gauge gauge',
        'a_gauge{run="1",name="x\\"y\\\\z"} 1.5',
        '# HELP b_total Grows.',
        '# TYPE b_total counter',
        'b_total 3',
        '',
      ].join('\n'),
    )
  })

  it('count observations into all buckets that are wide enough', async () => {
    const metrics = new Metrics()
    const seconds = metrics.histogram('h_seconds', 'How long.', [0.1, 1])
    for (const value of [0.05, 0.5, 7]) seconds.observe(value, { step: 'attest' })
    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('h_'))
    assert.deepEqual(lines, [
      'h_seconds_bucket{step="attest",le="0.1"} 1',
      'h_seconds_bucket{step="attest",le="1"} 2',
      'h_seconds_bucket{step="attest",le="+Inf"} 3',
      'h_seconds_sum{step="attest"} 7.55',
      'h_seconds_count{step="attest"} 3',
    ])
  })

  it('let a total never go down, and forget labels when asked', async () => {
    const metrics = new Metrics()
    const total = metrics.counter('bytes_total', 'Bytes.')
    total.set(10)
    total.set(4)
    const phase = metrics.gauge('phase', 'Phase.')
    phase.set(1, { phase: 'Witnessing' })
    phase.clear()
    phase.set(1, { phase: 'Publishing' })
    const text = await metrics.text()
    assert.match(text, /^bytes_total 10$/m)
    assert.doesNotMatch(text, /Witnessing/)
  })

  it('survive a collector that fails', async () => {
    const metrics = new Metrics()
    const gauge = metrics.gauge('g', 'G.')
    metrics.onCollect(() => Promise.reject(new TypeError('gone')))
    metrics.onCollect(() => gauge.set(3))
    assert.match(await metrics.text(), /^g 3$/m)
  })

  it('of a node tell memory and disk', async () => {
    const metrics = new Metrics()
    nodeMetrics(metrics, tmpdir()).round.set(4, { run: 1 })
    const text = await metrics.text()
    assert.match(text, /^rota_round\{run="1"\} 4$/m)
    for (const name of ['process_resident_memory_bytes', 'rota_disk_free_bytes', 'process_cpu_seconds_total'])
      assert.match(text, new RegExp(`^${name} \\d`, 'm'))
  })
})
