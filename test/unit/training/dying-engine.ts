import { isMainThread, parentPort } from 'node:worker_threads'

/** A training process that answers 'describe' with its number of questions and dies at 'train', as one that runs out of memory would. */
let asked = 0
const receive = (request: { id: number; do: string }) => {
  asked += 1
  if (request.do === 'train') process.exit(7)
  const answer = { id: request.id, ok: true, value: asked }
  if (isMainThread) process.send?.(answer)
  else parentPort?.postMessage(answer)
}
if (isMainThread) process.on('message', receive)
else parentPort?.on('message', receive)
