import { sigmoid, tanh } from '../learner/elementary.ts'
import type { LayerSpec } from '../protocol/protocol.ts'

/** Rows that a gradient is taken of. */
export interface GradientRows {
  readonly features: readonly ArrayLike<number>[]
  readonly labels: readonly number[]
}

/**
 * The gradient of dense layers' summed loss over rows, flat, kernel before bias; by the book, in float64: an attacker's own. Cross-entropy behind a sigmoid
 * and half the squared error behind a line have the same error signal.
 */
export function denseGradient(layers: readonly LayerSpec[], weights: ArrayLike<number>, { features, labels }: GradientRows): Float64Array {
  const gradient = new Float64Array(weights.length)
  for (const [i, row] of features.entries()) addRow(layers, weights, row, labels[i] as number, gradient)
  return gradient
}

function addRow(layers: readonly LayerSpec[], weights: ArrayLike<number>, row: ArrayLike<number>, label: number, gradient: Float64Array): void {
  const outputs: ArrayLike<number>[] = [row]
  const starts: number[] = []
  let at = 0
  for (const layer of layers) {
    const input = outputs.at(-1) as ArrayLike<number>
    starts.push(at)
    outputs.push(forward(layer, weights, at, input))
    at += input.length * layer.config.units + (layer.config.useBias ? layer.config.units : 0)
  }
  let signal: Float64Array = Float64Array.of((outputs.at(-1)?.[0] ?? 0) - label)
  for (let l = layers.length - 1; l >= 0; l--) {
    const { config } = layers[l] as LayerSpec
    const output = outputs[l + 1] as ArrayLike<number>
    if (l < layers.length - 1) signal = signal.map((s, u) => s * slope(config.activation, output[u] as number))
    signal = back(config, weights, starts[l] as number, outputs[l] as ArrayLike<number>, signal, gradient)
  }
}

function forward({ config: { units, activation, useBias } }: LayerSpec, weights: ArrayLike<number>, at: number, input: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: units }, (_, u) => {
    let sum = useBias ? (weights[at + input.length * units + u] as number) : 0
    for (let i = 0; i < input.length; i++) sum += (input[i] as number) * (weights[at + i * units + u] as number)
    if (activation === 'relu') return Math.max(0, sum)
    if (activation === 'tanh') return tanh(sum)
    return activation === 'sigmoid' ? sigmoid(sum) : sum
  })
}

/** Adds the layer's part, and returns the signal before it. */
function back(
  { units, useBias }: LayerSpec['config'],
  weights: ArrayLike<number>,
  at: number,
  input: ArrayLike<number>,
  signal: Float64Array,
  gradient: Float64Array,
): Float64Array {
  const before = new Float64Array(input.length)
  for (let i = 0; i < input.length; i++) {
    for (let u = 0; u < units; u++) {
      const place = at + i * units + u
      gradient[place] = (gradient[place] as number) + (input[i] as number) * (signal[u] as number)
      before[i] = (before[i] as number) + (weights[place] as number) * (signal[u] as number)
    }
  }
  if (useBias)
    for (let u = 0; u < units; u++) gradient[at + input.length * units + u] = (gradient[at + input.length * units + u] as number) + (signal[u] as number)
  return before
}

const slope = (activation: LayerSpec['config']['activation'], output: number): number => {
  if (activation === 'relu') return output > 0 ? 1 : 0
  if (activation === 'tanh') return 1 - output * output
  return activation === 'sigmoid' ? output * (1 - output) : 1
}
