import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseProtocol, protocolToYaml } from '#app/protocol/protocol-file.ts'
import { sha256 } from '#app/sha256.ts'
import { RotaError } from '#base/errors.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import { isWorse, meanLoss } from '#core/learner/local-loss.ts'
import type { Model } from '#core/model/model.ts'
import { generatedStudy, LOGISTIC } from '../../support/studies.ts'
import { PROTOCOL_TEXT } from '../cohort/support.ts'

/*
  A protocol's validation section
  ├── is there by default where a masked study averages, and can be taken back
  ├── is refused where nobody needs it, where nothing is foretold, and where it would tell of rows without noise
  └── a site votes by the mean loss over its test rows: not with too few of them, not before there is a model
*/
const MASKED = 'mode: masked\nminSites: 5\nmaxSites: 8\n'
const TEXT = PROTOCOL_TEXT.trimStart()
const AVERAGED = TEXT.replace('{ kind: logistic }', '{ kind: logistic, algorithm: fedavg, rounds: 3, learningRate: 0.5 }')

describe('a validation section', () => {
  it('is usual where a masked study averages', () => {
    assert.deepEqual(parseProtocol(AVERAGED + MASKED).validation, { tolerance: 0.25, minRows: 10 })
    for (const text of [AVERAGED, TEXT, TEXT + MASKED]) assert.equal(parseProtocol(text).validation, undefined)
    const taken = parseProtocol(`${AVERAGED}${MASKED}validation: { tolerance: none }\n`)
    assert.equal(taken.validation?.tolerance, 'none')
    assert.deepEqual(parseProtocol(protocolToYaml(taken)), taken)
    assert.equal(parseProtocol(`${TEXT}${MASKED}validation: { tolerance: 0.5 }\n`).validation?.tolerance, 0.5)
  })

  const bad: readonly (readonly [what: string, text: string, code: string, says: RegExp])[] = [
    ['in an open study', AVERAGED, 'ROTA-3043', /only where updates are hidden sites vote/],
    [
      'of statistics',
      TEXT.replace('{ kind: logistic }', '{ kind: statistics }').replace('label: {', 'label: { kind: binary,') + MASKED,
      'ROTA-3043',
      /foretell nothing/,
    ],
    ['in a private study', `${TEXT.replace('maxRows: 50', 'maxRows: 500')}${MASKED}privacy: { epsilon: 3, delta: 1e-4 }\n`, 'ROTA-3043', /nothing is charged/],
  ]
  for (const [what, text, code, says] of bad)
    it(`is refused ${what}`, () => {
      assert.throws(
        () => parseProtocol(`${text}validation: { tolerance: 0.5 }\n`),
        (error) => error instanceof RotaError && error.code === code && says.test(error.message),
      )
    })

  for (const tolerance of ['0', '-1', '33', 'much'])
    it(`is refused with a tolerance of ${tolerance}`, () => {
      const text = `${AVERAGED}${MASKED}validation: { tolerance: ${tolerance} }\n`
      assert.throws(
        () => parseProtocol(text),
        (error) => error instanceof RotaError && error.code === 'ROTA-3043' && /validation\.tolerance/.test(error.message),
      )
    })
})

describe('a vote', () => {
  const { protocol, sites } = generatedStudy({ sites: 3, rows: 60, learner: LOGISTIC })
  const rows = sites[0]?.rows as (typeof sites)[number]['rows']
  const columns = protocol.features.length
  const fitted = (slope: number): Model => {
    const coef = [0, ...new Array<number>(columns).fill(slope)]
    return {
      version: 1,
      learner: 'logistic/newton',
      stage: 'fit',
      refusals: 0,
      state: { coef, mean: new Array<number>(columns).fill(0), std: new Array<number>(columns).fill(1) },
    }
  }
  const spec = { tolerance: 0.25, minRows: 10 }

  it('is by the mean loss over the test rows', () => {
    const even = meanLoss(fitted(0), protocol, rows.train, rows.test) as number
    assert.ok(Math.abs(even - Math.log(2)) < 1e-12)
    assert.equal(isWorse(fitted(0), fitted(50), protocol, rows, spec), true)
    assert.equal(isWorse(fitted(50), fitted(0), protocol, rows, spec), false)
    assert.equal(isWorse(fitted(0), fitted(50), protocol, rows, { ...spec, tolerance: 32 }), false)
  })

  it('is not against a model where there is nothing to measure', () => {
    assert.equal(isWorse(fitted(0), fitted(50), protocol, rows, { ...spec, minRows: rows.test.rows + 1 }), false)
    assert.equal(isWorse(fitted(0), fitted(50), protocol, rows, { ...spec, tolerance: 'none' }), false)
    assert.equal(isWorse(learnerFor(protocol, sha256).initial(), fitted(50), protocol, rows, spec), false)
  })
})
