import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { results, type StatisticsResults, type VariableSummary } from '#core/learner/results.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { Feature, Label } from '#core/protocol/protocol.ts'
import { noRows, protocolOf, rehearse, sharedJson, sharedPath, tableOf, tools } from './support.ts'

const features: Feature[] = [{ name: 'x', description: '', unit: 'mm', range: [0, 10], missing: 'refuse' }]
const label: Label = { name: 'y', description: '', unit: '1', kind: 'binary', range: [0, 1] }
const protocol = protocolOf({ kind: 'statistics', bins: 10 }, features, label)

async function describeSites(...sites: (readonly number[])[]): Promise<VariableSummary & { of: StatisticsResults }> {
  const tables = Object.fromEntries(
    sites.map((xs, i) => [
      `s${i}`,
      {
        train: tableOf(
          ['x'],
          xs.map((x) => [x]),
          xs.map((_, k) => k % 2),
        ),
        test: noRows(['x']),
      },
    ]),
  )
  const { final, finished, rounds } = await rehearse(protocol, tables, tools())
  assert.ok(finished && rounds.length === 1)
  const of = results(final, protocol) as StatisticsResults
  return { ...(of.variables[0] as VariableSummary), of }
}

const repeat = (x: number, times: number): number[] => new Array<number>(times).fill(x)

describe('statistics', () => {
  it('given values at several sites, mean and variance are those of all rows, and quantiles are right to a bin', async () => {
    const random = new Seeded(2)
    const sites = [70, 150, 80].map((n, s) => Array.from({ length: n }, () => 2 + s + 4 * random.uniform()))
    const { mean, variance, sd, quantiles, present, missing, unit, of } = await describeSites(...sites)
    const all = sites.flat()
    const plain = all.reduce((a, b) => a + b, 0) / 300
    const spread = all.reduce((sum, x) => sum + (x - plain) ** 2, 0) / 299
    assert.ok(
      Math.abs((mean as number) - plain) < 1e-9 && Math.abs((variance as number) - spread) < 1e-8 && Math.abs((sd as number) - Math.sqrt(spread)) < 1e-8,
    )
    assert.deepEqual([present, missing, unit, of.rows], [300, 0, 'mm', 300])
    const sorted = all.toSorted((a, b) => a - b)
    of.quantiles.forEach((q, i) => assert.ok(Math.abs((quantiles[i] as number) - (sorted[Math.floor(q * 300)] as number)) < 1))
    assert.deepEqual(
      of.variables.map((variable) => variable.name),
      ['x', 'y'],
    )
  })

  it('given missing values, they are counted and left out; few of them are withheld', async () => {
    const many = await describeSites([...repeat(5, 40), ...repeat(Number.NaN, 20)])
    assert.deepEqual([many.present, many.missing, many.mean], [40, 20, 5])
    const few = await describeSites([...repeat(5, 40), ...repeat(Number.NaN, 3)])
    assert.deepEqual([few.present, few.missing, few.mean], [null, null, 5])
  })

  it('given lonely values at the ends, minimum and maximum are of the outermost bins with ten rows', async () => {
    const { min, max, histogram } = await describeSites([0.5, 9.5, ...repeat(3.5, 30), ...repeat(5.5, 10), ...repeat(7.5, 25)])
    assert.deepEqual([min, max], [3, 8])
    assert.deepEqual([histogram[0], histogram[9]], [null, null])
  })

  it('given one small cell, another is hidden with it, since it would follow from the total', async () => {
    const { histogram } = await describeSites([...repeat(1.5, 4), ...repeat(3.5, 12), ...repeat(5.5, 40)])
    assert.deepEqual(histogram, [0, null, 0, null, 0, 40, 0, 0, 0, 0])
    const two = await describeSites([...repeat(1.5, 7), ...repeat(2.5, 8), ...repeat(5.5, 40)])
    assert.deepEqual(two.histogram, [0, null, null, 0, 0, 40, 0, 0, 0, 0])
  })

  it('given fewer than ten rows, nothing is told', async () => {
    const { present, mean, histogram, of } = await describeSites([1, 2, 3])
    assert.deepEqual([present, mean, of.rows], [null, null, null])
    assert.ok(histogram.every((count) => count === null))
  })

  it('given the ends of the range, they fall in the first and last bin', async () => {
    const { histogram, min, max } = await describeSites([...repeat(0, 15), ...repeat(10, 15)])
    assert.deepEqual([histogram[0], histogram[9], min, max], [15, 15, 0, 10])
  })

  it('agrees with the reference of a real column', async (t) => {
    const reference = sharedJson<{ wdbc_mean_radius_by_label: Record<string, { n: number; mean: number; sd_ddof1: number }> }>('reference/exact.json')
    if (!reference) return t.skip('needs ../shared')
    const byLabel = reference.wdbc_mean_radius_by_label
    const rows = readFileSync(sharedPath('data/prepared/wdbc_iid3.csv') as string, 'utf8')
      .trim()
      .split(/\r?\n/)
      .slice(1)
      .map((line) => line.split(','))
    for (const outcome of ['0', '1']) {
      const xs = rows.filter((row) => row[1] === 'train' && row.at(-1) === outcome).map((row) => Number(row[2]) / 5)
      const want = byLabel[outcome] ?? assert.fail()
      const got = await describeSites(xs.slice(0, 60), xs.slice(60))
      assert.equal(got.present, want.n)
      assert.ok(Math.abs((got.mean as number) * 5 - want.mean) < 1e-7 && Math.abs((got.sd as number) * 5 - want.sd_ddof1) < 1e-7)
    }
  })
})
