/**
 * Sites that have done something wait here until all have: of two hundred that look at the chain whenever one of them has changed it, most of what they do is
 * looking.
 */
export class OnceAll {
  readonly #all: number
  readonly #done = new Set<number>()
  readonly #complete = Promise.withResolvers<void>()

  constructor(all: number) {
    this.#all = all
  }

  done(site: number): void {
    this.#done.add(site)
    if (this.#done.size === this.#all) this.#complete.resolve()
  }

  /** Who has not done it is not kept waiting. */
  async wait(site: number): Promise<void> {
    if (this.#done.has(site)) await this.#complete.promise
  }
}
