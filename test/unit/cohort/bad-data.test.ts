import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Mapping } from '#adapters/cohort/mapping.ts'
import { defaultMapping } from '#adapters/cohort/mapping.ts'
import { readRows } from '#adapters/cohort/read-rows.ts'
import { type ErrorCode, RotaError } from '#base/errors.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { HEADER, protocolWith, tempFolder, writeFile } from './support.ts'

/** Bad files, each with its one error. `secret` marks what may never be in the error's text. */
const folder = tempFolder()
const GOOD = 'p1,60,120,200,1,0\np2,61,130,210,0,1\n'

interface Bad {
  readonly is: string
  readonly text: string | Uint8Array
  readonly code: ErrorCode
  readonly line?: number
  readonly column?: string
  readonly mapping?: Partial<Mapping>
  readonly protocol?: Partial<Protocol>
}

const cases: readonly Bad[] = [
  { is: 'an empty file', text: '', code: 'ROTA-3002' },
  { is: 'blank lines only', text: '\n \n', code: 'ROTA-3002' },
  { is: 'a header only', text: `${HEADER}\n`, code: 'ROTA-3002' },
  { is: 'bytes that are no UTF-8', text: Uint8Array.of(...Buffer.from(`${HEADER}\nM`), 0xfc, 0x6c), code: 'ROTA-3016' },
  { is: 'UTF-16', text: Buffer.from(`\ufeff${HEADER}\n${GOOD}`, 'utf16le'), code: 'ROTA-3016' },
  { is: 'a short row', text: `${HEADER}\n${GOOD}secret,62,120\n`, code: 'ROTA-3003', line: 4 },
  { is: 'a long row', text: `${HEADER}\nsecret,62,120,200,1,0,9\n`, code: 'ROTA-3003', line: 2 },
  { is: 'a quotation mark out of place', text: `${HEADER}\n${GOOD}"secret"x,62,120,200,1,0\n`, code: 'ROTA-3017', line: 4 },
  { is: 'an open quotation mark', text: `${HEADER}\n"secret,62,120,200,1,0\n`, code: 'ROTA-3017' },
  { is: 'a column twice', text: `patient,age,age,chol,sex,outcome\n${GOOD}`, code: 'ROTA-3015' },
  { is: 'no separator', text: `patient age sbp\nsecret 1 2\n`, code: 'ROTA-3023' },
  { is: 'a missing column', text: `patient,agee,sbp,chol,sex,outcome\n${GOOD}`, code: 'ROTA-3006', column: 'age' },
  { is: 'a missing mapped column', text: `${HEADER}\n${GOOD}`, code: 'ROTA-3006', column: 'bp', mapping: { columns: { sbp: { column: 'bp' } } } },
  { is: 'a missing patient column', text: `${HEADER}\n${GOOD}`, code: 'ROTA-3006', column: 'mrn', mapping: { patient: 'mrn' } },
  { is: 'text in a number column', text: `${HEADER}\n${GOOD}p3,secret,120,200,1,0\n`, code: 'ROTA-3004', line: 4, column: 'age' },
  { is: 'a number with a tail', text: `${HEADER}\np3,62secret,120,200,1,0\n`, code: 'ROTA-3004', line: 2, column: 'age' },
  { is: 'hexadecimal', text: `${HEADER}\np3,0x10,120,200,1,0\n`, code: 'ROTA-3004', line: 2 },
  { is: 'infinity', text: `${HEADER}\np3,Infinity,120,200,1,0\n`, code: 'ROTA-3004', line: 2 },
  { is: 'a number too large for float64', text: `${HEADER}\np3,1e999,120,200,1,0\n`, code: 'ROTA-3004', line: 2 },
  { is: 'a decimal comma', text: `${HEADER.replaceAll(',', ';')}\np3;62,5;120;200;1;0\n`, code: 'ROTA-3013', line: 2, column: 'age' },
  { is: 'grouped digits', text: `${HEADER}\np3,"1,062",120,200,1,0\n`, code: 'ROTA-3013', line: 2 },
  { is: 'a point where the comma is told', text: `${HEADER.replaceAll(',', ';')}\np3;62.5;120;200;1;0\n`, code: 'ROTA-3004', mapping: { decimal: ',' } },
  { is: 'a value above the range', text: `${HEADER}\n${GOOD}p3,60,777,200,1,0\n`, code: 'ROTA-3005', line: 4, column: 'sbp' },
  { is: 'a value below the range', text: `${HEADER}\np3,60,49.999,200,1,0\n`, code: 'ROTA-3005', line: 2, column: 'sbp' },
  { is: 'a value above the range after conversion', text: `${HEADER}\np3,60,40,200,1,0\n`, code: 'ROTA-3005', mapping: { columns: { sbp: { unit: 'kPa' } } } },
  { is: 'an unknown unit', text: `${HEADER}\n${GOOD}`, code: 'ROTA-3007', mapping: { columns: { sbp: { unit: 'mmHg' } } } },
  { is: 'a unit of another kind', text: `${HEADER}\n${GOOD}`, code: 'ROTA-3008', mapping: { columns: { sbp: { unit: 'kg' } } } },
  { is: 'mass for amount without the substance', text: `${HEADER}\n${GOOD}`, code: 'ROTA-3008', mapping: { columns: { chol: { unit: 'mmol/L' } } } },
  { is: 'a mapping of what the protocol does not have', text: `${HEADER}\n${GOOD}`, code: 'ROTA-3030', mapping: { columns: { spb: { unit: 'kPa' } } } },
  { is: 'a patient twice', text: `${HEADER}\nsecret,60,120,200,1,0\np2,61,130,210,0,1\nsecret,60,120,200,1,0\n`, code: 'ROTA-3009', line: 4 },
  { is: 'a patient in train and test', text: `${HEADER},set\nsecret,60,120,200,1,0,train\nsecret,61,130,210,0,1,test\n`, code: 'ROTA-3009', line: 3 },
  { is: 'no patient', text: `${HEADER}\n,60,120,200,1,0\n`, code: 'ROTA-3020', line: 2 },
  { is: 'a label with three values', text: `${HEADER}\n${GOOD}p3,60,120,200,1,2\n`, code: 'ROTA-3010', line: 4, column: 'outcome' },
  { is: 'a label of text', text: `${HEADER}\np3,60,120,200,1,secret\n`, code: 'ROTA-3004', column: 'outcome' },
  { is: 'no label', text: `${HEADER}\np3,60,120,200,1,\n`, code: 'ROTA-3012', line: 2, column: 'outcome' },
  { is: 'a missing value that the protocol refuses', text: `${HEADER}\np3,NA,120,200,1,0\n`, code: 'ROTA-3012', line: 2, column: 'age' },
  {
    is: 'a code that the mapping does not name',
    text: `${HEADER}\np3,60,120,200,secret,0\n`,
    code: 'ROTA-3011',
    line: 2,
    mapping: { columns: { sex: { codes: { M: 1, F: 0 } } } },
  },
  {
    is: 'a code that every object has',
    text: `${HEADER}\np3,60,120,200,constructor,0\n`,
    code: 'ROTA-3011',
    mapping: { columns: { sex: { codes: { M: 1 } } } },
  },
  { is: 'neither train nor test', text: `${HEADER},set\np3,60,120,200,1,0,secret\n`, code: 'ROTA-3014', line: 2 },
  { is: 'more rows than the protocol has room for', text: `${HEADER}\n${GOOD}`, code: 'ROTA-3018', protocol: { cohort: { rule: '', minRows: 1, maxRows: 1 } } },
  {
    is: 'half a count',
    text: `${HEADER}\np3,60,120,200,1,1.5\n`,
    code: 'ROTA-3022',
    line: 2,
    protocol: { label: { name: 'outcome', description: '', unit: '1', kind: 'count', range: [0, 9] } },
  },
]

describe('a bad file gets one error, which names no patient and quotes no cell', () => {
  for (const [i, bad] of cases.entries()) {
    it(`${bad.code} ${bad.is}`, async () => {
      const file = writeFile(folder, `bad-${i}.csv`, bad.text)
      await assert.rejects(readRows(file, { ...defaultMapping(), ...bad.mapping }, protocolWith(bad.protocol)), (error) => {
        assert.ok(error instanceof RotaError, String(error))
        assert.equal(error.code, bad.code, error.message)
        if (bad.line !== undefined) assert.equal(error.details['line'], bad.line)
        if (bad.column !== undefined) assert.equal(error.details['column'], bad.column)
        const said = `${error.message} ${error.remedy} ${JSON.stringify(error.details)} ${String(error.cause)}`
        assert.doesNotMatch(said, /secret|777|\{\w+\}/)
        return true
      })
    })
  }

  it('ROTA-3001 a file that is not there, or a folder', async () => {
    for (const file of [join(folder, 'none.csv'), folder]) {
      await assert.rejects(readRows(file, defaultMapping(), protocolWith()), (error) => error instanceof RotaError && error.code === 'ROTA-3001')
    }
  })
})
