import { createCipheriv, createHash } from 'node:crypto'
import type { Random } from '#ports/host.ts'

const WORDS_AHEAD = 256

/** Bytes and draws that follow from a seed and a label alone. Secure for nobody: a simulated world is replayed from its seed. */
export class SimRandom implements Random {
  readonly #seed: string
  readonly #stream
  /** Words drawn ahead for single draws. */
  #words: Uint32Array = new Uint32Array(0)
  #used = 0

  constructor(seed: string) {
    this.#seed = seed
    this.#stream = createCipheriv('aes-256-ctr', createHash('sha256').update(seed).digest(), Buffer.alloc(16))
  }

  /** An independent source: what one part of the world draws changes nothing for another. */
  fork(label: string): SimRandom {
    return new SimRandom(`${this.#seed}/${label}`)
  }

  bytes(length: number): Uint8Array {
    return new Uint8Array(this.#stream.update(Buffer.alloc(length)))
  }

  /** From 0 to below 1. */
  fraction(): number {
    if (this.#used === this.#words.length) {
      this.#words = new Uint32Array(this.bytes(WORDS_AHEAD * 4).buffer)
      this.#used = 0
    }
    return (this.#words[this.#used++] as number) / 2 ** 32
  }

  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1))
  }

  chance(probability: number): boolean {
    return probability > 0 && this.fraction() < probability
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)] as T
  }
}
