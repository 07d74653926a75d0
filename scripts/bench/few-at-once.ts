/** Of all sites of a process a few are at work that takes the memory of a large model; the others wait for their turn, as they come. */
export class FewAtOnce {
  #free: number
  readonly #inside = new Set<number>()
  readonly #waiting: (() => void)[] = []

  constructor(most: number) {
    this.#free = most
  }

  async enter(site: number): Promise<void> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#free--
    this.#inside.add(site)
  }

  /** Of one who is not at work nothing is asked. */
  leave(site: number): void {
    if (!this.#inside.delete(site)) return
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}
