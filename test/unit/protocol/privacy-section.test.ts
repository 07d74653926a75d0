import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { planPrivacy } from '#app/privacy/plan.ts'
import { protocolSection } from '#app/privacy/plan-tables.ts'
import { parseProtocol, protocolToYaml } from '#app/protocol/protocol-file.ts'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { sha256 } from '#app/sha256.ts'
import { type ErrorCode, isRotaError, RotaError } from '#base/errors.ts'
import { learnerFor, stageLayouts } from '#core/learner/learner-for.ts'
import { isWithin } from '#core/privacy/chain-lanes.ts'
import { checkProtocol } from '#core/protocol/check.ts'
import { epsilonOnChain, isPaidFor, metricsNoise, policyWords } from '#core/protocol/private-rounds.ts'
import type { PrivacySpec, Protocol } from '#core/protocol/protocol.ts'
import { decodeProtocol, encodeProtocol } from '#wire/protocol.ts'
import { PROTOCOL_TEXT } from '../cohort/support.ts'

/*
  A protocol's privacy section
  ├── fills in what follows: noise for all rounds within the limit, steps, minimum
  ├── is part of what stewards approve, and comes back from YAML and canonical bytes
  ├── each mistake has its error: a line where a key or its form is wrong, one code where a number is
  └── makes a study that is not exact, whose runs release the fit, and test metrics where it says so, alone
*/
const TEXT = PROTOCOL_TEXT.trimStart().replace('maxRows: 50', 'maxRows: 500')
const LOCAL = `${TEXT}privacy: { epsilon: 3, delta: 1e-4 }\n`
const NEURAL = TEXT.replace(
  '{ kind: logistic }',
  '{ kind: neural, rounds: 5, localEpochs: 2, learningRate: 0.1, layers: [{ className: Dense, config: { units: 1, activation: sigmoid } }] }',
)
const network = (keys: string): string => `${NEURAL}privacy: { epsilon: 8, delta: 1e-4, ${keys} }\n`
const privacyOf = (text: string): PrivacySpec => parseProtocol(text).privacy as PrivacySpec

describe('a privacy section', () => {
  it('gets what follows from learner and limit', () => {
    const privacy = privacyOf(LOCAL)
    assert.deepEqual(
      { ...privacy, noise: 0, metrics: 0 },
      { unit: 'patient', epsilon: 3, delta: 1e-4, clip: 1, place: 'local', samplingRate: 1, steps: 1, minPatients: 20, noise: 0, metrics: 0 },
    )
    const { learner, maxRounds } = parseProtocol(LOCAL)
    assert.equal('maxIterations' in learner && learner.maxIterations, 3)
    assert.ok(maxRounds > 3)
    // Three rounds of the fit, and that of the test metrics.
    assert.ok(epsilonOnChain(privacy, 4) <= 3)
    assert.ok(epsilonOnChain({ ...privacy, noise: 0.995 * privacy.noise }, 4) > 3)
    const net = privacyOf(network('samplingRate: 0.25, expectedBatch: 20'))
    assert.deepEqual([net.steps, net.expectedBatch], [8, 20])
    assert.equal(privacyOf(LOCAL.replace('minRows: 2', 'minRows: 60')).minPatients, 60)
    assert.equal(parseProtocol(TEXT).privacy, undefined)
    const shared = privacyOf(`${with_('place: distributed')}${MASKED}`)
    assert.deepEqual([shared.place, shared.colluders, 'colluders' in privacy], ['distributed', 1, false])
  })

  it('pays for test metrics with as much as a round costs, where it does not say otherwise', () => {
    const privacy = privacyOf(LOCAL)
    assert.equal(privacy.metrics, privacy.noise)
    const [none, named] = [privacyOf(with_('metrics: none')), privacyOf(with_('metrics: 40'))]
    assert.ok(!('metrics' in none) && none.noise < 0.9 * privacy.noise, 'a fourth release is not spent')
    assert.deepEqual([named.metrics, named.noise], [40, privacy.noise])
    assert.ok(!('metrics' in privacyOf(with_('noise: 20'))), 'who names the noise names that of the metrics too')
    assert.ok(!('metrics' in privacyOf(LOCAL.replace('logistic', 'statistics').replace('outcome }', 'outcome, range: [0, 1] }'))))
    const net = privacyOf(network('samplingRate: 0.25, expectedBatch: 20'))
    const { charge } = policyWords(net)
    assert.ok(isPaidFor(net.metrics as number, charge) && !isPaidFor(0.995 * (net.metrics as number), charge))
    assert.ok(epsilonOnChain(net, 6) <= 8)
    const least = { samplingRate: 1e-4, steps: 1, noise: 1000 }
    assert.equal(
      privacyOf(network(`samplingRate: 1e-4, steps: 1, expectedBatch: 20, noise: 1000, metrics: ${metricsNoise(least)}`)).metrics,
      metricsNoise(least),
    )
  })

  it('is part of what stewards approve', () => {
    for (const text of [LOCAL, with_('metrics: none'), network('samplingRate: 0.25, expectedBatch: 20')]) {
      const protocol = parseProtocol(text)
      assert.deepEqual(parseProtocol(protocolToYaml(protocol)), protocol)
      assert.deepEqual(decodeProtocol(encodeProtocol(protocol)), protocol)
      const { privacy: _, ...open } = protocol
      assert.notDeepEqual(encodeProtocol(protocol), encodeProtocol(open as Protocol))
    }
  })

  it('is what a plan advises', () => {
    const plan = (localSteps: number, batch: number) =>
      planPrivacy({ metrics: true, cohort: 300, rounds: localSteps === 1 ? 3 : 5, localSteps, batch, epsilon: 3, delta: 1e-4, accountant: 'rdp' })
    const exact = privacyOf(`${TEXT}${protocolSection(plan(1, 300))}\n`)
    assert.ok(exact.noise >= plan(1, 300).noise && exact.epsilon < 3.2)
    const net = privacyOf(`${NEURAL}${protocolSection(plan(4, 60))}\n`)
    assert.deepEqual([net.samplingRate, net.steps, net.expectedBatch], [0.2, 4, 60])
    assert.ok(exact.metrics === exact.noise && (net.metrics ?? 0) > net.noise)
  })

  it('becomes words for the chain that a round is within', () => {
    const { charge, limit } = policyWords(privacyOf(LOCAL))
    assert.ok(isWithin(charge, limit))
  })

  it('makes a study that no withdrawal halts, and that tells the fit and noisy metrics alone', async () => {
    assert.equal((await rulesOf(parseProtocol(LOCAL))).exact, false)
    assert.equal((await rulesOf(parseProtocol(TEXT))).exact, true)
    const protocol = parseProtocol(LOCAL)
    const learner = learnerFor(protocol, sha256)
    assert.equal(learner.initial().stage, 'fit')
    assert.deepEqual(
      learner.layout(learner.initial()).blocks.map(({ name }) => name),
      ['noisy sum'],
    )
    const stages = (text: string): string[] => stageLayouts(parseProtocol(text)).map(({ stage }) => stage)
    assert.deepEqual([stages(LOCAL), stages(with_('metrics: none'))], [['fit', 'evaluation'], ['fit']])
  })
})

