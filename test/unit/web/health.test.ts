import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { describe, it } from 'node:test'
import { standingTroubles } from '#app/node/standing-troubles.ts'
import { RotaError } from '#base/errors.ts'
import { roundNo, runId, siteId, studyId, ZERO_DIGEST } from '#base/ids.ts'
import type { RunView } from '#ports/chain.ts'
import { type HealthSources, readHealth } from '#web/health.ts'
import { Metrics } from '#web/metrics.ts'
import { nodeMetrics, setFromHealth } from '#web/node-metrics.ts'

const view = {
  run: runId(2),
  study: studyId(1),
  state: 'Active',
  round: { round: 5, phase: 'Publishing', rota: [siteId(0), siteId(3)], turn: 1 },
} as unknown as RunView

const sources: HealthSources = {
  site: { id: 0, name: 'harbour' },
  version: '0.1.0',
  chain: {
    head: async () => ({ number: 40, hash: ZERO_DIGEST, timestamp: 1 }),
    runs: async () => [
      { run: runId(1), study: studyId(1), state: 'Finished' },
      { run: runId(2), study: studyId(1), state: 'Active' },
    ],
    run: async () => view,
  },
  taken: () => 38,
  peers: () => 3,
}

describe('the health of a node', () => {
  it('tells head, lag, peers and the runs under way', async () => {
    const health = await readHealth(sources)
    assert.deepEqual([health.ok, health.chain, health.peers], [true, { head: 40, lag: 2, reachable: true }, 3])
    assert.deepEqual(health.runs, [{ run: 2, study: 1, state: 'Active', round: 5, phase: 'Publishing', leader: 3 }])
  })

  it('is not ok when the chain is out of reach or a trouble stands, and says why', async () => {
    const lost = await readHealth({
      ...sources,
      chain: { ...sources.chain, head: () => Promise.reject(new RotaError('ROTA-6403', { url: 'x', reason: 'y' })) },
    })
    assert.deepEqual([lost.ok, lost.chain.reachable, lost.problems[0]?.code], [false, false, 'ROTA-6403'])
    const troubled = await readHealth({ ...sources, problems: () => [{ code: 'ROTA-4010', what: 'nobody has it' }] })
    assert.deepEqual([troubled.ok, troubled.chain.reachable, troubled.problems.length], [false, true, 1])
  })

  it('feeds the metrics, and forgets a phase that is over', async () => {
    const metrics = new Metrics()
    const figures = nodeMetrics(metrics, tmpdir())
    const health = await readHealth(sources)
    setFromHealth(figures, { ...health, runs: health.runs.map((run) => ({ ...run, phase: 'Witnessing' as const })) })
    setFromHealth(figures, health)
    const text = await metrics.text()
    assert.match(text, /^rota_phase\{run="2",phase="Publishing"\} 1$/m)
    assert.doesNotMatch(text, /Witnessing/)
    assert.match(text, /^rota_chain_lag_blocks 2$/m)
  })
})

describe('what stands in its way', () => {
  const step = (run: number) => ({ kind: 'step', run: runId(run), round: roundNo(1), row: 'attest', ms: 5 }) as const
  const trouble = (run: number, code: string) => ({ kind: 'trouble', run: runId(run), round: roundNo(1), code, message: `of run ${run}` }) as const
  const codes = (of: ReturnType<typeof standingTroubles>) => of.list().map(({ code }) => code)

  it('is the trouble of each run, until its next step is done or it is over', () => {
    const troubles = standingTroubles()
    for (const told of [trouble(1, 'ROTA-4010'), trouble(2, 'ROTA-4015'), trouble(3, 'ROTA-5010'), step(1)]) troubles.note(told)
    assert.deepEqual(codes(troubles), ['ROTA-4015', 'ROTA-5010'])
    troubles.note(trouble(2, 'ROTA-4010'))
    troubles.note({ kind: 'run-over', run: runId(3), state: 'Ended' })
    assert.deepEqual(troubles.list(), [{ code: 'ROTA-4010', what: 'of run 2' }])
  })

  it('is an alarm until that is over, whatever steps are done', async () => {
    const troubles = standingTroubles()
    troubles.alarm('ROTA-6019', new RotaError('ROTA-6019', { programme: 'x', count: 1 }))
    troubles.note(step(1))
    assert.equal((await readHealth({ ...sources, problems: troubles.list })).ok, false)
    troubles.alarm('ROTA-6019', null)
    assert.equal((await readHealth({ ...sources, problems: troubles.list })).ok, true)
  })
})
