import type { Stream } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { release } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { SiteId } from '#base/ids.ts'
import { AnswerReader, encodeRequest } from './block-wire.ts'

interface Pending {
  readonly resolve: (block: Uint8Array | null) => void
  readonly reject: (error: unknown) => void
}

/** Requests to one member over one stream, several under way, answered in order. Once ended it stays ended: open another. */
export class BlockChannel {
  readonly #stream: Stream
  readonly #site: SiteId
  readonly #noProgressMs: number
  readonly #pending: Pending[] = []
  #watch: NodeJS.Timeout | undefined
  #ended = false
  #answered = 0

  constructor(stream: Stream, site: SiteId, noProgressMs: number, onBytes: (count: number) => void) {
    this.#stream = stream
    this.#site = site
    this.#noProgressMs = noProgressMs
    const reader = new AnswerReader((block) => {
      this.#answered++
      this.#pending.shift()?.resolve(block)
      if (this.#pending.length === 0) clearTimeout(this.#watch)
    })
    stream.addEventListener('message', ({ data }) => {
      onBytes(data.byteLength)
      if (this.#pending.length > 0) this.#watch?.refresh()
      try {
        for (const part of data instanceof Uint8Array ? [data] : data) {
          reader.push(part)
          release(part)
        }
      } catch (error) {
        this.end(error)
      }
    })
    // A relay may end a stream early, as if all had been said.
    stream.addEventListener('close', (event) => this.#fail(event.error ?? new RotaError('ROTA-4005', { site })))
    stream.addEventListener('remoteCloseWrite', () => this.end(new RotaError('ROTA-4005', { site })))
  }

  get ended(): boolean {
    return this.#ended || this.#stream.writeStatus !== 'writable'
  }

  /** Whether anything came of it. */
  get wasUseful(): boolean {
    return this.#answered > 0
  }

  /** The block as it came, unchecked; null when the member does not have it. @throws when the stream ended, ROTA-4006 without progress */
  async ask(cid: CID, check: boolean): Promise<Uint8Array | null> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | null>()
    this.#pending.push({ resolve, reject })
    if (this.#pending.length === 1) this.#watchProgress()
    try {
      this.#stream.send(encodeRequest({ cid, check }))
    } catch (error) {
      this.end(error)
    }
    return promise
  }

  end(error: unknown): void {
    this.#fail(error)
    if (this.#stream.status === 'open') this.#stream.abort(error instanceof Error ? error : new Error(String(error)))
  }

  #watchProgress(): void {
    clearTimeout(this.#watch)
    this.#watch = setTimeout(() => this.end(new RotaError('ROTA-4006', { site: this.#site, seconds: this.#noProgressMs / 1000 })), this.#noProgressMs)
  }

  #fail(error: unknown): void {
    this.#ended = true
    clearTimeout(this.#watch)
    for (const pending of this.#pending.splice(0)) pending.reject(error)
  }
}
