import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { correlation, rowsShown } from '#core/evidence/inversion.ts'
import { likelihoodRatios } from '#core/evidence/likelihood-ratio.ts'
import { propertyScores } from '#core/evidence/property.ts'
import { separationOf } from '#core/evidence/separation.ts'
import { initialWeights } from '#core/learner/dense.ts'
import type { NeuralTask } from '#core/learner/learner.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { LayerSpec } from '#core/protocol/protocol.ts'
import { plainTrainer } from '../plain-trainer.ts'
import { sha256 } from '../support.ts'

// what an update, a model or a sum shows, by attacks that must work on what is not protected
// ├── the first layer's change shows the row that made it; a sum of many sites' changes shows less
// ├── likelihood ratios find the records that a model knows by heart, better than its loss does
// └── a small cohort's update shows that its patients have more of a risk factor than others

const INPUTS = 12
const layer = (units: number, activation: LayerSpec['config']['activation']): LayerSpec => ({
  className: 'Dense',
  config: { units, activation, useBias: true },
})
const LAYERS = [layer(8, 'tanh'), layer(1, 'sigmoid')]
const WEIGHTS = initialWeights(LAYERS, INPUTS, 'evidence', sha256)

const random = new Seeded(21)
const normal = (): number => Math.sqrt(-2 * Math.log(random.uniform())) * Math.cos(2 * Math.PI * random.uniform())

interface Rows {
  readonly features: Float32Array
  readonly labels: Float32Array
}

const rowsOf = ({ features }: Rows): Float32Array[] =>
  Array.from({ length: features.length / INPUTS }, (_, i) => features.subarray(i * INPUTS, (i + 1) * INPUTS))

/** Their outcome follows the first input, a risk factor, and chance; `shift` says how much more of it this cohort has. */
function drawRows(count: number, shift = 0): Rows {
  const features = Float32Array.from({ length: count * INPUTS }, (_, i) => normal() + (i % INPUTS === 0 ? shift : 0))
  return { features, labels: Float32Array.from({ length: count }, (_, i) => ((features[i * INPUTS] as number) + normal() > 0 ? 1 : 0)) }
}

async function train(rows: Rows, more: Partial<NeuralTask> = {}): Promise<Float32Array> {
  const task = { layers: LAYERS, inputs: INPUTS, weights: WEIGHTS, ...rows, loss: 'binaryCrossentropy' as const, epochs: 1, batchSize: rows.labels.length }
  return plainTrainer({ ...task, learningRate: 0.1, shuffleSeed: new Uint8Array(32), ...more }, new AbortController().signal)
}

const changeOf = (after: Float32Array): Float32Array => after.map((weight, i) => weight - (WEIGHTS[i] as number))
const firstLayer = (change: Float32Array) => ({
  inputs: INPUTS,
  units: 8,
  kernel: change.subarray(0, INPUTS * 8),
  bias: change.subarray(INPUTS * 8, INPUTS * 8 + 8),
})

/** How near the best of the guesses comes to any of the rows; 0 where nothing was guessed. */
const best = (guesses: readonly ArrayLike<number>[], rows: readonly ArrayLike<number>[]): number =>
  Math.max(0, ...guesses.flatMap((guess) => rows.map((row) => correlation(guess, row))))
const mean = (guesses: readonly ArrayLike<number>[], rows: readonly ArrayLike<number>[]): number =>
  guesses.reduce((sum, guess) => sum + best([guess], rows), 0) / guesses.length

describe('the change of a first layer', () => {
  it('shows the row that made it', async () => {
    const one = drawRows(1)
    assert.ok(best(rowsShown(firstLayer(changeOf(await train(one)))), rowsOf(one)) > 0.999)
  })

  it('shows less of many rows, and least in a sum over sites', async () => {
    const sites = Array.from({ length: 8 }, () => drawRows(60))
    const changes = await Promise.all(sites.map(async (rows) => changeOf(await train(rows))))
    const alone = mean(rowsShown(firstLayer(changes[0] as Float32Array)).slice(0, 3), rowsOf(sites[0] as Rows).slice(0, 1))
    const sum = changes.reduce((total, change) => total.map((x, i) => x + (change[i] as number)))
    const together = mean(rowsShown(firstLayer(sum)).slice(0, 3), rowsOf(sites[0] as Rows).slice(0, 1))
    assert.ok(Math.max(alone, together) < 0.9, `${alone}, ${together}`)
  })

  it('shows nothing where nothing moved', () => {
    assert.deepEqual(rowsShown(firstLayer(new Float32Array(WEIGHTS.length))), [])
    assert.equal(correlation([1, 1], [1, 2]), 0)
  })
})

