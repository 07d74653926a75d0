import type { Digest } from '#base/ids.ts'
import { differenceInParts, type Parts, partsOf } from '#core/consent/parts.ts'
import { restInParts } from '#core/consent/rest-further.ts'
import { symmetricDifference } from '#core/consent/smallest-difference.ts'
import type { Differencing, JoinVerdict } from '#ports/differencing.ts'

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

  async mayJoin(patients: readonly Digest[], testing: readonly Digest[]): Promise<JoinVerdict> {
    const difference = differenceInParts(partsOf(patients, testing), this.#earlier(), this.#smallest)
    return difference.smallestDifference < this.#smallest ? { ok: false, ...difference } : { ok: true }
  }

  async whoRests(patients: readonly Digest[], testing: readonly Digest[]): Promise<readonly Digest[] | null> {
    return restInParts(partsOf(patients, testing), this.#earlier(), this.#smallest) as readonly Digest[] | null
  }

  async record(patients: readonly Digest[], root: Digest, testing: readonly Digest[]): Promise<void> {
    const now = new Set(patients)
    const known = this.#used.find((cohort) => symmetricDifference(now, new Set(cohort.patients)) === 0)
    if (known === undefined) this.#used.push({ patients: [...patients], testing, roots: new Set([root]) })
    else known.roots.add(root)
  }

  async roots(): Promise<ReadonlySet<Digest>> {
    return new Set(this.#used.flatMap(({ roots }) => [...roots]))
  }

  #earlier(): Parts[] {
    return this.#used.map(({ patients, testing }) => partsOf(patients, testing))
  }
}
