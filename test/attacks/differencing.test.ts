import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { DifferencingLedger } from '#adapters/cohort/differencing-ledger.ts'
import { digestOf } from '#adapters/sim/hash.ts'
import { sha256 } from '#app/sha256.ts'
import { type RunId, siteId } from '#base/ids.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import type { Table } from '#core/model/table.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { SumValues } from '#core/ring/vectors.ts'
import { generatedStudy } from '../support/studies.ts'
import { type ExactLab, openLab, type Rule } from './support/exact-lab.ts'

// given exact runs over the same rows, whose sums everybody in the network can read
// ├── with the rule off
// │   ├── two runs with a withdrawal between them show the patient's row, to 1e-5
// │   ├── so do runs of two studies
// │   ├── and four cohorts of which each two differ by ten patients
// │   └── and ten who withdraw, of whom nine only test, where the ten are counted together
// └── under the rule
//     ├── the hospital stays out of the next run of any study, as long as fewer than ten patients changed
//     ├── when ten changed it is in again, and what is shown is the average of the ten and no row
//     ├── it counts those who train and those who test each by themselves
//     ├── it stays out of cohorts that show a patient only together with several others
//     └── where patients may rest it is in every run of any study, nobody sees that it changed, and what is shown is an average of ten and more

const study = generatedStudy({ sites: 3, rows: 60, change: { minSites: 2, quorum: 2 } })
const { protocol } = study
const statistics: Protocol = { ...protocol, title: 'Who is admitted', programme: 'another', learner: { kind: 'statistics', bins: 10 } }
const HERE = siteId(1)
const rows = study.sites[HERE]?.rows.train as Table
const SHOWN = 1e-5

const labs: ExactLab[] = []
after(() => labs.forEach((lab) => lab.stop()))

async function lab(rule: Rule, of = study): Promise<ExactLab> {
  const opened = await openLab(of, rule)
  labs.push(opened)
  return opened
}

const withdraw = ({ world }: ExactLab, from: number, to: number): void => {
  const { cohort } = world.site(HERE)
  for (const tag of cohort.tags.train.slice(from, to)) cohort.withdrawHere(tag)
}

/** Features and label of one row, each as its place in its valid range, from −1 to 1: what sums are over. */
function truth(row: number): number[] {
  const columns = [...protocol.features, protocol.label]
  const values = [...rows.values.subarray(row * rows.columns.length, (row + 1) * rows.columns.length), rows.label[row] as number]
  return values.map((x, j) => {
    const [low, high] = (columns[j] as (typeof columns)[0]).range
    return (2 * (x - low)) / (high - low) - 1
  })
}

/** Per feature and label the sum over all rows, and their number: what an attacker reads off a run's first sum, whatever its learner. */
async function totals(lab: ExactLab, run: RunId, of: Protocol): Promise<{ readonly rows: number; readonly sums: readonly number[] }> {
  const sum = await lab.firstSum(run, of)
  const names = [...of.features, of.label]
  const width = of.learner.kind === 'statistics' ? 3 + of.learner.bins : 0
  const place = (j: number): number => (width > 0 ? 1 + j * width + 1 : j < of.features.length ? 1 + j : 1 + 2 * of.features.length)
  return { rows: sum.at(0), sums: names.map((_, j) => sum.at(place(j))) }
}

/** The difference of two runs, for each row that changed: all that is left where nothing tells those rows apart. */
async function attack(lab: ExactLab, [a, of]: readonly [RunId, Protocol], [b, other]: readonly [RunId, Protocol]): Promise<number[]> {
  const [before, now] = [await totals(lab, a, of), await totals(lab, b, other)]
  return before.sums.map((sum, j) => (sum - (now.sums[j] as number)) / (before.rows - now.rows))
}

const far = (guess: readonly number[], row: readonly number[]): number => Math.max(...guess.map((x, j) => Math.abs(x - (row[j] as number))))
const average = (of: readonly (readonly number[])[]): number[] =>
  (of[0] as readonly number[]).map((_, j) => of.reduce((sum, row) => sum + (row[j] as number), 0) / of.length)

describe('the difference of exact runs', () => {
  it('is a withdrawn row where the rule is off, in one study and over two', async () => {
    const at = await lab('off')
    const before = await at.run(at.first)
    withdraw(at, 0, 1)
    const other = await at.publish(statistics)
    const again = await at.run(at.first)
    const described = await at.run(other)
    assert.deepEqual([at.abstained(again), at.abstained(described)], [[], []])
    for (const later of [
      [again, protocol],
      [described, statistics],
    ] as const)
      assert.ok(far(await attack(at, [before, protocol], later), truth(0)) < SHOWN)
  })

  it('is no row under the rule: the hospital stays out, in each study, until ten patients changed', async () => {
    const at = await lab('on')
    const other = await at.publish(statistics)
    const before = await at.run(at.first)
    const whole = Array.from({ length: rows.rows }, (_, i) => truth(i))
    for (const [from, to] of [
      [0, 1],
      [1, 9],
    ] as const) {
      withdraw(at, from, to)
      for (const [id, of] of [
        [at.first, protocol],
        [other, statistics],
      ] as const) {
        const run = await at.run(id)
        assert.deepEqual(at.abstained(run), [HERE], `study ${id} after ${to} withdrawals`)
        // Without the hospital the difference is its whole cohort.
        const guess = await attack(at, [before, protocol], [run, of])
        assert.ok(far(guess, average(whole)) < SHOWN)
      }
    }
    withdraw(at, 9, 10)
    const changed = whole.slice(0, 10)
    for (const [id, of] of [
      [at.first, protocol],
      [other, statistics],
    ] as const) {
      const run = await at.run(id)
      assert.deepEqual(at.abstained(run), [])
      const guess = await attack(at, [before, protocol], [run, of])
      const mean = average(changed)
      changed.forEach((row, i) => {
        assert.ok(far(guess, row) > far(mean, row) - SHOWN, `row ${i} is recovered better than by the average of the ten`)
        assert.ok(far(guess, row) > 0.1, `row ${i} lies near the average by itself`)
      })
    }
  })
})