interface Bad {
  readonly is: string
  readonly text: string
  readonly code: ErrorCode
  readonly says: RegExp
  readonly line?: number
}

const MASKED = 'mode: masked\nminSites: 5\nmaxSites: 8\n'
const LINE = TEXT.split('\n').length
const with_ = (keys: string): string => `${TEXT}privacy: { epsilon: 3, delta: 1e-4, ${keys} }\n`

const bad: readonly Bad[] = [
  { is: 'a misspelt key', text: with_('epsilom: 3'), code: 'ROTA-3042', line: LINE, says: /nearest: epsilon/ },
  { is: 'no delta', text: `${TEXT}privacy: { epsilon: 3 }\n`, code: 'ROTA-3043', line: LINE, says: /privacy\.delta/ },
  { is: 'a number as text', text: with_('noise: much'), code: 'ROTA-3043', line: LINE, says: /privacy\.noise/ },
  { is: 'rows as the unit', text: with_('unit: row'), code: 'ROTA-3043', line: LINE, says: /each has one row/ },
  { is: 'a network without a sampling rate', text: network('expectedBatch: 20'), code: 'ROTA-3043', line: LINE, says: /probability/ },
  { is: 'a network without an expected batch', text: network('samplingRate: 0.5'), code: 'ROTA-3043', line: LINE, says: /expected to draw/ },
  { is: 'a batch where all are used', text: with_('expectedBatch: 20'), code: 'ROTA-3043', line: LINE, says: /only networks/ },
  { is: 'a minimum that no site can have', text: with_('minPatients: 501'), code: 'ROTA-3043', line: LINE, says: /maxRows/ },
  { is: 'shares of noise without masks', text: with_('place: distributed'), code: 'ROTA-3043', line: LINE, says: /mode must be masked/ },
  {
    is: 'shares of noise for a network',
    text: `${network('samplingRate: 0.5, expectedBatch: 20, place: distributed')}${MASKED}`,
    code: 'ROTA-3043',
    line: LINE,
    says: /local/,
  },
  { is: 'colluders where they do not matter', text: with_('colluders: 1'), code: 'ROTA-3043', line: LINE, says: /does not count on others/ },
  { is: 'nobody left to add noise', text: `${with_('place: distributed, colluders: 4')}${MASKED}`, code: 'ROTA-3043', line: LINE, says: /below quorum/ },
  {
    is: 'shares too small for the grid',
    text: `${with_('place: distributed, clip: 1e-6, noise: 3')}${MASKED}arithmetic: { fractionBits: 16 }\n`,
    code: 'ROTA-2384',
    says: /8 steps of the grid/,
  },
  { is: 'epsilon 0', text: `${TEXT}privacy: { epsilon: 0, delta: 1e-4, noise: 5 }\n`, code: 'ROTA-2351', says: /Epsilon is 0/ },
  { is: 'an epsilon that is not filled up to', text: `${TEXT}privacy: { epsilon: -1, delta: 1e-4 }\n`, code: 'ROTA-2351', says: /Epsilon is -1/ },
  { is: 'an epsilon beyond the chain', text: `${TEXT}privacy: { epsilon: 101, delta: 1e-4, noise: 5 }\n`, code: 'ROTA-2360', says: /on chain/ },
  { is: 'delta 1', text: `${TEXT}privacy: { epsilon: 3, delta: 1, noise: 5 }\n`, code: 'ROTA-2352', says: /Delta is 1/ },
  {
    is: 'a delta that allows one of the fewest patients',
    text: `${TEXT}privacy: { epsilon: 3, delta: 0.05, noise: 50 }\n`,
    code: 'ROTA-2359',
    says: /20 patients/,
  },
  { is: 'q above 1', text: network('samplingRate: 1.5, expectedBatch: 20'), code: 'ROTA-2353', says: /1\.5/ },
  { is: 'no noise', text: with_('noise: 0'), code: 'ROTA-2354', says: /noise is 0/ },
  { is: 'no steps', text: network('samplingRate: 0.5, expectedBatch: 20, steps: 0'), code: 'ROTA-2355', says: /steps is 0/ },
  { is: 'fewer patients than are planned for', text: with_('minPatients: 19'), code: 'ROTA-2356', says: /19 patients/ },
  { is: 'drawn patients where all are used', text: with_('samplingRate: 0.5'), code: 'ROTA-2384', says: /samplingRate is 0\.5/ },
  { is: 'a clip of 0', text: with_('clip: 0'), code: 'ROTA-2384', says: /clip is 0/ },
  { is: 'noise that overflows the ring', text: with_('noise: 60000'), code: 'ROTA-2385', says: /64-bit words/ },
  {
    is: 'a learner without a private form',
    text: LOCAL.replace('logistic', 'logistic, algorithm: fedavg, rounds: 3, learningRate: 0.5'),
    code: 'ROTA-2387',
    says: /averaging/,
  },
  { is: 'counts', text: LOCAL.replace('logistic', 'poisson').replace('outcome }', 'outcome, range: [0, 30] }'), code: 'ROTA-2387', says: /poisson/ },
  { is: 'private intercepts', text: LOCAL.replace('logistic', 'logistic, siteIntercepts: true'), code: 'ROTA-2387', says: /intercepts/ },
  { is: 'metrics that a round does not pay for', text: with_('noise: 6, metrics: 5.9'), code: 'ROTA-2384', says: /metrics is 5\.9.*6 at least/ },
  {
    is: 'metrics of what foretells nothing',
    text: with_('metrics: 9').replace('logistic', 'statistics').replace('outcome }', 'outcome, range: [0, 1] }'),
    code: 'ROTA-2384',
    says: /statistics foretell/,
  },
  { is: 'metrics in words', text: with_('metrics: some'), code: 'ROTA-3043', line: LINE, says: /a number, or none/ },
  { is: 'metrics that spend more than the limit', text: with_('noise: 2.6, metrics: 2.6'), code: 'ROTA-2388', says: /4 rounds of the study spend/ },
  { is: 'rounds that spend more than the limit', text: with_('noise: 2'), code: 'ROTA-2388', says: /3 rounds of the study spend/ },
]

describe('a privacy section is refused with', () => {
  for (const { is, text, code, line, says } of bad) {
    it(`${is}: ${code}`, () => {
      assert.throws(
        () => parseProtocol(text),
        (error: unknown) => {
          assert.ok(error instanceof RotaError)
          assert.equal(error.code, code)
          assert.match(error.message, says)
          if (line !== undefined) assert.equal(error.details.line, line)
          return true
        },
      )
    })
  }

  it('what is wrong only where it did not come from YAML', () => {
    const protocol = parseProtocol(LOCAL)
    const broken = { ...protocol, privacy: { ...(protocol.privacy as PrivacySpec), steps: 2 } }
    assert.throws(
      () => checkProtocol(broken),
      (error) => isRotaError(error, 'ROTA-2384'),
    )
  })
})
