import type { Stream } from '@libp2p/interface'
import { RotaError } from '#base/errors.ts'

/** Sends `bytes` and no more. */
export async function sendAll(stream: Stream, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  stream.send(bytes)
  await stream.close({ signal })
}

/**
 * All bytes until the other end closes.
 * @throws ROTA-4002 as soon as there are more than `limit`, else what ended the stream
 */
export async function readAll(stream: Stream, limit: number, signal: AbortSignal): Promise<Uint8Array> {
  const abort = () => stream.abort(new Error('aborted', { cause: signal.reason }))
  signal.throwIfAborted()
  signal.addEventListener('abort', abort, { once: true })
  const parts: Uint8Array[] = []
  let size = 0
  try {
    for await (const part of stream) {
      size += part.byteLength
      if (size > limit) throw new RotaError('ROTA-4002', { size, limit })
      parts.push(part.subarray())
    }
    signal.throwIfAborted()
    return Buffer.concat(parts, size)
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