describe('likelihood ratios', () => {
  const MODELS = 16
  const RECORDS = 60

  it('find what a model knows by heart', { timeout: 60_000 }, async () => {
    const pool = drawRows(RECORDS)
    const rows = rowsOf(pool)
    const models = await Promise.all(Array.from({ length: MODELS + 1 }, () => overfitted(pool, rows)))
    const [target, ...shadows] = models as [Overfitted, ...Overfitted[]]
    const sure = (model: Overfitted, i: number): number => model.confidence[i] as number
    const scores = likelihoodRatios(
      rows.map((_, i) => sure(target, i)),
      rows.map((_, i) => ({
        with: shadows.filter(({ members }) => members.has(i)).map((model) => sure(model, i)),
        without: shadows.filter(({ members }) => !members.has(i)).map((model) => sure(model, i)),
      })),
    )
    const split = <T>(of: readonly T[]) => ({ members: of.filter((_, i) => target.members.has(i)), others: of.filter((_, i) => !target.members.has(i)) })
    const byRatio = separationOf(split(scores))?.area ?? 0
    const byLoss = separationOf(split(rows.map((_, i) => sure(target, i))))?.area ?? 0
    assert.ok(byRatio > 0.8, `${byRatio}`)
    assert.ok(byRatio > byLoss, `${byRatio} and ${byLoss}`)
  })

  it('are no better than chance about what was not trained on', () => {
    const draw = (): number => 1 / (1 + Math.exp(-normal()))
    const scores = likelihoodRatios(
      Array.from({ length: 400 }, draw),
      Array.from({ length: 400 }, () => ({ with: Array.from({ length: 4 }, draw), without: Array.from({ length: 4 }, draw) })),
    )
    const area = separationOf({ members: scores.slice(0, 200), others: scores.slice(200) })?.area ?? 0
    assert.ok(Math.abs(area - 0.5) < 0.1, `${area}`)
  })

  interface Overfitted {
    readonly members: ReadonlySet<number>
    readonly confidence: readonly number[]
  }

  async function overfitted(pool: Rows, rows: readonly Float32Array[]): Promise<Overfitted> {
    const chosen = rows.map((_, i) => i).filter(() => random.uniform() < 0.5)
    const features = Float32Array.from(chosen.flatMap((i) => [...(rows[i] as Float32Array)]))
    const weights = await train(
      { features, labels: Float32Array.from(chosen, (i) => pool.labels[i] as number) },
      { epochs: 150, batchSize: 5, learningRate: 0.5 },
    )
    return { members: new Set(chosen), confidence: rows.map((row, i) => confidenceOf(weights, row, pool.labels[i] as number)) }
  }

  function confidenceOf(weights: Float32Array, row: Float32Array, outcome: number): number {
    let score = weights[INPUTS * 8 + 16] as number
    for (let unit = 0; unit < 8; unit++) {
      let sum = weights[INPUTS * 8 + unit] as number
      for (let i = 0; i < INPUTS; i++) sum += (row[i] as number) * (weights[i * 8 + unit] as number)
      score += Math.tanh(sum) * (weights[INPUTS * 8 + 8 + unit] as number)
    }
    const probability = 1 / (1 + Math.exp(-score))
    return outcome === 1 ? probability : 1 - probability
  }
})

describe('property inference', () => {
  it('tells a small cohort’s property by its update, and nothing where there is none to tell', async () => {
    const updateOf = async (shift: number): Promise<Float32Array> => changeOf(await train(drawRows(40, shift)))
    const areaFor = async (shift: number): Promise<number> => {
      const known = await Promise.all(Array.from({ length: 60 }, async (_, i) => ({ values: await updateOf(i % 2 === 0 ? shift : 0), has: i % 2 === 0 })))
      const [having, lacking] = await Promise.all([shift, 0].map((s) => Promise.all(Array.from({ length: 30 }, () => updateOf(s)))))
      return separationOf({ members: propertyScores(known, having ?? []), others: propertyScores(known, lacking ?? []) })?.area ?? 0
    }
    const [seen, nothing] = [await areaFor(1.5), await areaFor(0)]
    assert.ok(seen > 0.9, `${seen}`)
    assert.ok(nothing < 0.75, `${nothing}`)
  })
})
