import { createRequire } from 'node:module'
import util from 'node:util'
import { RotaError } from '#base/errors.ts'
import type { BackendName } from './backends.ts'
import type { Tf } from './tf.ts'

export interface Loaded {
  readonly tf: Tf
  readonly device: string
}

const loaded = new Map<string, Promise<Loaded>>()

/**
 * Loads a backend once per process, and makes it the one in use.
 * @param folder of the native package; null for the others
 * @throws ROTA-3056 when it does not start, or what the package itself throws
 */
export async function loadBackend(name: BackendName, folder: string | null): Promise<Loaded> {
  const before = loaded.get(name)
  const loading = before ?? (folder === null ? loadPortable(name) : loadNative(folder))
  loaded.set(name, loading)
  const it = await loading
  if (folder === null && !(await it.tf.setBackend(name))) throw new RotaError('ROTA-3056', { backend: name, reason: 'it does not start' })
  return it
}

async function loadPortable(name: BackendName): Promise<Loaded> {
  const tf = await import('@tensorflow/tfjs-core')
  await import('@tensorflow/tfjs-layers') // its Node bundle is the one that registers the gradients
  tf.env().set('PROD', true) // no advice about other packages on the console
  if (name === 'cpu') await import('@tensorflow/tfjs-backend-cpu')
  else await import('@tensorflow/tfjs-backend-wasm')
  if (!(await tf.setBackend(name))) throw new RotaError('ROTA-3056', { backend: name, reason: 'it does not start' })
  const simd = name === 'wasm' && (await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')) === true
  return { tf, device: name === 'cpu' ? 'CPU, plain JavaScript' : `CPU, WebAssembly${simd ? ' with SIMD' : ''}` }
}

/** tfjs-node 4.22 calls two helpers that Node 23 removed; they are put back before it loads. */
async function loadNative(folder: string): Promise<Loaded> {
  const helpers = util as unknown as Record<string, unknown>
  helpers['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined
  helpers['isArray'] ??= Array.isArray
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'
  const tf = createRequire(import.meta.url)(folder) as Tf
  await tf.ready()
  if (tf.getBackend() !== 'tensorflow') throw new RotaError('ROTA-3056', { backend: 'tensorflow', reason: `the package started ${tf.getBackend()}` })
  const onGpu = (tf.backend() as unknown as { isUsingGPUDevice?: boolean }).isUsingGPUDevice === true
  return { tf, device: onGpu ? 'GPU, CUDA' : 'CPU, native TensorFlow' }
}
