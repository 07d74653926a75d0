import type { Tensor, Tensor4D, Tf } from './tf.ts'

/** What a model may need of a backend. Dense layers need 'dense' alone. */
export type Capability = 'dense' | 'conv' | 'pool'

export interface SelfTest {
  readonly name: string
  readonly capability: Capability
  readonly passed: boolean
  /** Largest difference from the stored answer; null when the backend could not do it at all. */
  readonly error: number | null
}

const TOLERANCE = 1e-4

interface Case {
  readonly name: string
  readonly capability: Capability
  readonly run: (tf: Tf) => readonly Tensor[]
  readonly expected: readonly number[]
}

const A = [0.5, -1, 2, 1.5, 0, -0.5]
const W = [1, -2, 0.5, 0.25, -1, 3]
const flat = (n: number, from: number, by: number): number[] => Array.from({ length: n }, (_, i) => from + by * i)

/** A scalar loss whose gradient weighs each output differently, so that a transposed answer shows. */
const weighted = (tf: Tf, y: Tensor): Tensor => tf.sum(tf.mul(tf.reshape(y, [-1]), tf.range(1, y.size + 1)))

const gradOf = (tf: Tf, f: (x: Tensor) => Tensor, x: Tensor): Tensor => tf.grad((at: Tensor) => weighted(tf, f(at)))(x)

/** Answers worked out in float64 from the definitions, and kept: a backend is not compared with another backend. */
const CASES: readonly Case[] = [
  {
    name: 'matmul',
    capability: 'dense',
    run: (tf) => tf.grads((a: Tensor, w: Tensor) => weighted(tf, tf.matMul(tf.reshape(a, [2, 3]), tf.reshape(w, [3, 2]))))([tf.tensor1d(A), tf.tensor1d(W)]),
    expected: [-3, 1, 5, -5, 2.5, 9, 5, 7, -1, -2, 0.5, 2],
  },
  {
    name: 'bias',
    capability: 'dense',
    run: (tf) => [gradOf(tf, (b) => tf.add(tf.tensor2d(A, [2, 3]), b), tf.tensor1d([1, 2, 3]))],
    expected: [5, 7, 9],
  },
  { name: 'relu', capability: 'dense', run: (tf) => [gradOf(tf, tf.relu, tf.tensor1d(W))], expected: [1, 0, 3, 4, 0, 6] },
  {
    name: 'sigmoid',
    capability: 'dense',
    run: (tf) => [gradOf(tf, tf.sigmoid, tf.tensor1d(W))],
    expected: [0.19661193324148185, 0.209987170807013, 0.7050111366047835, 0.9845363309503934, 0.9830596662074093, 0.27105995838547203],
  },
  {
    name: 'tanh',
    capability: 'dense',
    run: (tf) => [gradOf(tf, tf.tanh, tf.tensor1d(W))],
    expected: [0.41997434161402614, 0.14130164970632886, 2.359343198897782, 3.760059395225512, 2.099871708070131, 0.05919622299264127],
  },
  {
    name: 'softplus of large logits',
    capability: 'dense',
    run: (tf) => [tf.softplus(tf.tensor1d([-60, 0, 60])), gradOf(tf, tf.softplus, tf.tensor1d([-60, 0, 60]))],
    expected: [0, Math.LN2, 60, 0, 1, 3],
  },
  {
    name: 'conv2d filter',
    capability: 'conv',
    run: (tf) => [
      gradOf(
        tf,
        (f) => tf.conv2d(tf.tensor4d(flat(9, -4, 1), [1, 3, 3, 1]), tf.reshape(f, [2, 2, 1, 1]) as Tensor4D, 1, 'valid'),
        tf.tensor1d([1, -1, 2, 0.5]),
      ),
    ],
    expected: [-13, -3, 17, 27],
  },
  {
    name: 'conv2d input',
    capability: 'conv',
    run: (tf) => [
      gradOf(
        tf,
        (x) => tf.conv2d(tf.reshape(x, [1, 3, 3, 1]) as Tensor4D, tf.tensor4d([1, -1, 2, 0.5], [2, 2, 1, 1]), 1, 'valid'),
        tf.tensor1d(flat(9, -4, 1)),
      ),
    ],
    expected: [1, 1, -2, 5, 5.5, -3, 6, 9.5, 2],
  },
  {
    // Windows without a positive value: stock wasm starts its search at +1e-38 and loses these gradients.
    name: 'max-pool of negative values',
    capability: 'pool',
    run: (tf) => [gradOf(tf, (x) => tf.maxPool(tf.reshape(x, [1, 4, 4, 1]) as Tensor4D, 2, 2, 'valid'), tf.tensor1d(flat(16, -16, 1)))],
    expected: [0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 3, 0, 4],
  },
]

/** On the backend that `tf` has set. Takes a few milliseconds. */
export async function selfTest(tf: Tf): Promise<readonly SelfTest[]> {
  const results: SelfTest[] = []
  for (const one of CASES) results.push(await runCase(tf, one))
  return results
}

async function runCase(tf: Tf, { name, capability, run, expected }: Case): Promise<SelfTest> {
  try {
    const tensors = tf.tidy(() => [...run(tf)])
    const values = (await Promise.all(tensors.map((tensor) => tensor.data()))).flatMap((data) => [...data])
    tf.dispose(tensors)
    const off = expected.map((want, i) => Math.abs((values[i] ?? Number.NaN) - want) / Math.max(1, Math.abs(want)))
    const error = off.some(Number.isNaN) || values.length !== expected.length ? null : Math.max(...off)
    return { name, capability, passed: error !== null && error <= TOLERANCE, error }
  } catch {
    return { name, capability, passed: false, error: null } // a kernel that the backend does not have
  }
}

export const can = (tests: readonly SelfTest[], capability: Capability): boolean =>
  tests.filter((test) => test.capability === capability).every((test) => test.passed)
