/**
 * xoshiro128**: a small, fast generator for generated cohorts, rehearsals and first weights. Never for keys, masks, shares, salts or noise.
 * @see Blackman and Vigna 2021, "Scrambled linear pseudorandom number generators"
 */
export class Seeded {
  readonly #state = new Uint32Array(4)

  /** @param seed any finite number, or 16 bytes of state (not all zero); equal seeds give equal streams on every machine */
  constructor(seed: number | Uint8Array) {
    if (typeof seed === 'number') this.#mix(seed)
    else for (let i = 0; i < 16; i++) this.#state[i >> 2] = (this.#state[i >> 2] as number) + (seed[i] as number) * (1 << (8 * (i & 3)))
  }

  #mix(seed: number): void {
    let mixed = (Math.floor(seed) ^ Math.floor(seed / 0x100000000)) >>> 0
    for (let i = 0; i < 4; i++) {
      mixed = (mixed + 0x9e3779b9) >>> 0
      let z = mixed
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
      this.#state[i] = z ^ (z >>> 16)
    }
  }

  /** Uniform on 0 … 2^32 − 1. */
  word(): number {
    const s = this.#state
    const b = s[1] as number
    const c = (s[2] as number) ^ (s[0] as number)
    const d = (s[3] as number) ^ b
    s[1] = b ^ c
    s[0] = (s[0] as number) ^ d
    s[2] = c ^ (b << 9)
    s[3] = rotate(d, 11)
    return Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
  }

  /** Uniform on (0, 1). */
  uniform(): number {
    return (this.word() + 0.5) / 0x100000000
  }

  /** Has the shape of ports/host.ts Random, for rehearsals. */
  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length)
    for (let i = 0; i < length; i += 4) {
      const word = this.word()
      for (let k = 0; k < 4 && i + k < length; k++) out[i + k] = word >>> (8 * k)
    }
    return out
  }
}

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by))
