import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseProtocol, protocolToYaml } from '#app/protocol/protocol-file.ts'
import { checkOffered, rulesOf } from '#app/protocol/study-rules.ts'
import { type ErrorCode, isRotaError, RotaError } from '#base/errors.ts'
import { checkProtocol } from '#core/protocol/check.ts'
import { decodeProtocol, encodeProtocol } from '#wire/protocol.ts'
import { PROTOCOL_TEXT } from '../cohort/support.ts'

const TEXT = PROTOCOL_TEXT.trimStart()
const NEURAL = TEXT.replace(
  '{ kind: logistic }',
  '{ kind: neural, rounds: 5, learningRate: 0.1, layers: [{ className: Dense, config: { units: 1, activation: sigmoid } }] }',
)
const RESTING = TEXT.replace('minRows: 2', 'minRows: 2, differencing: rest')
const GROUPED = TEXT.replace('kind: logistic', 'kind: logistic, algorithm: fedavg, rounds: 5, learningRate: 0.5').concat('mode: groups\nminSites: 15\n')
const lineOf = (part: string, text = TEXT) => text.split('\n').findIndex((line) => line.includes(part)) + 1

describe('a protocol', () => {
  it('gets its defaults', () => {
    const p = parseProtocol(TEXT)
    assert.equal(p.version, 1)
    assert.deepEqual(p.features[0], { name: 'age', description: '', unit: 'a', range: [0, 120], missing: 'refuse' })
    assert.deepEqual(p.label, { name: 'outcome', description: '', unit: '1', kind: 'binary', range: [0, 1] })
    assert.deepEqual(p.learner, {
      kind: 'logistic',
      algorithm: 'newton',
      l2: 0,
      siteIntercepts: false,
      standardise: 'pooled',
      tolerance: 1e-9,
      maxIterations: 25,
    })
    assert.deepEqual(p.arithmetic, { wordBits: 64, fractionBits: 32 })
    assert.deepEqual([p.mode, p.slices, p.minSites, p.quorum, p.maxSites, p.maxRounds], ['open', 1, 3, 3, 16, 60])
    for (const limit of Object.values(p.limits)) assert.ok(limit.blocks >= p.maxSites + 3 && limit.seconds >= p.maxSites + 3)
  })

  it('gets time to witness each of its slices', () => {
    const { witnessing, publishing } = parseProtocol(`${TEXT}minSites: 8\nslices: 8\n`).limits
    assert.deepEqual([witnessing.blocks, publishing.blocks], [3 * 8 + 3, 16 + 3])
    assert.equal(parseProtocol(`${TEXT}minSites: 30\nmaxSites: 30\nslices: 30\n`).limits.witnessing.seconds, 3 * 30 + 3)
  })

  it('gets the defaults of its learner', () => {
    const neural = parseProtocol(NEURAL)
    assert.deepEqual(neural.arithmetic, { wordBits: 32, fractionBits: 32 })
    assert.equal(neural.learner.kind === 'neural' && neural.learner.fractionBits, 20)
    assert.equal(neural.maxRounds, 15)
    assert.equal(parseProtocol(TEXT.replace('kind: logistic', 'kind: logistic, algorithm: fedavg, rounds: 100, learningRate: 0.5')).maxRounds, 110)
    assert.equal(parseProtocol(TEXT.replace('kind: logistic', 'kind: poisson').replace('outcome }', 'outcome, range: [0, 30] }')).label.kind, 'count')
    assert.equal(parseProtocol(TEXT.replace('kind: logistic', 'kind: statistics').replace('outcome }', 'outcome, range: [0, 30] }')).label.kind, 'number')
  })

  it('says that patients may rest, and nothing where they may not: digests stay what they were', () => {
    const rest = parseProtocol(RESTING)
    assert.equal(rest.cohort.differencing, 'rest')
    assert.deepEqual(decodeProtocol(encodeProtocol(parseProtocol(protocolToYaml(rest)))), rest)
    assert.deepEqual(encodeProtocol(parseProtocol(RESTING.replace('differencing: rest', 'differencing: abstain'))), encodeProtocol(parseProtocol(TEXT)))
    assert.equal('differencing' in parseProtocol(TEXT).cohort, false)
  })

  it('is the same after writing and reading, and in canonical bytes', () => {
    for (const text of [TEXT, NEURAL]) {
      const protocol = parseProtocol(text)
      assert.deepEqual(parseProtocol(protocolToYaml(protocol)), protocol)
      assert.deepEqual(decodeProtocol(encodeProtocol(protocol)), protocol)
    }
    // Order of keys, comments and spelled-out defaults do not change what is approved.
    const [title, ...rest] = TEXT.trimEnd().split('\n')
    const moved = `${rest.join('\n')}\n# a comment\n${title}\nminSites: 3\n`
    assert.deepEqual(encodeProtocol(parseProtocol(moved)), encodeProtocol(parseProtocol(TEXT)))
  })
})

