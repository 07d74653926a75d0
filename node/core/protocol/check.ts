import { RotaError } from '#base/errors.ts'
import { stageLayouts } from '../learner/learner-for.ts'
import type { VectorLayout } from '../ring/vectors.ts'
import { checkGroups } from './check-groups.ts'
import { checkPrivacy } from './check-privacy.ts'
import { isPrivate } from './private-rounds.ts'
import { type FedAvgSpec, isDeterministic, type LearnerSpec, mayRest, type NeuralSpec, type Protocol, type RegressionSpec } from './protocol.ts'

/**
 * The rules of a protocol that are about numbers; its form is checked where it is read (app/protocol/protocol-file.ts, wire/protocol.ts).
 * Run when a study is made, and again before a steward approves one.
 * @param mostSites size of a set of sites: a bitmap of 256 on a real chain
 * @throws ROTA-2104 and ROTA-23xx, the first that applies
 */
export function checkProtocol(protocol: Protocol, mostSites = 256): void {
  checkCounts(protocol, mostSites)
  checkFeatures(protocol)
  checkLabel(protocol)
  checkLearner(protocol.learner)
  checkGroups(protocol)
  if (protocol.start !== undefined && protocol.learner.kind !== 'neural')
    throw new RotaError('ROTA-2304', { parameter: 'start', value: `a model for ${protocol.learner.kind}`, expected: 'a network to train on' })
  if (mayRest(protocol) && !isDeterministic(protocol))
    throw new RotaError('ROTA-2304', { parameter: 'cohort.differencing', value: 'rest', expected: 'left out: only exact learners need it' })
  checkArithmetic(protocol)
  checkValidation(protocol)
  if (isPrivate(protocol)) checkPrivacy(protocol)
  checkOverflow(protocol)
}

/** Word size of a study's vectors: neural weights take 32-bit words, all else 64. */
export const wordBitsFor = (learner: LearnerSpec): 32 | 64 => (learner.kind === 'neural' ? 32 : 64)

function checkCounts({ cohort, minSites, quorum, maxSites, maxRounds, slices }: Protocol, mostSites: number): void {
  whole('cohort.minRows', cohort.minRows, 1, cohort.maxRows)
  whole('cohort.maxRows', cohort.maxRows, 1, 1_000_000_000)
  whole('maxSites', maxSites, 1, mostSites)
  whole('minSites', minSites, 1, maxSites)
  whole('quorum', quorum, 1, maxSites)
  whole('slices', slices, 1, minSites)
  whole('maxRounds', maxRounds, 1, 1_000_000)
}

function checkFeatures({ features, label, learner }: Protocol): void {
  if (features.length === 0) throw new RotaError('ROTA-2304', { parameter: 'features', value: 'empty', expected: 'at least one feature' })
  const seen = new Set<string>()
  for (const { name, range, missing } of features) {
    if (name === label.name) throw new RotaError('ROTA-2301', { column: name })
    if (seen.has(name)) throw new RotaError('ROTA-2303', { column: name })
    seen.add(name)
    checkRange(name, range)
    if (typeof missing === 'object') within(`the fill of ${name}`, missing.fill, range[0], range[1])
    if (learner.kind !== 'statistics' && name === '(intercept)') throw new RotaError('ROTA-2303', { column: name })
  }
}

function checkRange(column: string, [low, high]: readonly [number, number]): void {
  // Mapped to [-1, 1]: half the range must be a normal number too.
  if (!(Number.isFinite(low) && Number.isFinite(high) && high - low > 1e-300 && high - low < 1e300)) throw new RotaError('ROTA-2302', { column, low, high })
}

function checkLabel({ label, learner }: Protocol): void {
  const { name, kind, range } = label
  checkRange(name, range)
  if (kind === 'binary' && (range[0] !== 0 || range[1] !== 1))
    throw new RotaError('ROTA-2304', { parameter: `the range of ${name}`, value: `[${range}]`, expected: '[0, 1] for a binary label' })
  if (kind === 'count' && range[0] < 0) throw new RotaError('ROTA-2302', { column: name, low: range[0], high: range[1] })
  const fits = suits(learner)
  if (!fits.includes(kind)) throw new RotaError('ROTA-2305', { learner: learner.kind, kind, column: name })
}

function suits(learner: LearnerSpec): readonly string[] {
  switch (learner.kind) {
    case 'logistic':
      return ['binary']
    case 'poisson':
      return ['count']
    case 'linear':
      return ['number', 'count']
    case 'neural':
      return learner.loss === 'binaryCrossentropy' ? ['binary'] : ['number', 'count']
    default:
      return ['binary', 'number', 'count']
  }
}

