import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { summaryOf } from '#app/results/results-tables.ts'
import { simulate } from '#app/simulate/simulate.ts'
import { rehearsalNotes } from '#app/simulate/simulate-options.ts'
import { simulatedStudy } from '#app/simulate/simulate-study.ts'
import { isRotaError } from '#base/errors.ts'

// given sites that are to be simulated in groups
// ├── from twelve on a model comes out, drawn groups first, and it is said what members saw
// └── fewer sites, and learners that have no groups, are refused
const FEDAVG = { mode: 'groups', algorithm: 'fedavg', rounds: 1 } as const

describe('simulate in groups', () => {
  it('draws three groups of twelve sites, and counts their rows once', async () => {
    const { view, answer } = await simulate({ ...FEDAVG, sites: 12, rows: 40 }, { signal: new AbortController().signal })
    assert.deepEqual(
      view.rounds.map(({ stage, included }) => [stage, included.length]),
      ['draw', 'moments', 'fit', 'evaluation'].map((stage) => [stage, 12]),
    )
    const { tables } = await simulatedStudy({ ...FEDAVG, sites: 12, rows: 40 })
    assert.equal(
      view.results.rows,
      [...tables.values()].reduce((sum, { train }) => sum + train.rows, 0),
    )
    assert.deepEqual([answer.mode, answer.modeLabel], ['groups', 'groups: members see sums of groups'])
    assert.match(summaryOf(view), /Groups: members see sums of groups\. No differential privacy\./)
    assert.equal(answer.coef?.length, answer.columns.length)
    const [note] = rehearsalNotes(answer)
    assert.match(note ?? '', /sums of groups, 3 at most.*fewer than 15 sites may not be in groups/)
  })

  it('refuses what has no groups', async () => {
    for (const [options, code] of [
      [{ ...FEDAVG, sites: 11 }, 'ROTA-1106'],
      [{ ...FEDAVG, sites: 101 }, 'ROTA-1106'],
      [{ mode: 'groups', sites: 15 }, 'ROTA-2332'],
      [{ mode: 'groups', learner: 'statistics', sites: 15 }, 'ROTA-2332'],
    ] as const)
      await assert.rejects(simulatedStudy(options), (error) => isRotaError(error, code), JSON.stringify(options))
  })
})
