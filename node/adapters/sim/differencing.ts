import type { Digest } from '#base/ids.ts'
import type { Differencing } from '#ports/differencing.ts'

/** A cohort that was used, and its commitments. */
export interface SimUsedCohort {
  readonly patients: readonly Digest[]
  readonly roots: Set<Digest>
}

/** The site's disk for the cohorts that exact runs have used: outlives a crash, as `used` is handed on. */
export class SimDifferencing implements Differencing {
  readonly #used: SimUsedCohort[]
  readonly #smallest: number

  /** @param smallest patients by which two cohorts must at least differ */
  constructor(used: SimUsedCohort[] = [], smallest = 10) {
    this.#used = used
    this.#smallest = smallest
  }

  async mayJoin(patients: readonly Digest[]): Promise<{ readonly ok: true } | { readonly ok: false; readonly smallestDifference: number }> {
    const differences = this.#used.map((cohort) => difference(cohort.patients, patients)).filter((size) => size > 0)
    const smallestDifference = Math.min(...differences)
    return smallestDifference < this.#smallest ? { ok: false, smallestDifference } : { ok: true }
  }

  async record(patients: readonly Digest[], root: Digest): Promise<void> {
    const known = this.#used.find((cohort) => difference(cohort.patients, patients) === 0)
    if (known === undefined) this.#used.push({ patients: [...patients], roots: new Set([root]) })
    else known.roots.add(root)
  }

  async roots(): Promise<ReadonlySet<Digest>> {
    return new Set(this.#used.flatMap(({ roots }) => [...roots]))
  }
}

/** How many patients are in one of the two and not in the other. */
function difference(a: readonly Digest[], b: readonly Digest[]): number {
  const inA = new Set(a)
  const common = b.filter((patient) => inA.has(patient)).length
  return a.length + b.length - 2 * common
}
