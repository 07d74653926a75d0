import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, it } from 'node:test'
import { defaultMapping } from '#adapters/cohort/mapping.ts'
import { patientNames } from '#adapters/cohort/patient-names.ts'
import { readRows, toSplitTable } from '#adapters/cohort/read-rows.ts'
import { splitBySite } from '#adapters/cohort/split-by-site.ts'
import { protocolFromData } from '#app/protocol/draft-protocol.ts'
import { parseMapping } from '#app/protocol/mapping-file.ts'
import { isRotaError } from '#base/errors.ts'
import { HEADER, protocolWith, tempFolder, writeFile } from './support.ts'

const folder = tempFolder()
let files = 0
const read = (text: string, mapping = '', protocol = protocolWith()) =>
  readRows(writeFile(folder, `good-${files++}.csv`, text), parseMapping(mapping, protocol), protocol)
const ROWS = 'p1,60,120,200,1,0\np2,61,130,210,0,1\n'
const values = async (text: string, mapping = '') => (await read(text, mapping)).rows.map((row) => [...row.values, row.label])
const PLAIN = [
  [60, 120, 200, 1, 0],
  [61, 130, 210, 0, 1],
]

describe('a good file', () => {
  it('is read as it is without a mapping', async () => assert.deepEqual(await values(`${HEADER}\n${ROWS}`), PLAIN))
  it('may begin with a BOM and end its lines with CRLF', async () =>
    assert.deepEqual(await values(`\ufeff${HEADER}\r\n${ROWS.replaceAll('\n', '\r\n')}`), PLAIN))
  it('may use semicolons, tabs, quotes, blanks around cells, and blank lines', async () => {
    assert.deepEqual(await values(`${HEADER}\n${ROWS}`.replaceAll(',', ';')), PLAIN)
    assert.deepEqual(await values(`${HEADER}\n${ROWS}`.replaceAll(',', '\t')), PLAIN)
    assert.deepEqual(await values(`${HEADER}\n\n "p1", 60 ,"120",200,1,0\n\np2,61,130,210,0,1`), PLAIN)
  })
  it('may use decimal commas when the mapping says so', async () => {
    assert.deepEqual(await values(`${HEADER}\np1,60.5,120,200,1,0\n`.replaceAll(',', ';').replace('60.5', '60,5'), 'decimal: ","'), [[60.5, 120, 200, 1, 0]])
  })
  it('has the lines of an editor, blank lines counted', async () => {
    const { rows } = await read(`${HEADER}\n\n${ROWS}`)
    assert.deepEqual(
      rows.map((row) => row.line),
      [3, 4],
    )
  })

  it('is mapped: columns, units, codes, patient, set, and only its own rows', async () => {
    const mapping = `
patient: mrn
set: part
only: { column: ward, value: 7 }
missing: ['-9']
features:
  age: { column: months, unit: mo }
  sbp: { column: bp_sys, unit: kPa }
  chol: { unit: mmol/L, substance: cholesterol }
  sex: { column: gender, codes: { M: 1, F: 0 } }
label: { column: died, codes: { yes: 1, no: 0 } }
`
    const { rows, missing } = await read(
      'mrn,ward,months,bp_sys,chol,gender,died,part\na,7,720,16,5,M,no,train\nb,8,x,x,x,x,x,x\nc,7,12,20,-9,F,yes,test\n',
      mapping,
    )
    assert.deepEqual(
      rows.map((row) => [row.patient, row.set, row.label]),
      [
        ['a', 'train', 0],
        ['c', 'test', 1],
      ],
    )
    const [a, c] = rows.map((row) => [...row.values]) as [number[], number[]]
    ;[60, 120.0102, 193.325, 1].forEach((want, i) => assert.ok(Math.abs((a[i] as number) - want) < 1e-3, `${a[i]} is not ${want}`))
    assert.equal(c[2], 200, 'missing: filled in by the protocol')
    assert.deepEqual(missing, { chol: 1 })
  })

  it('takes the end of a range for a value that conversion moved past it by rounding', async () => {
    const [row] = (await read(`${HEADER}\np1,60,${(250 * 133.322) / 1000},200,1,0\n`, 'features: { sbp: { unit: kPa } }')).rows
    assert.ok(Math.abs((row?.values[1] as number) - 250) < 1e-9 && (row?.values[1] as number) <= 250)
  })

  it('leaves rows out, fills in, or counts missing values, as the protocol says', async () => {
    const text = `${HEADER}\np1,60,,200,1,0\np2,61,130,,0,1\n`
    const fit = await read(text)
    assert.deepEqual(
      fit.rows.map((row) => [...row.values]),
      [[61, 130, 200, 0]],
    )
    assert.equal(fit.dropped, 1)
    const statistics = await read(text, '', protocolWith({ learner: { kind: 'statistics', bins: 10 } }))
    assert.deepEqual(
      statistics.rows.map((row) => [...row.values]),
      [
        [60, Number.NaN, 200, 1],
        [61, 130, Number.NaN, 0],
      ],
    )
  })

  it('names patients by their line where no column does', async () => {
    const { rows } = await read(`${HEADER}\n${ROWS}`.replace(HEADER, HEADER.replace('patient', 'x')))
    assert.deepEqual(
      rows.map((row) => row.patient),
      ['line 2', 'line 3'],
    )
  })

  it('names its patients for the desk as it names them for studies', async () => {
    for (const header of [HEADER, HEADER.replace('patient', 'x')]) {
      const file = writeFile(folder, 'names.csv', `${header}\n${ROWS}`)
      const { rows } = await readRows(file, defaultMapping(), protocolWith())
      assert.deepEqual(
        await patientNames(file, defaultMapping()),
        rows.map((row) => row.patient),
      )
    }
    const twice = writeFile(folder, 'twice.csv', `${HEADER}\n${ROWS}${ROWS}`)
    await assert.rejects(patientNames(twice, defaultMapping()), (error) => isRotaError(error, 'ROTA-3009'))
  })

  it('becomes two tables, in file order', async () => {
    const protocol = protocolWith()
    const { train, test } = toSplitTable((await read(`${HEADER},set\n${ROWS.replace(',0\n', ',0,TEST\n').replace(',1\n', ',1,train\n')}`)).rows, protocol)
    assert.deepEqual([train.rows, test.rows], [1, 1])
    assert.deepEqual([...test.values], PLAIN[0]?.slice(0, 4))
    assert.deepEqual([...train.label], [1])
    assert.deepEqual(train.columns, ['age', 'sbp', 'chol', 'sex'])
  })

  it('of 100,000 rows takes seconds at most, and the program answers meanwhile', { timeout: 60_000 }, async () => {
    const lines = Array.from({ length: 100_000 }, (_, i) => `p${i},60,120,200,1,${i % 2}`)
    let turns = 0
    const timer = setInterval(() => (turns += 1), 5)
    const { rows } = await read(`${HEADER}\n${lines.join('\n')}\n`, '', protocolWith({ cohort: { rule: '', minRows: 1, maxRows: 100_000 } }))
    clearInterval(timer)
    assert.equal(rows.length, 100_000)
    assert.ok(turns > 3, `only ${turns} turns`)
  })
})

describe('the four hospitals of heart.csv', () => {
  const file = new URL('../../../../shared/data/prepared/heart.csv', import.meta.url).pathname
  const absent = existsSync(file) ? false : 'heart.csv is not beside the repository'
  if (absent) console.log(`skipped: ${absent}`)

  it('are read with a protocol drafted from the file', { skip: absent }, async () => {
    const sites = await splitBySite(file, await protocolFromData(file), defaultMapping())
    assert.deepEqual(
      [...sites].map(([site, t]) => [site, t.train.rows, t.test.rows]),
      [
        ['cleveland', 199, 104],
        ['hungarian', 172, 89],
        ['switzerland', 30, 16],
        ['va', 85, 45],
      ],
    )
    assert.ok(sites.get('switzerland')?.train.label.every((label) => label === 1))
    assert.equal(sites.get('cleveland')?.train.columns.length, 13)
  })
})
