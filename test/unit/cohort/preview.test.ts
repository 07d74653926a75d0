import assert from 'node:assert/strict'
import { it } from 'node:test'
import { previewMapping } from '#adapters/cohort/preview-mapping.ts'
import { parseMapping } from '#app/protocol/mapping-file.ts'
import { isRotaError } from '#base/errors.ts'
import { HEADER, protocolWith, tempFolder, writeFile } from './support.ts'

const folder = tempFolder()
const preview = (text: string, mapping = '') => previewMapping(writeFile(folder, 'preview.csv', text), parseMapping(mapping, protocolWith()), protocolWith())

it('says what a study would touch', async () => {
  const seen = await preview(`${HEADER},ward,set\np1,60,16,200,1,0,3,train\np2,61,,,0,1,3,test\np3,62,15,,0,1,3,train\n`, 'features: { sbp: { unit: kPa } }')
  assert.deepEqual(seen.rows, { train: 2, test: 0, dropped: 1, withProblems: 0 })
  assert.deepEqual(seen.untouched, ['ward'])
  assert.equal(seen.patientNamedBy, 'column')
  assert.ok(seen.ready)
  assert.deepEqual(
    seen.columns.map((c) => [c.name, c.converted, c.missing]),
    [
      ['age', false, 0],
      ['sbp', true, 1],
      ['chol', false, 2],
      ['sex', false, 0],
      ['outcome', false, 0],
    ],
  )
})

it('counts all problems instead of stopping at the first', async () => {
  const seen = await preview(`${HEADER}\np1,60,1000,200,1,0\np2,61,2000,x,0,1\np3,62,120,200,1,2\np1,60,120,200,1,0\np5,60,120,200,1,0\n`)
  assert.ok(!seen.ready)
  assert.deepEqual(
    seen.problems.map(({ error, count }) => [error.code, error.details['line'], count]),
    [
      ['ROTA-3005', 2, 2],
      ['ROTA-3004', 3, 1],
      ['ROTA-3009', 5, 1],
      ['ROTA-3010', 4, 1],
    ],
  )
  const sbp = seen.columns.find((c) => c.name === 'sbp')
  const chol = seen.columns.find((c) => c.name === 'chol')
  assert.deepEqual([sbp?.outOfRange, chol?.notReadable, seen.rows.withProblems], [2, 1, 4])
})

it('throws where there is nothing to count: a missing column, a ragged row', async () => {
  await assert.rejects(preview('patient,age\n1,2\n'), (error) => isRotaError(error, 'ROTA-3006'))
  await assert.rejects(preview(`${HEADER}\np1,60\n`), (error) => isRotaError(error, 'ROTA-3003'))
})
