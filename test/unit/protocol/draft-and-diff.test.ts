import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { defaultMapping } from '#adapters/cohort/mapping.ts'
import { readRows } from '#adapters/cohort/read-rows.ts'
import { diffProtocols } from '#app/protocol/diff-protocols.ts'
import { draftProtocol, protocolFromData, rangeOf } from '#app/protocol/draft-protocol.ts'
import { parseMapping } from '#app/protocol/mapping-file.ts'
import { parseProtocol } from '#app/protocol/protocol-file.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import { protocolWith, tempFolder, writeFile } from '../cohort/support.ts'

const folder = tempFolder()
const CSV = `patient,set,age,chol,smoker,city,los,label
a,train,44,180.5,1,Ulm,3,0
b,train,61,,0,Bern,5,1
c,test,79,241,1,Graz,9,1
`
const csv = writeFile(folder, 'draft.csv', CSV)

describe('a draft', () => {
  it('is a protocol that fits the file it was made from, with comments', async () => {
    const text = await draftProtocol(csv)
    const protocol = parseProtocol(text)
    assert.deepEqual(
      protocol.features.map((f) => [f.name, f.range, f.missing]),
      [
        ['age', [40, 80], 'refuse'],
        ['chol', [180, 250], 'drop-row'],
        ['smoker', [0, 1], 'refuse'],
        ['los', [3, 9], 'refuse'],
      ],
    )
    assert.deepEqual([protocol.label.name, protocol.label.kind, protocol.learner.kind], ['label', 'binary', 'logistic'])
    assert.match(text, /# Left out.*city/)
    assert.match(text, /1 of 3 empty/)
    assert.doesNotMatch(text, /Ulm|Bern|180\.5/)
    assert.equal((await readRows(csv, defaultMapping(), protocol)).rows.length, 2)
  })

  it('hides who withdraws where results are exact, and only there', async () => {
    assert.equal(parseProtocol(await draftProtocol(csv)).cohort.differencing, 'rest')
    const spec = {
      kind: 'neural',
      algorithm: 'fedavg',
      layers: [{ className: 'Dense', config: { units: 1, activation: 'sigmoid' } }],
      loss: 'binaryCrossentropy',
    } as const
    assert.doesNotMatch(await draftProtocol(csv, { learner: spec }), /differencing/)
    assert.equal((await protocolFromData(csv)).cohort.differencing, undefined)
  })

  it('takes label, learner and columns to drop from the caller', async () => {
    const protocol = await protocolFromData(csv, {
      label: 'los',
      drop: ['chol', 'label'],
      learner: { kind: 'poisson', l2: 0.5 },
      minRows: 1,
      maxSites: 4,
      title: "Length: of 'stay' # x",
    })
    assert.deepEqual(
      [protocol.label.name, protocol.label.kind, protocol.cohort.minRows, protocol.maxSites, protocol.title],
      ['los', 'count', 1, 4, "Length: of 'stay' # x"],
    )
    assert.deepEqual(
      protocol.features.map((f) => f.name),
      ['age', 'smoker'],
    )
    assert.deepEqual(protocol.learner, {
      kind: 'poisson',
      algorithm: 'newton',
      l2: 0.5,
      siteIntercepts: false,
      standardise: 'pooled',
      tolerance: 1e-9,
      maxIterations: 25,
    })
  })

  it('survives column names that are YAML', async () => {
    const odd = writeFile(folder, 'odd.csv', '"a: b","- c",#d,null,yes,label\n1,2,3,4,5,0\n2,3,4,5,6,1\n')
    assert.deepEqual(
      (await protocolFromData(odd)).features.map((f) => f.name),
      ['a: b', '- c', '#d', 'null', 'yes'],
    )
  })

  it('says what is missing', async () => {
    for (const options of [{ label: 'lable' }, { drop: ['agee'] }])
      await assert.rejects(draftProtocol(csv, options), (error) => isRotaError(error, 'ROTA-3006'))
    await assert.rejects(draftProtocol(writeFile(folder, 'text.csv', 'a,b\nx,y\n')), (error) => isRotaError(error, 'ROTA-3006'))
    await assert.rejects(draftProtocol(writeFile(folder, 'head.csv', 'a,b\n')), (error) => isRotaError(error, 'ROTA-3002'))
  })

  it('rounds ranges outwards', () => {
    const range = (min: number, max: number) => rangeOf({ min, max, flag: false })
    assert.deepEqual(range(0.13, 0.97), [0.1, 1])
    assert.deepEqual(range(-2.6, 6.2), [-3, 7])
    assert.deepEqual(range(7, 7), [6, 8])
    assert.deepEqual(range(0, 603), [0, 700])
    for (let i = 1; i < 200; i++) {
      const [min, max] = [Math.sin(i) * 10 ** (i % 7), Math.sin(i) * 10 ** (i % 7) + i / 7]
      const [low, high] = range(min, max)
      assert.ok(low <= min && high >= max && low < high, `${min} ${max} ${low} ${high}`)
    }
  })
})

describe('what changed between two protocols', () => {
  const a = protocolWith()
  it('is nothing between equal ones', () => assert.deepEqual(diffProtocols(a, structuredClone(a)), []))
  it('names each value by the feature it belongs to', () => {
    const b = {
      ...a,
      quorum: 4,
      features: [
        ...a.features.slice(1).map((f) => (f.name === 'chol' ? { ...f, range: [0, 900] as const } : f)),
        { name: 'bmi', description: '', unit: 'kg/m2', range: [10, 80] as const, missing: 'refuse' as const },
      ],
    }
    const changes = new Map(diffProtocols(a, b).map((c) => [c.path, [c.before, c.after]]))
    assert.deepEqual(changes.get('quorum'), ['3', '4'])
    assert.deepEqual(changes.get('features.chol.range'), ['[0,700]', '[0,900]'])
    assert.deepEqual(changes.get('features.age.unit'), ['"a"', null])
    assert.deepEqual(changes.get('features.bmi.unit'), [null, '"kg/m2"'])
    assert.ok(![...changes.keys()].some((path) => path.startsWith('features.sbp')))
  })
  it('shows a changed order of features', () => {
    const changes = diffProtocols(a, { ...a, features: [...a.features].reverse() })
    assert.deepEqual(
      changes.map((c) => c.path),
      ['features (order)'],
    )
  })
})

describe('a bad mapping file is explained, with its line', () => {
  const cases: readonly (readonly [string, number, RegExp])[] = [
    ['patient: mrn\npatiant: x\n', 2, /nearest: patient/],
    ['features:\n  age: { colum: x }\n', 2, /nearest: column/],
    ['features:\n  agee: { column: x }\n', 2, /nearest: age/],
    ['features:\n  outcome: { column: x }\n', 2, /under `label`/],
    ['features:\n  age: { unit: mo, codes: { a: 1 } }\n', 2, /not both/],
    ['\ndecimal: ;\n', 2, /decimal/],
    ['label: { codes: { yes: one } }\n', 1, /label\.codes\.yes/],
    ['- 1\n', 1, /object/],
    ['a: [\n', 2, /YAML/],
  ]
  for (const [text, line, says] of cases) {
    it(text.trim().replaceAll('\n', ' / '), () => {
      assert.throws(
        () => parseMapping(text, protocolWith(), 'map.yaml'),
        (error) => {
          assert.ok(error instanceof RotaError, String(error))
          assert.match(error.message, says)
          assert.equal(error.details['line'], line, error.message)
          return true
        },
      )
    })
  }
  it('and an empty one maps nothing', () => assert.deepEqual(parseMapping('', protocolWith()).columns, { outcome: {} }))
})
