import type { Stream, StreamCloseEvent } from '@libp2p/interface'
import { CID } from 'multiformats/cid'
import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { blockBuffer } from './block-buffers.ts'
import { isOurs } from './cids.ts'
import { MAX_BLOCK_BYTES } from './sealing.ts'

/**
 * Blocks of one member for another, pulled and never pushed. A stream carries any number of requests; answers come in their order.
 *
 *   request   flags (1: bit 0 = read the block anew and check its hash) ‖ CID (36)
 *   answer    status (1: 0 = here it is, 1 = not here) ‖ length (4, big endian) ‖ block
 */
export const BLOCK_PROTOCOL = '/rota/block/1'
export const REQUEST_BYTES = 37
const ANSWER_HEAD_BYTES = 5
const CHECK = 1
export interface BlockRequest {
  readonly cid: CID
  /** The asker got a block with a wrong hash before. */
  readonly check: boolean
}

export function encodeRequest({ cid, check }: BlockRequest): Uint8Array {
  const bytes = new Uint8Array(REQUEST_BYTES)
  bytes[0] = check ? CHECK : 0
  bytes.set(cid.bytes, 1)
  return bytes
}

/** @throws ROTA-4001 */
export function decodeRequest(bytes: Uint8Array): BlockRequest {
  try {
    const cid = CID.decode(bytes.subarray(1))
    if (bytes.length === REQUEST_BYTES && isOurs(cid)) return { cid, check: ((bytes[0] ?? 0) & CHECK) !== 0 }
  } catch {
    // falls through: not a CID at all
  }
  throw new RotaError('ROTA-4001', { what: 'block request' })
}

/** Head and block apart, so that the block is not copied. */
export function answerHead(block: Uint8Array | null): Uint8Array {
  const head = Buffer.alloc(ANSWER_HEAD_BYTES)
  head[0] = block === null ? 1 : 0
  head.writeUInt32BE(block?.length ?? 0, 1)
  return head
}

/** Takes a byte stream apart into answers: each block is gathered in one buffer of its size. */
export class AnswerReader {
  readonly #onAnswer: (block: Uint8Array | null) => void
  readonly #head = Buffer.alloc(ANSWER_HEAD_BYTES)
  #headFilled = 0
  #block: Uint8Array = new Uint8Array(0)
  #blockFilled = 0

  constructor(onAnswer: (block: Uint8Array | null) => void) {
    this.#onAnswer = onAnswer
  }

  /** @throws ROTA-4001 when the bytes are no answer */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += this.#headFilled < ANSWER_HEAD_BYTES ? this.#takeHead(bytes, at) : this.#takeBlock(bytes, at)
  }

  #takeHead(bytes: Uint8Array, at: number): number {
    const taken = Math.min(ANSWER_HEAD_BYTES - this.#headFilled, bytes.length - at)
    this.#head.set(bytes.subarray(at, at + taken), this.#headFilled)
    this.#headFilled += taken
    if (this.#headFilled === ANSWER_HEAD_BYTES) this.#begin()
    return taken
  }

  #begin(): void {
    const status = this.#head.readUInt8(0)
    const length = this.#head.readUInt32BE(1)
    if (status > 1 || length > MAX_BLOCK_BYTES || (status === 1 && length > 0)) throw new RotaError('ROTA-4001', { what: 'block answer' })
    this.#block = blockBuffer(length)
    this.#blockFilled = 0
    if (length === 0) this.#end(status === 1 ? null : this.#block)
  }

  #takeBlock(bytes: Uint8Array, at: number): number {
    const taken = Math.min(this.#block.length - this.#blockFilled, bytes.length - at)
    this.#block.set(bytes.subarray(at, at + taken), this.#blockFilled)
    this.#blockFilled += taken
    if (this.#blockFilled === this.#block.length) this.#end(this.#block)
    return taken
  }

  #end(block: Uint8Array | null): void {
    this.#headFilled = 0
    this.#block = new Uint8Array(0)
    this.#onAnswer(block)
  }
}

/**
 * Resolves once nothing is left to send: one block a stream is in memory, however slow the line.
 * @throws ROTA-4006 when nothing could be sent for `limitMs`, or what ended the stream
 */
export async function sendBlock(stream: Stream, block: Uint8Array | null, limitMs: number, site: SiteId): Promise<void> {
  stream.send(answerHead(block))
  if (block !== null) stream.send(block)
  if (stream.writeBufferLength > 0) await emptied(stream, limitMs, site)
}

function emptied(stream: Stream, limitMs: number, site: SiteId): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let left = stream.writeBufferLength
  const watch = setInterval(() => {
    if (stream.writeBufferLength >= left) reject(new RotaError('ROTA-4006', { site, seconds: limitMs / 1000 }))
    left = stream.writeBufferLength
  }, limitMs)
  const ended = (event: StreamCloseEvent) => reject(event.error ?? new RotaError('ROTA-4005', { site }))
  const idle = () => resolve()
  stream.addEventListener('idle', idle)
  stream.addEventListener('close', ended)
  return promise.finally(() => {
    clearInterval(watch)
    stream.removeEventListener('idle', idle)
    stream.removeEventListener('close', ended)
  })
}
