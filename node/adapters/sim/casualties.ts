import type { SiteId } from '#base/ids.ts'

/** A site was in trouble for so long; `toMs` is infinite while it still is. */
export interface Casualty {
  readonly site: SiteId
  readonly why: string
  readonly fromMs: number
  toMs: number
}

/** Who is in trouble, and who was when: a promise to a majority is judged by it. */
export class Casualties {
  readonly all: Casualty[] = []
  readonly #most: number | null
  readonly #nowMs: () => number

  /** @param most so many sites may be in trouble at one time; null: any number */
  constructor(most: number | null, nowMs: () => number) {
    this.#most = most
    this.#nowMs = nowMs
  }

  /** Whether the limit allows these to fall into trouble now. */
  mayFall(sites: readonly SiteId[]): boolean {
    if (this.#most === null) return true
    const now = this.#nowMs()
    const down = new Set(sites)
    for (const { site, toMs } of this.all) if (toMs > now) down.add(site)
    return down.size <= this.#most
  }

  /** @returns how to end it */
  fall(site: SiteId, why: string): () => void {
    const casualty: Casualty = { site, why, fromMs: this.#nowMs(), toMs: Number.POSITIVE_INFINITY }
    this.all.push(casualty)
    return () => {
      casualty.toMs = Math.min(casualty.toMs, this.#nowMs())
    }
  }
}
