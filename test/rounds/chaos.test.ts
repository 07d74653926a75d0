import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { describe, it } from 'node:test'
import { playSeeds } from '../../scripts/chaos/pool.ts'
import { addUp } from '../../scripts/chaos/report.ts'

// given worlds in which everything goes wrong at once, drawn from a seed each
// └── when 500 of them are played, no invariant is broken, and no round that had a quorum is lost

const SEEDS = Number(process.env.ROTA_SEEDS ?? 500)

describe('chaos', () => {
  it('loses no round and accepts no wrong sum', { timeout: 280_000 }, async (t) => {
    const threads = Math.min(4, availableParallelism())
    const reports = await playSeeds({ seeds: Array.from({ length: SEEDS }, (_, i) => i + 1), sites: undefined, threads })
    const { failing, invariantsBroken, roundsClosed, roundsOpened, roundsLost, seeds } = addUp(reports)
    const broken = reports.flatMap((report) => report.broken.map(({ invariant, what }) => `seed ${report.seed} breaks ${invariant}: ${what}`))
    t.diagnostic(`${seeds} seeds, ${roundsOpened} rounds opened, ${roundsClosed} closed`)
    assert.deepEqual({ failing, invariantsBroken, roundsLost }, { failing: [], invariantsBroken: 0, roundsLost: 0 }, broken.join('\n'))
    assert.ok(roundsClosed > 5 * seeds, 'runs were played, not skipped')
  })
})
