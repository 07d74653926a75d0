import type { Digest } from '#base/ids.ts'
import { type Parts, restInParts } from '#core/consent/rest-further.ts'
import { smallestDifference, symmetricDifference } from '#core/consent/smallest-difference.ts'
import type { Differencing } from '#ports/differencing.ts'

/** A cohort that was used, and its commitments. */
export interface SimUsedCohort {
  readonly patients: readonly Digest[]
  readonly testing: readonly Digest[]
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
    const difference = smallestDifference(new Set(patients), this.#earlier(), this.#smallest)
    return difference < this.#smallest ? { ok: false, smallestDifference: difference } : { ok: true }
  }

  async whoRests(patients: readonly Digest[], testing: readonly Digest[]): Promise<readonly Digest[] | null> {
    return restInParts(partsOf({ patients, testing }), this.#used.map(partsOf), this.#smallest) as readonly Digest[] | null
  }

  async record(patients: readonly Digest[], root: Digest, testing: readonly Digest[] = []): Promise<void> {
    const now = new Set(patients)
    const known = this.#used.find((cohort) => symmetricDifference(now, new Set(cohort.patients)) === 0)
    if (known === undefined) this.#used.push({ patients: [...patients], testing, roots: new Set([root]) })
    else known.roots.add(root)
  }

  async roots(): Promise<ReadonlySet<Digest>> {
    return new Set(this.#used.flatMap(({ roots }) => [...roots]))
  }

  #earlier(): ReadonlySet<Digest>[] {
    return this.#used.map(({ patients }) => new Set(patients))
  }
}

function partsOf({ patients, testing }: Pick<SimUsedCohort, 'patients' | 'testing'>): Parts {
  const test = new Set<string>(testing)
  return { train: new Set(patients.filter((patient) => !test.has(patient))), test }
}