describe('the difference of exact runs between which ten withdrew, of whom nine only test', () => {
  const leave = (at: ExactLab): void => {
    withdraw(at, 0, 1)
    const { cohort } = at.world.site(HERE)
    for (const tag of cohort.tags.test.slice(0, 9)) cohort.withdrawHere(tag)
  }

  it('is the row of the tenth, where all ten are counted together', async () => {
    const at = await lab('together')
    const before = await at.run(at.first)
    leave(at)
    const again = await at.run(at.first)
    assert.deepEqual(at.abstained(again), [])
    assert.ok(far(await attack(at, [before, protocol], [again, protocol]), truth(0)) < SHOWN)
  })

  it('is no row under the rule: of those who train one alone changed, and the hospital stays out', async () => {
    const at = await lab('on')
    const before = await at.run(at.first)
    leave(at)
    const again = await at.run(at.first)
    assert.deepEqual(at.abstained(again), [HERE])
    const whole = Array.from({ length: rows.rows }, (_, i) => truth(i))
    assert.ok(far(await attack(at, [before, protocol], [again, protocol]), average(whole)) < SHOWN)
  })
})

describe('the difference of exact runs in which patients may rest', () => {
  const cohort = { ...protocol.cohort, differencing: 'rest' as const }
  const resting = { ...study, protocol: { ...protocol, cohort } }

  it('is no row, though every hospital is in every run', async () => {
    const at = await lab('on', resting)
    const other = { ...statistics, cohort }
    const described = await at.publish(other)
    const before = await at.run(at.first)
    const whole = Array.from({ length: rows.rows }, (_, i) => truth(i))
    const mean = average(whole)
    for (const victim of [20, 33]) {
      withdraw(at, victim, victim + 1)
      for (const [id, of] of [
        [at.first, resting.protocol],
        [described, other],
      ] as const) {
        const run = await at.run(id)
        assert.deepEqual(at.abstained(run), [])
        const [first, now] = [await totals(at, before, resting.protocol), await totals(at, run, of)]
        assert.ok(first.rows - now.rows >= 10, `${first.rows - now.rows} rows changed`)
        // The best that is left: who is looked for is one of those that changed, and no nearer to their average than to everybody's.
        const guess = await attack(at, [before, resting.protocol], [run, of])
        assert.ok(far(guess, truth(victim)) > 0.1)
        assert.ok(far(guess, truth(victim)) > far(mean, truth(victim)) / 4)
      }
    }
  })
})

/*
  Four cohorts of one hospital. Each two differ by ten patients and more:
    all    0 … n          without A        without B         without what is in A or B, but for one
*/
const A = [0, 11] as const
const B = [11, 22] as const
const VICTIM = 0
const cohorts: readonly (readonly number[])[] = [[], span(A), span(B), [...span(A), ...span(B)].filter((row) => row !== VICTIM)].map((without) =>
  Array.from({ length: rows.rows }, (_, row) => row).filter((row) => !without.includes(row)),
)

function span([from, to]: readonly [number, number]): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}

describe('four cohorts of which each two differ by ten patients', () => {
  it('show one patient together, by the sums of a real learner', async () => {
    const sums = await Promise.all(cohorts.map(momentsOf))
    const [all, withoutA, withoutB, last] = sums.map((sum) => protocol.features.map((_, j) => sum.at(1 + j))) as [number[], number[], number[], number[]]
    const guess = all.map((x, j) => x - (withoutA[j] as number) + (x - (withoutB[j] as number)) - (x - (last[j] as number)))
    assert.ok(far(guess, truth(VICTIM).slice(0, -1)) < SHOWN)
  })

  it('are not all used under the rule, in any order', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rota-cohorts-'))
    after(() => rmSync(folder, { recursive: true, force: true }))
    for (let first = 0; first < cohorts.length; first++) {
      const ledger = new DifferencingLedger(join(folder, `${first}.jsonl`))
      const order = cohorts.map((_, i) => cohorts[(first + i) % cohorts.length] as readonly number[])
      const verdicts: boolean[] = []
      for (const [i, cohort] of order.entries()) {
        const patients = cohort.map((row) => digestOf('patient', row))
        const { ok } = await ledger.mayJoin(patients, [])
        verdicts.push(ok)
        if (ok) await ledger.record(patients, digestOf('root', i), [])
      }
      assert.deepEqual(verdicts, [true, true, true, false], `from cohort ${first}`)
    }
  })
})

async function momentsOf(cohort: readonly number[]): Promise<SumValues> {
  const learner = learnerFor(protocol, sha256)
  const width = rows.columns.length
  const train: Table = {
    columns: rows.columns,
    rows: cohort.length,
    values: Float64Array.from(cohort.flatMap((row) => [...rows.values.subarray(row * width, (row + 1) * width)])),
    label: Float64Array.from(cohort, (row) => rows.label[row] as number),
  }
  const update = await learner.contribute(
    learner.initial(),
    { train, test: { ...train, rows: 0, values: new Float64Array(0), label: new Float64Array(0) } },
    { signal: new AbortController().signal },
  )
  if (update.kind !== 'exact') throw new TypeError('moments are exact')
  const { layout, coordinates } = update
  return { sites: 1, length: layout.length, at: (i) => Number(coordinates[i]) / 2 ** layout.fractionBits(i) }
}
