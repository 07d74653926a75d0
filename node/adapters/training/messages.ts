import type { ErrorCode, ErrorDetails } from '#base/errors.ts'
import type { NeuralTask } from '#core/learner/learner.ts'
import type { BackendName } from './backends.ts'
import type { NetShape } from './dense-net.ts'
import type { SelfTest } from './self-test.ts'

/** What the node asks a training process, by structured clone over a thread's port or a child's channel. */
export type Request =
  | { readonly id: number; readonly do: 'describe'; readonly backend: BackendName; readonly folder: string | null }
  | { readonly id: number; readonly do: 'time'; readonly backend: BackendName; readonly folder: string | null; readonly shape: NetShape }
  | { readonly id: number; readonly do: 'train'; readonly backend: BackendName; readonly folder: string | null; readonly task: NeuralTask }
  /** Ends the training with this id between two steps. */
  | { readonly id: number; readonly do: 'abort' }

export type Answer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly code: ErrorCode; readonly details: ErrorDetails }
  /** An error outside the catalogue, a kernel's for instance; its text is not a person's data. */
  | { readonly id: number; readonly ok: false; readonly code: null; readonly reason: string }

export interface Description {
  /** 'CUDA', 'CPU', 'WebAssembly with SIMD', … */
  readonly device: string
  readonly selfTests: readonly SelfTest[]
}
