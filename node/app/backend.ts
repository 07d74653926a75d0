import { installNative } from '#adapters/training/install-native.ts'
import { listBackends } from '#adapters/training/list-backends.ts'
import type { BackendReport } from '#adapters/training/tfjs-trainer.ts'
import { RotaError } from '#base/errors.ts'

export type { BackendReport } from '#adapters/training/tfjs-trainer.ts'

/** Every way to train, looked at on this machine: self-tests, and milliseconds of a step on a small clinical network. */
export const backendReports = (): Promise<readonly BackendReport[]> => listBackends()

/** As `backendReports`, and an error when none works. @throws ROTA-3050 */
export async function testBackends(): Promise<readonly BackendReport[]> {
  const reports = await backendReports()
  if (reports.some(({ usable }) => usable)) return reports
  throw new RotaError('ROTA-3050', { tried: reports.map(({ name, reason }) => `${name}: ${reason}`).join('; ') })
}

/** The one that training takes: the fastest that is usable. */
export const fastest = (reports: readonly BackendReport[]): BackendReport | null =>
  reports.filter(({ usable, msPerStep }) => usable && msPerStep !== null).sort((a, b) => (a.msPerStep as number) - (b.msPerStep as number))[0] ?? null

/** Fetches the native part of TensorFlow.js. @throws ROTA-3054, 3055 */
export const installBackend = (kind: 'gpu' | 'cpu', onLine: (line: string) => void, signal: AbortSignal): Promise<void> =>
  installNative({ package: kind === 'gpu' ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node', onLine, signal })
