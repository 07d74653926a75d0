import type { Model } from '../model/model.ts'
import type { SplitTable } from '../model/table.ts'
import type { RandomSource } from '../ring/to-ring.ts'
import type { LocalUpdate, SumValues, VectorLayout } from '../ring/vectors.ts'

/**
 * Every kind of work is a learner: `contribute` at the site, `advance` with the same bytes at every site.
 * All else (rounds, ring, commitment, chain, network) is the same for every learner.
 */
export interface Learner {
  /** The model that a run starts from, made of the protocol alone. */
  initial(): Model
  /** The vector that sites send for this model's stage. */
  layout(model: Model): VectorLayout
  contribute(model: Model, cohort: SplitTable, tools: LearnerTools): Promise<LocalUpdate>
  /**
   * Only + − × ÷ √ in float64 and a fixed order: no Math.pow/exp/log, `**`, GPU or tfjs, since its bytes are digested.
   * (exp and log are core/learner's own, made of those operations, where a stage needs them.)
   */
  advance(model: Model, sum: SumValues): Advance
}

/** One stage of a learner: what sites send, and what follows from the sum. */
export type Stage = Pick<Learner, 'contribute' | 'advance'> & { readonly layout: VectorLayout }

export interface Advance {
  readonly model: Model
  readonly status: 'continue' | 'finished'
}

export interface LearnerTools {
  readonly signal: AbortSignal
  /** Trains a neural model off the main thread; absent where the study needs none. */
  readonly train?: TrainNeural
  /** Draws the noise of private exact learners; cryptographically secure but in rehearsals. */
  readonly random?: RandomSource
}

export type TrainNeural = (task: NeuralTask, signal: AbortSignal) => Promise<Float32Array>

/** Flat weights in the order of the layers, kernel before bias, row-major. */
export interface NeuralTask {
  readonly layers: readonly { readonly className: string; readonly config: Readonly<Record<string, unknown>> }[]
  readonly inputs: number
  readonly weights: Float32Array
  /** Row-major standardised features, rows × inputs. */
  readonly features: Float32Array
  readonly labels: Float32Array
  readonly loss: 'binaryCrossentropy' | 'meanSquaredError'
  readonly epochs: number
  readonly batchSize: number
  readonly learningRate: number
  /** Orders the rows of each epoch, 32 bytes. */
  readonly shuffleSeed: Uint8Array
  /** Differentially private steps, each row a patient of its own, in place of epochs of batches. */
  readonly privacy?: PrivateSteps
}

/** All of it public: none may be computed from the rows. */
export interface PrivateSteps {
  /** L2 norm that a patient's gradient is clipped to. */
  readonly clip: number
  /** Deviation of the noise on the sum, in clip norms. */
  readonly noise: number
  readonly samplingRate: number
  readonly steps: number
  /** What the noisy sum is divided by. */
  readonly expectedBatch: number
}
