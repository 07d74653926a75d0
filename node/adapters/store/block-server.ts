import type { Stream } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { giveBack } from './block-buffers.ts'
import type { BlockTraffic } from './block-network.ts'
import { type BlockRequest, decodeRequest, REQUEST_BYTES, sendBlock } from './block-wire.ts'
import { Slots } from './slots.ts'

const UPLOADS_AT_ONCE = 4
/** An honest asker has a handful under way for each of a few objects. */
const MOST_QUEUED = 256

export interface BlockServerParts {
  /** A block on this site's disk; `checked` reads it anew and drops it when its hash is wrong. */
  read(cid: CID, checked: boolean): Promise<Uint8Array | null>
  readonly traffic: BlockTraffic
  readonly noProgressMs: number
}

/** Answers members' requests: one block at a time for each of them and four in all, so that none waits behind another's whole object. */
export function createBlockServer(parts: BlockServerParts): (stream: Stream, from: SiteId) => Promise<void> {
  const slots = new Slots(UPLOADS_AT_ONCE)

  const answer = (stream: Stream, { cid, check }: BlockRequest, to: SiteId) =>
    slots.use(async () => {
      const block = await parts.read(cid, check)
      await sendBlock(stream, block, parts.noProgressMs, to)
      parts.traffic.bytesOut += block?.length ?? 0
      if (block !== null) giveBack(block)
    })

  return async (stream, from) => {
    for await (const request of requestsOf(stream)) await answer(stream, request, from)
    await stream.close({ signal: AbortSignal.timeout(parts.noProgressMs) })
  }
}

/** Requests as they come, until the other end closes. A flood or what is no request ends the stream. */
async function* requestsOf(stream: Stream): AsyncGenerator<BlockRequest> {
  const queue: BlockRequest[] = []
  let rest: Uint8Array = new Uint8Array(0)
  let open = true
  let wake = (): void => undefined

  stream.addEventListener('message', ({ data }) => {
    try {
      rest = Buffer.concat([rest, data.subarray()])
      for (; rest.length >= REQUEST_BYTES; rest = rest.subarray(REQUEST_BYTES)) queue.push(decodeRequest(rest.subarray(0, REQUEST_BYTES)))
      if (queue.length > MOST_QUEUED) throw new RotaError('ROTA-4002', { size: queue.length * REQUEST_BYTES, limit: MOST_QUEUED * REQUEST_BYTES })
    } catch (error) {
      stream.abort(error instanceof Error ? error : new Error(String(error)))
    }
    wake()
  })
  const end = () => {
    open = false
    wake()
  }
  stream.addEventListener('remoteCloseWrite', end)
  stream.addEventListener('close', end)

  while (queue.length > 0 || open) {
    const request = queue.shift()
    if (request !== undefined) yield request
    else await new Promise<void>((resolve) => (wake = resolve))
  }
}
