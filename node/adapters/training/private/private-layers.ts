import { RotaError } from '#base/errors.ts'
import type { Tensor } from '../tf.ts'
import type { Sequential } from './tfl.ts'

type Layer = Sequential['layers'][number]
type Variable = Layer['trainableWeights'][number]

interface Weighted {
  readonly layer: Layer
  /** Kernel before bias; scale before shift. */
  readonly weights: readonly Variable[]
}

/** A layer as private training sees it. `other`: it has weights, and no short cut to one patient's gradient. */
export type PrivateLayer =
  | ({ readonly kind: 'dense' } & Weighted & Activated)
  | ({ readonly kind: 'conv'; readonly strides: readonly [number, number]; readonly padding: 'same' | 'valid' } & Weighted & Activated)
  | ({ readonly kind: 'norm'; readonly groups: number; readonly epsilon: number } & Weighted)
  | ({ readonly kind: 'plain' | 'other' } & Weighted)

interface Activated {
  readonly useBias: boolean
  readonly activation: string
  readonly activate: (x: Tensor) => Tensor
}

/**
 * @throws ROTA-2381 for batch normalisation, also within other layers; ROTA-2386 for layers that carry something from one row to the next
 */
export function privateLayers(model: Sequential): readonly PrivateLayer[] {
  const layers = model.layers.filter((layer) => layer.getClassName() !== 'InputLayer').map(privateLayer)
  if (!layers.some(({ weights }) => weights.length > 0)) throw new RotaError('ROTA-2386', { reason: 'it has no weights' })
  return layers
}

function privateLayer(layer: Layer): PrivateLayer {
  const config = layer.getConfig()
  if (names(layer.getClassName(), config, BATCH_NORMALISATION)) throw new RotaError('ROTA-2381', { layer: layer.name })
  if (layer.stateful) throw new RotaError('ROTA-2386', { reason: `layer ${layer.name} keeps a state from batch to batch` })
  const base = { layer, weights: layer.trainableWeights }
  if (base.weights.length === 0) return { kind: 'plain', ...base }
  const inner = layer as unknown as { readonly activation?: { apply(x: Tensor): Tensor } | null }
  const activation = String(config['activation'] ?? 'linear')
  const activated = { useBias: base.weights.length > 1, activation, activate: (x: Tensor) => (activation === 'linear' ? x : (inner.activation?.apply(x) ?? x)) }
  switch (layer.getClassName()) {
    case 'Dense':
      return { kind: 'dense', ...base, ...activated }
    case 'GroupNormalization':
      return { kind: 'norm', ...base, groups: config['groups'] as number, epsilon: config['epsilon'] as number }
    case 'Conv1D':
    case 'Conv2D':
      return isPlainConvolution(config) ? { kind: 'conv', ...base, ...activated, ...windowsOf(config) } : { kind: 'other', ...base }
    default:
      return { kind: 'other', ...base }
  }
}

type Config = ReturnType<Layer['getConfig']>

const isPlainConvolution = (config: Config): boolean =>
  config['dataFormat'] !== 'channelsFirst' &&
  (config['padding'] === 'same' || config['padding'] === 'valid') &&
  [config['dilationRate'] ?? 1].flat().every((rate) => rate === 1)

function windowsOf(config: Config): { readonly strides: readonly [number, number]; readonly padding: 'same' | 'valid' } {
  const strides = [config['strides']].flat() as number[]
  return {
    strides: strides.length === 1 ? [1, strides[0] as number] : [strides[0] as number, strides[1] as number],
    padding: config['padding'] as 'same' | 'valid',
  }
}

const BATCH_NORMALISATION = /^BatchNorm/i

/** Whether a layer is of such a class, or its configuration names one at any depth. */
function names(className: string, config: unknown, wanted: RegExp): boolean {
  if (wanted.test(className)) return true
  if (config === null || typeof config !== 'object') return false
  return Object.entries(config).some(([key, value]) => (/^class_?name$/i.test(key) ? wanted.test(String(value)) : names('', value, wanted)))
}
