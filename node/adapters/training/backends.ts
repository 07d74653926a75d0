/** The rungs of the ladder. Native ones live in a child process (a crash there is theirs alone), the others in a worker thread. */
export const BACKENDS = [
  { name: 'tfjs-node-gpu', package: '@tensorflow/tfjs-node-gpu', place: 'child' },
  { name: 'tfjs-node', package: '@tensorflow/tfjs-node', place: 'child' },
  { name: 'wasm', package: null, place: 'worker' },
  { name: 'cpu', package: null, place: 'worker' },
] as const

export type Backend = (typeof BACKENDS)[number]
export type BackendName = Backend['name']

export const backendNamed = (name: string): Backend | undefined => BACKENDS.find((backend) => backend.name === name)