interface Bad {
  readonly is: string
  readonly text: string
  readonly code?: ErrorCode
  readonly line?: number
  readonly says: RegExp
}

const bad: readonly Bad[] = [
  { is: 'no YAML', text: TEXT.replace('title: Blood', 'title: [Blood'), code: 'ROTA-3041', says: /line \d+/ },
  { is: 'a key twice', text: `${TEXT}title: again\n`, code: 'ROTA-3041', line: lineOf('learner') + 1, says: /unique/i },
  { is: 'nothing', text: '', says: /the file/ },
  { is: 'a list', text: '- 1\n', says: /object/ },
  { is: 'a misspelt key', text: TEXT.replace('lawfulBasis', 'lawfullBasis'), code: 'ROTA-3042', line: 3, says: /lawfullBasis \(nearest: lawfulBasis\)/ },
  {
    is: 'a misspelt key of a feature',
    text: TEXT.replace('missing: drop-row', 'mising: drop-row'),
    code: 'ROTA-3042',
    line: lineOf('sbp'),
    says: /nearest: missing/,
  },
  {
    is: 'a misspelt key of the learner',
    text: TEXT.replace('kind: logistic', 'kind: logistic, siteIntercept: true'),
    code: 'ROTA-3042',
    line: lineOf('learner'),
    says: /nearest: siteIntercepts/,
  },
  { is: 'a key of another learner', text: TEXT.replace('kind: logistic', 'kind: logistic, localSteps: 3'), code: 'ROTA-3042', says: /localSteps/ },
  { is: 'a misspelt key of a layer', text: NEURAL.replace('activation', 'activaton'), code: 'ROTA-3042', says: /nearest: activation/ },
  { is: 'a missing key', text: TEXT.replace(/purpose.*\n/, ''), says: /purpose/ },
  { is: 'a number as text', text: TEXT.replace('range: [0, 120]', 'range: [0, high]'), line: lineOf('age'), says: /features\.0\.range\.1/ },
  { is: 'a range the wrong way round', text: TEXT.replace('[0, 120]', '[120, 0]'), line: lineOf('age'), says: /smaller/ },
  { is: 'an unknown learner', text: TEXT.replace('kind: logistic', 'kind: logistik'), line: lineOf('learner'), says: /nearest: logistic/ },
  { is: 'an unknown algorithm', text: TEXT.replace('kind: logistic', 'kind: logistic, algorithm: newtn'), says: /nearest: newton/ },
  { is: 'an unknown rule for missing values', text: TEXT.replace('drop-row', 'drop'), line: lineOf('sbp'), says: /refuse, drop-row/ },
  { is: 'another version', text: `version: 2\n${TEXT}`, line: 1, says: /version 1 only/ },
  { is: 'a feature twice', text: TEXT.replace('name: sbp', 'name: age'), line: lineOf('sbp'), says: /twice/ },
  { is: 'the label among the features', text: TEXT.replace('name: sbp', 'name: outcome'), line: lineOf('sbp'), says: /never a feature/ },
  { is: 'a fill outside the range', text: TEXT.replace('fill: 200', 'fill: 900'), line: lineOf('chol'), says: /outside the range/ },
  { is: 'a number for a logistic study', text: TEXT.replace('outcome }', 'outcome, kind: number, range: [0, 9] }'), line: lineOf('label'), says: /binary/ },
  { is: 'a binary label from 1 to 2', text: TEXT.replace('outcome }', 'outcome, range: [1, 2] }'), says: /\[0, 1\]/ },
  { is: 'no range for a number', text: TEXT.replace('kind: logistic', 'kind: linear'), line: lineOf('label'), says: /needs a range/ },
  { is: 'a quorum above minSites', text: `${TEXT}quorum: 4\n`, line: lineOf('learner') + 1, says: /at most minSites/ },
  {
    is: 'a limit that the chain would refuse',
    text: `${TEXT}limits:\n  attesting: { seconds: 30, blocks: 5 }\n`,
    line: lineOf('learner') + 2,
    says: /minSites \+ 3 = 6/,
  },
  {
    is: 'a limit too short to witness each slice',
    text: `${TEXT}slices: 3\nlimits:\n  witnessing: { seconds: 30, blocks: 11 }\n`,
    line: lineOf('learner') + 3,
    says: /3 × slices \+ 3 = 12/,
  },
  { is: 'a masked study of 3 sites', text: `${TEXT}mode: masked\n`, says: /at least 5/ },
  { is: 'a masked study in which too few unmask', text: `${TEXT}mode: masked\nminSites: 5\nquorum: 3\n`, says: /needs at least 4/ },
  { is: 'a masked study of 101 sites', text: `${TEXT}mode: masked\nminSites: 5\nmaxSites: 101\n`, says: /at most 100/ },
  {
    is: 'a masked study without time for keys',
    text: `${TEXT}mode: masked\nminSites: 5\nlimits: { keying: { seconds: 9, blocks: 9 } }\n`,
    says: /at least 2 × \(minSites \+ 3\) = 16/,
  },
  { is: 'a way that there is not', text: RESTING.replace('differencing: rest', 'differencing: sleep'), says: /differencing/ },
  {
    is: 'a network whose patients rest',
    text: NEURAL.replace('minRows: 2', 'minRows: 2, differencing: rest'),
    line: lineOf('cohort'),
    says: /only exact learners/,
  },
  {
    is: 'noise, and patients who rest',
    text: `${RESTING}privacy: { epsilon: 2, delta: 0.0001, noise: 9 }\n`,
    says: /only exact learners/,
  },
  { is: 'an exact fit in groups', text: `${TEXT}mode: groups\nminSites: 15\n`, says: /no groups for this study: it adds up what all rows say/ },
  { is: 'noise in groups', text: `${GROUPED}privacy: { epsilon: 2, delta: 0.0001, noise: 9 }\n`, says: /its noise is reckoned for one sum/ },
  { is: 'a study of 14 in groups', text: GROUPED.replace('minSites: 15', 'minSites: 14'), says: /at least 15 sites/ },
  { is: 'groups of less than four', text: `${GROUPED}quorum: 11\n`, says: /at least 12 in groups/ },
  { is: '32-bit words for exact sums', text: `${TEXT}arithmetic: { wordBits: 32 }\n`, says: /must be 64/ },
  { is: 'too few rounds for moments and evaluation', text: `${NEURAL}maxRounds: 5\n`, says: /rounds of their own/ },
  { is: 'two outputs for one label', text: NEURAL.replace('units: 1', 'units: 2'), says: /1 unit/ },
  { is: 'an auditor without a key', text: `${TEXT}readers: [{ name: A, encryptionKey: 0x12 }]\n`, says: /encryptionKey/ },
  {
    is: 'a tiny thing that unfolds to a huge one',
    text: `a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c]\n${TEXT}`,
    code: 'ROTA-3041',
    says: /alias/i,
  },
]