function checkLearner(learner: LearnerSpec): void {
  if (learner.kind === 'statistics') whole('learner.bins', learner.bins, 1, 1000)
  else if (learner.algorithm === 'newton') checkNewton(learner)
  else {
    whole('learner.rounds', learner.rounds, 1, 1_000_000)
    positive('learner.learningRate', learner.learningRate)
    if (learner.kind === 'neural') checkNeural(learner)
    else checkFedAvg(learner)
  }
}

function checkNewton({ l2, tolerance, maxIterations }: RegressionSpec): void {
  within('learner.l2', l2, 0, 1e6)
  within('learner.tolerance', tolerance, 1e-15, 0.1)
  whole('learner.maxIterations', maxIterations, 1, 1000)
}

function checkFedAvg({ l2, localSteps }: FedAvgSpec): void {
  within('learner.l2', l2, 0, 1e6)
  whole('learner.localSteps', localSteps, 1, 100_000)
}

function checkNeural(learner: NeuralSpec): void {
  whole('learner.localEpochs', learner.localEpochs, 1, 10_000)
  whole('learner.batchSize', learner.batchSize, 1, 1_000_000)
  positive('learner.normBound', learner.normBound)
  whole('learner.fractionBits', learner.fractionBits, 0, 30)
  checkLayers(learner)
}

function checkLayers({ layers, loss }: NeuralSpec): void {
  layers.forEach(({ config }, i) => whole(`learner.layers[${i}].units`, config.units, 1, 100_000))
  const last = layers.at(-1)?.config
  if (last?.units !== 1) throw new RotaError('ROTA-2304', { parameter: 'units of the last layer', value: last?.units ?? 'missing', expected: '1' })
  if (loss === 'binaryCrossentropy' && last.activation !== 'sigmoid')
    throw new RotaError('ROTA-2304', { parameter: 'activation of the last layer', value: last.activation, expected: 'sigmoid for binaryCrossentropy' })
}

function checkValidation({ validation, cohort }: Protocol): void {
  if (validation === undefined) return
  if (validation.tolerance !== 'none') within('validation.tolerance', validation.tolerance, 1e-6, 32)
  whole('validation.minRows', validation.minRows, 1, cohort.maxRows)
}

function checkArithmetic({ arithmetic, learner }: Protocol): void {
  const wordBits = wordBitsFor(learner)
  if (arithmetic.wordBits !== wordBits) throw new RotaError('ROTA-2304', { parameter: 'arithmetic.wordBits', value: arithmetic.wordBits, expected: wordBits })
  // 16: coarser row sums are useless. 40: a row's statistic stays below 2^51, where float64 still rounds it to a whole.
  whole('arithmetic.fractionBits', arithmetic.fractionBits, 16, 40)
}

/**
 * maxSites · (2 · bound · scale + noise) < 2^k for every coordinate of every stage, so that no sum can wrap around. A coordinate's
 * bound covers all of a site's rows (exact: maxRows × one row's bound; neural: the norm bound, as the weight is at most 1).
 * Exact coordinates are sums in Z_2^64 in words of either size.
 * @param noiseTail what a later privacy noise may add at one site, in integer steps
 * @throws ROTA-2104 naming stage and coordinate
 */
export function checkOverflow(protocol: Protocol, noiseTail = 0): void {
  for (const { stage, layout } of stageLayouts(protocol)) {
    for (const block of layout.blocks) {
      const needed = Math.log2(protocol.maxSites * (2 * block.bound * 2 ** block.fractionBits + 1 + noiseTail))
      const wordBits = bitsOf(layout)
      if (!(needed < wordBits)) throw new RotaError('ROTA-2104', { stage, coordinate: block.name, wordBits, needed: Math.ceil(needed) })
    }
  }
}

const bitsOf = ({ wordBits, limbs }: VectorLayout): number => (limbs === 4 ? 64 : wordBits)

/** The most fraction bits, at most 20, with which a neural study's sums fit their 32-bit words. */
export function neuralFractionBits(normBound: number, maxSites: number): number {
  const bits = Math.floor(Math.log2((2 ** 32 / maxSites - 1) / (2 * normBound)) - 1e-9)
  return Math.max(0, Math.min(20, bits))
}

function whole(parameter: string, value: number, low: number, high: number): void {
  if (!(Number.isInteger(value) && value >= low && value <= high))
    throw new RotaError('ROTA-2304', { parameter, value, expected: `a whole number from ${low} to ${high}` })
}

function within(parameter: string, value: number, low: number, high: number): void {
  if (!(value >= low && value <= high)) throw new RotaError('ROTA-2304', { parameter, value, expected: `from ${low} to ${high}` })
}

function positive(parameter: string, value: number): void {
  if (!(value > 0 && value <= 1e6)) throw new RotaError('ROTA-2304', { parameter, value, expected: 'above 0 and at most 1000000' })
}
