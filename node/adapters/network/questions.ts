import type { Stream } from '@libp2p/interface'
import { isRotaError, RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import type { Network } from './host.ts'
import { readAll, sendAll } from './streams.ts'

/** Bytes of a question, by whom, and the bytes that answer it. What it throws ends the stream unanswered. */
export type Answerer = (question: Uint8Array, from: SiteId) => Promise<Uint8Array>

const SEND_MS = 10_000

/** Answers one question a stream: what comes until the other end closes, at most `limit` bytes. */
export function serveQuestions(network: Pick<Network, 'serve'>, protocol: string, limit: number, answer: Answerer): Promise<void> {
  return network.serve(protocol, async (stream, from) => {
    const question = await readAll(stream, limit, AbortSignal.timeout(SEND_MS))
    await sendAll(stream, await answer(question, from), AbortSignal.timeout(SEND_MS))
  })
}

/** Asks, and waits for the answer as long as `signal` lets it. @throws ROTA-4005 not reached or cut off, 4007 does not know the protocol, or the signal's reason */
export async function askQuestion(
  network: Pick<Network, 'open'>,
  site: SiteId,
  protocol: string,
  limit: number,
  question: Uint8Array,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const stream = await network.open(site, protocol, signal)
  try {
    await sendAll(stream, question, signal)
    return answered(await readAll(stream, limit, signal), site)
  } catch (cause) {
    stopped(stream)
    signal.throwIfAborted()
    throw isRotaError(cause) ? cause : new RotaError('ROTA-4005', { site }, cause)
  }
}

/** Both, of one network, for whoever asks and answers without knowing it. */
export const questionsOf = (network: Pick<Network, 'serve' | 'unserve' | 'open'>) => ({
  serve: (protocol: string, limit: number, answer: Answerer): Promise<void> => serveQuestions(network, protocol, limit, answer),
  unserve: (protocol: string): Promise<void> => network.unserve(protocol),
  ask: (site: SiteId, protocol: string, limit: number, question: Uint8Array, signal: AbortSignal): Promise<Uint8Array> =>
    askQuestion(network, site, protocol, limit, question, signal),
})

/** A stream that ends without a byte is a refusal, or a cut. */
function answered(bytes: Uint8Array, site: SiteId): Uint8Array {
  if (bytes.length === 0) throw new RotaError('ROTA-4005', { site })
  return bytes
}

function stopped(stream: Stream): void {
  if (stream.status === 'open') stream.abort(new Error('not answered'))
}
