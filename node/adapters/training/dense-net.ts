import { RotaError } from '#base/errors.ts'
import type { NeuralTask } from '#core/learner/learner.ts'

export const ACTIVATIONS = ['linear', 'relu', 'sigmoid', 'tanh'] as const
export type Activation = (typeof ACTIVATIONS)[number]

export interface DenseLayer {
  readonly inputs: number
  readonly units: number
  readonly activation: Activation
  readonly useBias: boolean
}

/** What decides how fast a step is: backends are compared by it. */
export type NetShape = Pick<NeuralTask, 'layers' | 'inputs' | 'loss' | 'batchSize'>

/** @throws ROTA-3051 for anything but Dense layers with known activations */
export function denseLayers(shape: Pick<NeuralTask, 'layers' | 'inputs'>): readonly DenseLayer[] {
  if (!isCount(shape.inputs) || shape.layers.length === 0) throw refuse('no inputs or no layers')
  let inputs = shape.inputs
  return shape.layers.map(({ className, config }) => {
    const { units, activation = 'linear', useBias = true } = config
    const known = ACTIVATIONS.find((a) => a === activation)
    if (className !== 'Dense') throw refuse(`layers of class ${className}`)
    if (!isCount(units) || known === undefined || typeof useBias !== 'boolean')
      throw refuse(`a Dense layer with units ${String(units)}, activation ${String(activation)}`)
    const layer = { inputs, units, activation: known, useBias }
    inputs = units
    return layer
  })
}

export const weightCount = (layers: readonly DenseLayer[]): number =>
  layers.reduce((sum, layer) => sum + layer.inputs * layer.units + (layer.useBias ? layer.units : 0), 0)

/**
 * Looked at before anything is sent to a training process.
 * @throws ROTA-3051 with what does not fit
 */
export function checkTask(task: NeuralTask): void {
  const layers = denseLayers(task)
  const last = layers.at(-1) as DenseLayer
  const rows = task.features.length / task.inputs
  if (!isCount(rows)) throw refuse(`${task.features.length} feature values for rows of ${task.inputs}`)
  if (task.labels.length !== rows * last.units) throw refuse(`${task.labels.length} labels for ${rows} rows and ${last.units} outputs`)
  if (task.weights.length !== weightCount(layers)) throw refuse(`${task.weights.length} weights for a model of ${weightCount(layers)}`)
  if (!isCount(task.batchSize) || !Number.isSafeInteger(task.epochs) || task.epochs < 0) throw refuse('batch size or epochs')
  if (!(task.learningRate > 0) || !Number.isFinite(task.learningRate)) throw refuse('learning rate')
  if (task.shuffleSeed.length !== 32) throw refuse(`a shuffle seed of ${task.shuffleSeed.length} bytes`)
  if (task.loss !== 'binaryCrossentropy' && task.loss !== 'meanSquaredError') throw refuse(`loss ${String(task.loss)}`)
  if (task.loss === 'binaryCrossentropy' && last.activation !== 'sigmoid' && last.activation !== 'linear')
    throw refuse(`binaryCrossentropy after ${last.activation}: the last layer must be sigmoid or linear`)
  if (![task.weights, task.features, task.labels].every((values) => values.every(Number.isFinite)))
    throw refuse('weights, features or labels that are no numbers')
}

const refuse = (reason: string): RotaError => new RotaError('ROTA-3051', { reason })
const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) > 0
