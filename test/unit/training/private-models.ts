import { groupNormalization } from '#adapters/training/private/group-normalization.ts'
import type { Sequential, Tfl } from '#adapters/training/private/tfl.ts'
import type { Tf } from '#adapters/training/tf.ts'
import { grouped, type Patients } from '#core/learner/private/units.ts'
import { Seeded } from '#core/model/seeded.ts'

/** Models and rows from a seed, for tests of private training. */
export interface PrivateCase {
  readonly name: string
  readonly model: Sequential
  readonly inputs: number
  readonly outputs: number
}

export function sequentialOf(tf: Tf, tfl: Tfl, random: Seeded, layers: readonly ReturnType<Tfl['layers']['dense']>[]): Sequential {
  const model = tfl.sequential({ layers: [...layers] as never })
  model.setWeights(model.getWeights().map((weight) => tf.tensor(floats(weight.size, random, 0.7), weight.shape)))
  return model
}

/** Dense, with sequences, convolutions in one and two dimensions with strides and paddings, pools, and group normalisation. */
export function cases(tf: Tf, tfl: Tfl, seed: number): PrivateCase[] {
  const random = new Seeded(seed)
  const { layers: l } = tfl
  const pick = <T>(...among: readonly T[]): T => among[Math.floor(random.uniform() * among.length)] as T
  const size = (least: number, most: number): number => least + Math.floor(random.uniform() * (most - least + 1))
  const activation = (): 'relu' | 'tanh' | 'sigmoid' | 'linear' => pick('relu', 'tanh', 'sigmoid', 'linear')
  const norm = (groups: number) => new (groupNormalization(tf, tfl))({ groups })
  const make = (name: string, inputs: number, outputs: number, layers: readonly unknown[]): PrivateCase => ({
    name,
    model: sequentialOf(tf, tfl, random, layers as never),
    inputs,
    outputs,
  })
  const conv2d = (inputShape?: [number, number, number]) =>
    l.conv2d({
      ...(inputShape ? { inputShape } : {}),
      filters: 2 * size(1, 4),
      kernelSize: [size(1, 3), size(1, 3)],
      strides: [size(1, 2), size(1, 2)],
      padding: pick('same', 'valid'),
      activation: activation(),
      useBias: random.uniform() < 0.7,
    })
  const conv1d = (inputShape?: [number, number]) =>
    l.conv1d({
      ...(inputShape ? { inputShape } : {}),
      filters: 2 * size(1, 3),
      kernelSize: size(1, 4),
      strides: size(1, 2),
      padding: pick('same', 'valid'),
      activation: activation(),
    })
  const width = size(1, 9)
  return [
    make('dense', width, 1, [
      l.dense({ units: size(1, 9), inputShape: [width], activation: activation() }),
      l.dense({ units: size(2, 5), activation: activation(), useBias: false }),
      l.dense({ units: 1, activation: 'sigmoid' }),
    ]),
    make('dense on sequences', 12, 2, [l.dense({ units: 5, inputShape: [4, 3], activation: activation() }), l.flatten(), l.dense({ units: 2 })]),
    make('convolution of sequences', 40, 1, [
      conv1d([20, 2]),
      norm(2),
      l.activation({ activation: 'tanh' }),
      conv1d(),
      l.globalAveragePooling1d({}),
      l.dense({ units: 1, activation: 'sigmoid' }),
    ]),
    make('convolution of images', 9 * 8 * 2, 1, [
      conv2d([9, 8, 2]),
      norm(1),
      l.averagePooling2d({ poolSize: 2, padding: 'same' }),
      conv2d(),
      l.flatten(),
      l.dense({ units: 1 }),
    ]),
    make('normalised rows', 12, 1, [l.reshape({ targetShape: [3, 4], inputShape: [12] }), norm(2), l.flatten(), l.dense({ units: 1, activation: 'sigmoid' })]),
  ]
}

export const floats = (length: number, random: Seeded, scale = 1): Float32Array => Float32Array.from({ length }, () => scale * (2 * random.uniform() - 1))

/** So many patients with one to four rows each, in mixed order. */
export function rowsFor(
  { inputs, outputs }: Pick<PrivateCase, 'inputs' | 'outputs'>,
  count: number,
  random: Seeded,
): { features: Float32Array; labels: Float32Array; patients: Patients } {
  const numbers = Uint32Array.from({ length: 3 * count }, (_, i) => (i < count ? i : Math.floor(random.uniform() * count)))
  const labels = Float32Array.from({ length: numbers.length * outputs }, () => (random.uniform() < 0.5 ? 0 : 1))
  return { features: floats(numbers.length * inputs, random), labels, patients: grouped(numbers, count) }
}
