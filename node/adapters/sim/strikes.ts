/** How often each fault truly struck: one that is drawn and never does is no test of anything. */
export class Strikes {
  readonly #counts = new Map<string, number>()

  count(fault: string): void {
    this.#counts.set(fault, (this.#counts.get(fault) ?? 0) + 1)
  }

  get all(): ReadonlyMap<string, number> {
    return this.#counts
  }
}
