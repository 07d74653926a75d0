import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { describe, it } from 'node:test'
import { type DisturbanceBody, LIES } from '#adapters/sim/faults.ts'
import { replayCommand } from '../../scripts/chaos/options.ts'
import { playSeeds } from '../../scripts/chaos/pool.ts'
import { addUp } from '../../scripts/chaos/report.ts'

// given worlds in which everything goes wrong at once, drawn from a seed each
// └── when 500 of them are played, no invariant is broken, no round that had a quorum is lost, and every fault has struck

const DISTURBANCES: Readonly<Record<DisturbanceBody['kind'], true>> = {
  kill: true,
  restore: true,
  copy: true,
  'lost-blocks': true,
  'disk-full': true,
  slow: true,
  'clock-jump': true,
  'endpoint-away': true,
  'endpoint-behind': true,
  'endpoint-forgetful': true,
  partition: true,
  reorganisation: true,
  'deep-reorganisation': true,
  'no-blocks': true,
  'other-chain': true,
  rest: true,
  'approval-withdrawn': true,
  'study-stopped': true,
  resign: true,
  'new-account': true,
  admission: true,
  withdrawal: true,
  outage: true,
}
/** Whom others echo must have been deceived first, and nobody is as a rule. */
const RARE = 'echoes-attestation'
const FAULTS = [...LIES.filter((lie) => lie !== RARE), ...Object.keys(DISTURBANCES), 'crash', 'late', 'slow-training', 'slices']
const SEEDS = Number(process.env.ROTA_SEEDS ?? 500)

describe('chaos', () => {
  it('loses no round and accepts no wrong sum', { timeout: 840_000 }, async (t) => {
    const threads = Number(process.env.ROTA_THREADS ?? Math.min(4, availableParallelism()))
    const reports = await playSeeds({ seeds: Array.from({ length: SEEDS }, (_, i) => i + 1), sites: undefined, threads })
    const { failing, faults, happened, invariantsBroken, roundsClosed, roundsOpened, roundsLost, seeds } = addUp(reports)
    const broken = reports.flatMap((report) => report.broken.map(({ invariant, what }) => `seed ${report.seed} breaks ${invariant}: ${what}`))
    const again = failing.map((seed) => replayCommand(seed, { mode: 'open', sites: undefined, study: undefined }))
    t.diagnostic(`${seeds} seeds, ${roundsOpened} rounds opened, ${roundsClosed} closed`)
    assert.deepEqual({ failing, invariantsBroken, roundsLost }, { failing: [], invariantsBroken: 0, roundsLost: 0 }, [...broken, ...again].join('\n'))
    assert.ok(roundsClosed > 5 * seeds, 'runs were played, not skipped')
    if (seeds < 500) return
    const idle = FAULTS.filter((fault) => (faults[fault]?.struck ?? 0) === 0)
    assert.deepEqual(idle, [], 'a fault that never strikes tests nothing')
    assert.ok(
      Object.values(happened).every((times) => times > 0),
      JSON.stringify(happened),
    )
  })
})
