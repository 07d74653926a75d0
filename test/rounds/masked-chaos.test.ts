import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { describe, it } from 'node:test'
import { playSeeds } from '../../scripts/chaos/pool.ts'
import { addUp } from '../../scripts/chaos/report.ts'

// given worlds of masked studies in which everything goes wrong at once, drawn from a seed each
// └── when some of them are played (ROTA_MASKED_SEEDS=N for more), no invariant is broken

const SEEDS = Number(process.env.ROTA_MASKED_SEEDS ?? 3)

describe('chaos of masked rounds', () => {
  it('unmasks no second set, shows no share too early, and loses no round', { timeout: 840_000 }, async (t) => {
    const threads = Math.min(SEEDS, Number(process.env.ROTA_THREADS ?? 2), availableParallelism())
    const reports = await playSeeds({ seeds: Array.from({ length: SEEDS }, (_, i) => i + 4), sites: 6, mode: 'masked', threads })
    const { failing, roundsClosed, roundsOpened, seeds } = addUp(reports)
    t.diagnostic(`${seeds} seeds (ROTA_MASKED_SEEDS for more), ${roundsOpened} rounds opened, ${roundsClosed} closed`)
    const broken = reports.flatMap((report) => report.broken.map(({ invariant, what }) => `seed ${report.seed} breaks ${invariant}: ${what}`))
    assert.deepEqual(failing, [], broken.join('\n'))
    assert.ok(roundsClosed >= 4 * seeds, 'runs were played, not skipped')
  })
})
