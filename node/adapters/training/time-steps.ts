import type { NeuralTask } from '#core/learner/learner.ts'
import { denseLayers, type NetShape, weightCount } from './dense-net.ts'
import type { Tf } from './tf.ts'
import { trainOn } from './train-loop.ts'

const WARM_UP_STEPS = 3
const SAMPLES = 5
const SAMPLE_MS = 15
const MAX_STEPS = 100

/**
 * Milliseconds of one step on the study's own model, on made-up rows: the median of a few runs of many steps, so that
 * handing weights over counts as little as it does in training. Ends within about 0.1 s for small models.
 */
export async function msPerStep(tf: Tf, shape: NetShape): Promise<number> {
  const task = oneStepTask(shape)
  const run = async (steps: number): Promise<number> => {
    const start = performance.now()
    await trainOn(tf, { ...task, epochs: steps }, () => undefined)
    return (performance.now() - start) / steps
  }
  await run(WARM_UP_STEPS)
  const steps = Math.min(MAX_STEPS, Math.max(1, Math.floor(SAMPLE_MS / (await run(1)))))
  const times: number[] = []
  for (let i = 0; i < SAMPLES; i++) times.push(await run(steps))
  return times.sort((a, b) => a - b)[SAMPLES >> 1] as number
}

function oneStepTask(shape: NetShape): NeuralTask {
  const layers = denseLayers(shape)
  const wave = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(i + 1) / 2)
  return {
    ...shape,
    weights: wave(weightCount(layers)),
    features: wave(shape.batchSize * shape.inputs),
    labels: new Float32Array(shape.batchSize * (layers.at(-1)?.units ?? 1)).fill(1),
    epochs: 1,
    learningRate: 1e-3,
    shuffleSeed: new Uint8Array(32),
  }
}