it('a masked protocol is offered from five sites on, with as many in a round as can unmask a sum', async () => {
  const masked = parseProtocol(`${TEXT}mode: masked\nminSites: 5\n`)
  assert.deepEqual([(await rulesOf(masked)).mode, masked.quorum], ['masked', 4])
  for (const wrong of [{ minSites: 4 }, { quorum: 3 }, { maxSites: 101 }])
    await assert.rejects(rulesOf({ ...masked, ...wrong }), (error) => isRotaError(error, 'ROTA-5302'), JSON.stringify(wrong))
  assert.doesNotThrow(() => checkOffered(parseProtocol(TEXT)))
})

it('a study in groups is a masked one to the chain, and what has no groups is refused however it was written', async () => {
  const grouped = parseProtocol(GROUPED)
  assert.deepEqual([(await rulesOf(grouped)).mode, grouped.quorum, grouped.validation], ['masked', 12, undefined])
  assert.equal(parseProtocol(`${GROUPED}validation: { tolerance: 0.5 }\n`).validation?.tolerance, 0.5)
  assert.throws(
    () => checkProtocol({ ...grouped, learner: parseProtocol(TEXT).learner }),
    (error) => isRotaError(error, 'ROTA-2332'),
  )
  for (const wrong of [{ quorum: 11 }, { minSites: 14 }])
    assert.throws(
      () => checkOffered({ ...grouped, ...wrong }),
      (error) => isRotaError(error, 'ROTA-2304'),
      JSON.stringify(wrong),
    )
})

it('a protocol whose sums could overflow the ring is refused', () => {
  const text = TEXT.replace('maxRows: 50', 'maxRows: 1000000000').concat('arithmetic: { fractionBits: 40 }\n')
  assert.throws(
    () => parseProtocol(text),
    (error) => isRotaError(error, 'ROTA-2104'),
  )
})

describe('a bad protocol is explained, with its line', () => {
  for (const { is, text, code = 'ROTA-3043', line, says } of bad) {
    it(is, () => {
      assert.throws(
        () => parseProtocol(text, 'study.yaml'),
        (error) => {
          assert.ok(error instanceof RotaError, String(error))
          assert.equal(error.code, code, error.message)
          assert.match(error.message, says)
          assert.match(error.message, /^study\.yaml, line \d+/)
          if (line !== undefined) assert.equal(error.details['line'], line, error.message)
          return true
        },
      )
    })
  }
})
