import assert from 'node:assert/strict'
import { it } from 'node:test'
import { joined, type Table } from '#core/model/table.ts'

// given tables with the same columns
// └── joined they have the rows of all in order, however many

const table = (rows: number, first: number): Table => ({
  columns: ['a', 'b'],
  rows,
  values: Float64Array.from({ length: 2 * rows }, (_, i) => first + i),
  label: Float64Array.from({ length: rows }, (_, i) => first + i),
})

it('joined tables have the rows of all, in order', () => {
  const [large, small] = [table(200_000, 0), table(1, 7)]
  const { columns, rows, values, label } = joined([large, small])
  assert.deepEqual([columns, rows, values.length, label.length], [['a', 'b'], 200_001, 400_002, 200_001])
  assert.deepEqual([values[399_999], [...values.slice(-2)], label.at(-1)], [399_999, [7, 8], 7])
  assert.deepEqual(joined([]), { columns: [], rows: 0, values: new Float64Array(0), label: new Float64Array(0) })
})
