import { isWhole, release } from '#base/bytes.ts'

/** Bytes in parts, as libp2p hands them on. */
export interface Parts extends Iterable<Uint8Array> {
  readonly byteLength: number
}

export type MakeParts = new () => Parts & { append(part: Uint8Array): void }

interface Arrived {
  /** What of it is not read yet. */
  rest: Uint8Array
  /** All of its memory, where nobody else has a part of it; freed once it is read. */
  readonly whole: Uint8Array | null
}

/**
 * Takes what a socket brings apart into Noise's frames: length (2, big endian) ‖ ciphertext and tag. A frame is views of what arrived; when the
 * next one is asked for, it has been decrypted, and its memory is freed.
 */
export class NoiseFrames {
  readonly #makeParts: MakeParts
  readonly #arrived: Arrived[] = []
  /** Of those that are not read to their end. */
  #first = 0
  #length = 0

  /** @param early what has arrived already */
  constructor(makeParts: MakeParts, early: Iterable<Uint8Array> = []) {
    this.#makeParts = makeParts
    for (const part of early) this.#add(part)
  }

  *decode(data: Uint8Array | Parts): Generator<Parts> {
    for (const part of data instanceof Uint8Array ? [data] : data) this.#add(part)
    while (this.#length >= 2) {
      const size = this.#byte(0) * 256 + this.#byte(1)
      if (this.#length < 2 + size) break
      const head = this.#take(2)
      const frame = this.#take(size)
      if (size > 0) yield frame.parts
      for (const whole of [...head.read, ...frame.read]) release(whole)
    }
    this.#arrived.splice(0, this.#first)
    this.#first = 0
  }

  #add(part: Uint8Array): void {
    if (part.length === 0) return
    this.#arrived.push({ rest: part, whole: isWhole(part) ? part : null })
    this.#length += part.length
  }

  #byte(at: number): number {
    const [first, second] = [this.#arrived[this.#first], this.#arrived[this.#first + 1]]
    const byte = first !== undefined && at < first.rest.length ? first.rest[at] : second?.rest[at - (first?.rest.length ?? 0)]
    return byte as number
  }

  /** The next bytes, and the buffers that they were the end of. */
  #take(count: number): { readonly parts: Parts; readonly read: readonly Uint8Array[] } {
    const parts = new this.#makeParts()
    const read: Uint8Array[] = []
    for (let left = count; left > 0; ) {
      const first = this.#arrived[this.#first] as Arrived
      const part = first.rest.subarray(0, left)
      parts.append(part)
      left -= part.length
      first.rest = first.rest.subarray(part.length)
      if (first.rest.length > 0) continue
      this.#first++
      if (first.whole !== null) read.push(first.whole)
    }
    this.#length -= count
    return { parts, read }
  }
}
