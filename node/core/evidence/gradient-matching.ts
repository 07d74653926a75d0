import type { LayerSpec } from '../protocol/protocol.ts'
import { denseGradient } from './dense-gradient.ts'

export interface MatchingTask {
  readonly layers: readonly LayerSpec[]
  /** Where the training began. */
  readonly weights: ArrayLike<number>
  /** How the weights changed; its length does not matter. */
  readonly change: ArrayLike<number>
  /** Of the rows looked for: an attacker is taken to know the outcomes. */
  readonly labels: readonly number[]
  readonly inputs: number
  /** Where the search begins, from −1 to 1. */
  readonly random: () => number
}

export interface MatchingEffort {
  readonly starts: number
  readonly steps: number
}

/**
 * Looks for rows whose gradient points where the weights went: gradient descent with momentum on 1 − cosine over the rows' features, from several
 * starts, of which the best ends. Works where several rows were mixed, as no division does; an attacker with more time does better.
 * @returns a row for each label, in their order
 * @see Zhu et al. 2019, arXiv:1906.08935; Geiping et al. 2020, arXiv:2003.14053, for the cosine
 */
export function matchGradient(task: MatchingTask, { starts, steps }: MatchingEffort): readonly Float64Array[] {
  let best: { readonly loss: number; readonly rows: Float64Array } | null = null
  for (let start = 0; start < starts; start++) {
    const rows = Float64Array.from({ length: task.labels.length * task.inputs }, () => task.random())
    const loss = descend(task, rows, steps)
    if (best === null || loss < best.loss) best = { loss, rows }
  }
  const found = best?.rows ?? new Float64Array(task.labels.length * task.inputs)
  return task.labels.map((_, i) => found.slice(i * task.inputs, (i + 1) * task.inputs))
}

const [RATE, DECAY, SPREAD, TINY, STEP] = [0.05, 0.9, 0.999, 1e-12, 1e-4]

/** Adam (Kingma and Ba 2015); the slope by differences, since there are few coordinates. */
function descend(task: MatchingTask, rows: Float64Array, steps: number): number {
  const [mean, square] = [new Float64Array(rows.length), new Float64Array(rows.length)]
  for (let step = 1; step <= steps; step++) {
    const here = lossAt(task, rows)
    // Slower towards the end, so that it settles.
    const rate = RATE * Math.min(1, (2 * (steps - step + 1)) / steps)
    const slope = rows.map((x, i) => {
      rows[i] = x + STEP
      const there = lossAt(task, rows)
      rows[i] = x
      return (there - here) / STEP
    })
    for (let i = 0; i < rows.length; i++) {
      const s = slope[i] as number
      mean[i] = DECAY * (mean[i] as number) + (1 - DECAY) * s
      square[i] = SPREAD * (square[i] as number) + (1 - SPREAD) * s * s
      const scaled = (mean[i] as number) / (1 - DECAY ** step) / (Math.sqrt((square[i] as number) / (1 - SPREAD ** step)) + TINY)
      rows[i] = (rows[i] as number) - rate * scaled
    }
  }
  return lossAt(task, rows)
}

/** Weights go against the gradient. */
function lossAt({ layers, weights, change, labels, inputs }: MatchingTask, rows: Float64Array): number {
  const features = labels.map((_, i) => rows.subarray(i * inputs, (i + 1) * inputs))
  const gradient = denseGradient(layers, weights, { features, labels })
  let [dot, ours, theirs] = [0, 0, 0]
  for (let i = 0; i < gradient.length; i++) {
    const [g, c] = [gradient[i] as number, change[i] as number]
    dot -= g * c
    ours += g * g
    theirs += c * c
  }
  return ours > 0 && theirs > 0 ? 1 - dot / Math.sqrt(ours * theirs) : 1
}
