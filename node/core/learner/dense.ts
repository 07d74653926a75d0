import type { Sha256 } from '#base/bytes.ts'
import { utf8 } from '#base/bytes.ts'
import { Seeded } from '../model/seeded.ts'
import type { LayerSpec } from '../protocol/protocol.ts'
import { sigmoid, tanh } from './elementary.ts'

/** Weights of the layers one after the other, kernel (inputs × units, row-major) before bias. */
export function weightCount(layers: readonly LayerSpec[], inputs: number): number {
  let count = 0
  let width = inputs
  for (const { config } of layers) {
    count += width * config.units + (config.useBias ? config.units : 0)
    width = config.units
  }
  return count
}

/**
 * Glorot-uniform kernels and zero biases, drawn from a hash counter: SHA-256(seed ‖ counter) is the state of a generator for
 * 1,024 weights (ten million take a fifth of a second, a hash for every few weights two). The same on every machine, which a
 * framework's own initialiser is not.
 */
export function initialWeights(layers: readonly LayerSpec[], inputs: number, seed: string, sha256: Sha256): Float32Array {
  const weights = new Float32Array(weightCount(layers, inputs))
  const draw = counterDraws(seed, sha256)
  let at = 0
  let width = inputs
  for (const { config } of layers) {
    const limit = Math.sqrt(6 / (width + config.units))
    for (const end = at + width * config.units; at < end; at++) weights[at] = draw() * limit
    if (config.useBias) at += config.units
    width = config.units
  }
  return weights
}

/** Uniform on (-1, 1) in 2^32 steps. */
function counterDraws(seed: string, sha256: Sha256): () => number {
  const prefix = utf8(`rota/initial-weights/${seed}/`)
  const input = new Uint8Array(prefix.length + 4)
  input.set(prefix)
  const counter = new DataView(input.buffer, prefix.length)
  let generator = new Seeded(0)
  let draws = 0
  return () => {
    if (draws % DRAWS_A_HASH === 0) {
      counter.setUint32(0, draws / DRAWS_A_HASH, true)
      generator = new Seeded(sha256(input))
    }
    draws++
    return (generator.word() + 0.5) / 0x80000000 - 1
  }
}

const DRAWS_A_HASH = 1024

const ACTIVATIONS: Readonly<Record<LayerSpec['config']['activation'], (x: number) => number>> = {
  linear: (x) => x,
  relu: (x) => (x > 0 ? x : 0),
  sigmoid,
  tanh,
}

/** The network's answer to one row of standardised features, in float64: evaluation and prediction need no training backend. */
export function forward(layers: readonly LayerSpec[], weights: Float32Array, features: ArrayLike<number>): number {
  let input = Float64Array.from(features)
  let at = 0
  for (const { config } of layers) {
    const { units, useBias } = config
    const output = new Float64Array(units)
    for (let i = 0; i < input.length; i++) {
      const x = input[i] as number
      for (let u = 0; u < units; u++) output[u] = (output[u] as number) + x * (weights[at + u] as number)
      at += units
    }
    const activate = ACTIVATIONS[config.activation]
    for (let u = 0; u < units; u++) output[u] = activate((output[u] as number) + (useBias ? (weights[at + u] as number) : 0))
    if (useBias) at += units
    input = output
  }
  return input[0] as number
}
