import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { generateCohort } from '#core/model/generated-cohort.ts'
import { checkOverflow, checkProtocol, neuralFractionBits } from '#core/protocol/check.ts'
import type { Feature, Label, LearnerSpec, Protocol } from '#core/protocol/protocol.ts'
import { fedavg, network, newton, protocolOf } from './support.ts'

const { features, label } = generateCohort({ sites: 1, rows: 10, seed: 1 })
const number: Label = { ...label, kind: 'number', range: [0, 100] }
const count: Label = { ...label, kind: 'count', range: [0, 250] }
const good = protocolOf(newton('logistic'), features, label)
const refuse = (changes: Partial<Protocol>, code: string, base = good): void => assert.throws(() => checkProtocol({ ...base, ...changes }), { code })
const feature = (change: Partial<Feature>): Partial<Protocol> => ({ features: [{ ...(features[0] as Feature), ...change }, ...features.slice(1)] })

describe('a protocol’s numbers', () => {
  it('given any learner with sensible numbers, it passes', () => {
    const cases: [LearnerSpec, Label][] = [
      [newton('logistic'), label],
      [newton('logistic', { siteIntercepts: true, l2: 0.1, standardise: 'none' }), label],
      [newton('linear'), number],
      [newton('linear'), count],
      [newton('poisson'), count],
      [fedavg(100, 5), label],
      [network(), label],
      [{ kind: 'statistics', bins: 20 }, number],
    ]
    for (const [learner, of] of cases) checkProtocol(protocolOf(learner, features, of))
  })

  it('given the label among the features, or a feature twice, it names the column', () => {
    refuse(feature({ name: label.name }), 'ROTA-2301')
    refuse(feature({ name: features[1]?.name as string }), 'ROTA-2303')
    refuse(feature({ name: '(intercept)' }), 'ROTA-2303')
    refuse({ features: [] }, 'ROTA-2304')
  })

  it('given a range that is empty, upside down or not finite, it refuses', () => {
    for (const range of [
      [1, 1],
      [2, 1],
      [0, Number.POSITIVE_INFINITY],
      [Number.NaN, 1],
      [-1e308, 1e308],
    ] as [number, number][]) {
      refuse(feature({ range }), 'ROTA-2302')
      refuse({ label: { ...number, range } }, 'ROTA-2302', protocolOf(newton('linear'), features, number))
    }
    refuse(feature({ missing: { fill: 1e9 } }), 'ROTA-2304')
    refuse({ label: { ...label, range: [0, 2] } }, 'ROTA-2304')
    refuse({ label: { ...count, range: [-1, 5] } }, 'ROTA-2302', protocolOf(newton('poisson'), features, count))
  })

  it('given a label that does not suit the learner, it refuses', () => {
    refuse({ label: number }, 'ROTA-2305')
    refuse({ learner: newton('poisson'), label: number }, 'ROTA-2305')
    refuse({ learner: newton('linear') }, 'ROTA-2305')
    refuse({ label: number }, 'ROTA-2305', protocolOf(network(), features, label))
  })

  it('given learner settings out of range, it names the setting', () => {
    const learners: LearnerSpec[] = [
      newton('logistic', { l2: -1 }),
      newton('logistic', { tolerance: 0 }),
      newton('logistic', { maxIterations: 0 }),
      fedavg(0, 1),
      fedavg(1, 1.5),
      fedavg(1, 1, { learningRate: Number.NaN }),
      { kind: 'statistics', bins: 0 },
    ]
    for (const learner of learners) refuse({ learner }, 'ROTA-2304')
    const neural = protocolOf(network(), features, label)
    for (const change of [{ normBound: 0 }, { fractionBits: 31 }, { batchSize: 0 }, { layers: [] }] as const)
      refuse({ learner: network(change) }, 'ROTA-2304', neural)
    refuse({ learner: network({ layers: [{ className: 'Dense', config: { units: 2, activation: 'sigmoid', useBias: true } }] }) }, 'ROTA-2304', neural)
    refuse({ learner: network({ layers: [{ className: 'Dense', config: { units: 1, activation: 'relu', useBias: true } }] }) }, 'ROTA-2304', neural)
  })

  it('given counts that do not fit together, it refuses', () => {
    refuse({ quorum: 24 }, 'ROTA-2304')
    refuse({ maxSites: 257 }, 'ROTA-2304')
    refuse({ minSites: 0 }, 'ROTA-2304')
    refuse({ cohort: { rule: '', minRows: 11, maxRows: 10 } }, 'ROTA-2304')
    refuse({ cohort: { rule: '', minRows: 1, maxRows: 10, differencing: 'rest' }, privacy: {} as never }, 'ROTA-2304')
    refuse({ arithmetic: { wordBits: 32, fractionBits: 32 } }, 'ROTA-2304')
    refuse({ arithmetic: { wordBits: 64, fractionBits: 41 } }, 'ROTA-2304')
  })

  it('given sums that could wrap around, it names stage and coordinate', () => {
    assert.throws(() => checkOverflow({ ...good, maxSites: 256, cohort: { rule: '', minRows: 1, maxRows: 1e9 } }), { code: 'ROTA-2104' })
    assert.throws(
      () => checkOverflow(protocolOf(network({ fractionBits: 28 }), features, label)),
      (error: Error & { details: object }) => {
        assert.deepEqual(error.details, { stage: 'fit', coordinate: 'delta', wordBits: 32, needed: 37 })
        return true
      },
    )
    assert.throws(() => checkOverflow(good, 2 ** 62), { code: 'ROTA-2104' })
  })

  it('given 256 sites of 10,000 rows, the default 32 fraction bits fit every exact learner', () => {
    for (const [learner, of] of [
      [newton('logistic', { siteIntercepts: true }), label],
      [newton('linear'), number],
      [newton('poisson', { siteIntercepts: true }), { ...count, range: [0, 1e6] as const }],
      [fedavg(1, 1), label],
    ] as [LearnerSpec, Label][])
      checkProtocol(protocolOf(learner, features, of, { maxSites: 256 }))
  })

  it('given a norm bound and a number of sites, the fraction bits proposed fit, and one more does not', () => {
    for (const [normBound, maxSites] of [
      [10, 23],
      [10, 256],
      [1, 4],
      [1000, 100],
    ] as const) {
      const bits = neuralFractionBits(normBound, maxSites)
      const study = (fractionBits: number): Protocol =>
        protocolOf(network({ normBound, fractionBits }), features, label, { maxSites, cohort: { rule: '', minRows: 1, maxRows: 1000 } })
      checkOverflow(study(bits))
      if (bits < 20) assert.throws(() => checkOverflow(study(bits + 1)), { code: 'ROTA-2104' })
    }
    assert.equal(neuralFractionBits(10, 23), 20)
  })
})
