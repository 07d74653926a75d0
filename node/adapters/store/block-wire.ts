import type { Stream } from '@libp2p/interface'
import { CID } from 'multiformats/cid'
import { RotaError } from '#base/errors.ts'
import { blockBuffer } from './block-buffers.ts'
import { isOurs } from './cids.ts'
import { PIECE_BYTES } from './sealing.ts'

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
/** Leaves are pieces of 1 MiB; a node of the tree has at most 1,024 links. */
export const MAX_BLOCK_BYTES = PIECE_BYTES

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

/** Resolves once more can be sent. @throws when nothing could be sent for `limitMs`, or the stream ended */
export async function sendBlock(stream: Stream, block: Uint8Array | null, limitMs: number): Promise<void> {
  const head = answerHead(block)
  const more = block === null ? stream.send(head) : [stream.send(head), stream.send(block)].every(Boolean)
  if (!more) await stream.onDrain({ signal: AbortSignal.timeout(limitMs) })
}
