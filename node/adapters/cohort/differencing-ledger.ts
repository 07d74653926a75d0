import { readFile, stat } from 'node:fs/promises'
import { RotaError } from '#base/errors.ts'
import { type Digest, isDigest } from '#base/ids.ts'
import { type Parts, restInParts } from '#core/consent/rest-further.ts'
import { smallestDifference, symmetricDifference } from '#core/consent/smallest-difference.ts'
import type { Differencing } from '#ports/differencing.ts'
import { withLock, writeDurably } from './durable-file.ts'

/** Exact results that together are about fewer patients than this could show one of them. */
export const MIN_DIFFERENCE = 10

export type JoinVerdict = { readonly ok: true } | { readonly ok: false; readonly smallestDifference: number }

/** A cohort that was used, and the commitments under which it stands on chain: one for each programme. */
interface UsedCohort {
  readonly roots: readonly Digest[]
  readonly patients: ReadonlySet<string>
  /** Null: written before it was kept who only tests. */
  readonly testing: ReadonlySet<string> | null
}

/**
 * Which cohorts of one dataset were used in exact runs: a JSON line per distinct cohort with its roots, patients as keyed digests
 * (first 16 bytes). One file per dataset, shared by all studies.
 * Limit: it knows who was used, not with which values; a corrected row of the same patient is not seen.
 */
export class DifferencingLedger implements Differencing {
  readonly #file: string
  readonly #minimum: number
  #read: { readonly version: string; readonly cohorts: readonly UsedCohort[] } | null = null
  #rested: { readonly of: readonly Digest[]; readonly cohorts: readonly UsedCohort[]; readonly who: readonly Digest[] | null } | null = null

  constructor(file: string, minimum = MIN_DIFFERENCE) {
    this.#file = file
    this.#minimum = minimum
  }

  /** @throws ROTA-6006 when the ledger cannot be read */
  async mayJoin(patients: readonly Digest[]): Promise<JoinVerdict> {
    const earlier = (await this.#cohorts()).map((cohort) => cohort.patients)
    const difference = smallestDifference(new Set(patients.map(shorten)), earlier, this.#minimum)
    return difference >= this.#minimum ? { ok: true } : { ok: false, smallestDifference: difference }
  }

  /** Asked again at each look at an open run: worked out once for the same list. @throws ROTA-6006 when the ledger cannot be read */
  async whoRests(patients: readonly Digest[], testing: readonly Digest[]): Promise<readonly Digest[] | null> {
    const cohorts = await this.#cohorts()
    const last = this.#rested
    if (last?.of === patients && last.cohorts === cohorts) return last.who
    const names = new Map(patients.map((patient) => [shorten(patient), patient]))
    const now = partsOf({ patients: new Set(names.keys()), testing: new Set(testing.map(shorten)) })
    const earlier = cohorts.map((cohort) => (cohort.testing === null ? eitherPart(cohort.patients, now) : partsOf(cohort)))
    const who = restInParts(now, earlier, this.#minimum)?.map((name) => names.get(name) as Digest) ?? null
    this.#rested = { of: patients, cohorts, who }
    return who
  }

  async record(patients: readonly Digest[], root: Digest, testing?: readonly Digest[]): Promise<void> {
    await withLock(this.#file, async () => {
      const cohorts = await this.#cohorts()
      const now = new Set(patients.map(shorten))
      const known = cohorts.find((earlier) => symmetricDifference(now, earlier.patients) === 0)
      if (known?.roots.includes(root)) return
      const tests = testing === undefined ? (known?.testing ?? null) : new Set(testing.map(shorten))
      const used: UsedCohort = { roots: [...(known?.roots ?? []), root], patients: now, testing: tests }
      await writeDurably(this.#file, [...cohorts.filter((cohort) => cohort !== known), used].map(lineOf).join(''))
    })
  }

  async roots(): Promise<ReadonlySet<Digest>> {
    return new Set((await this.#cohorts()).flatMap(({ roots }) => roots))
  }

  /** Read again when another process, or a person, has changed the file. */
  async #cohorts(): Promise<readonly UsedCohort[]> {
    const { mtimeMs, size, ino } = await stat(this.#file).catch(() => NO_FILE)
    const version = `${mtimeMs} ${size} ${ino}`
    if (this.#read?.version !== version) this.#read = { version, cohorts: await this.#readAll() }
    return this.#read.cohorts
  }

  async #readAll(): Promise<readonly UsedCohort[]> {
    const text = await readFile(this.#file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return ''
      throw new RotaError('ROTA-3001', { file: this.#file, reason: String(cause.code) })
    })
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => this.#cohort(line))
  }

  #cohort(line: string): UsedCohort {
    try {
      const value = JSON.parse(line) as Partial<{ roots: unknown; patients: unknown; testing: unknown }>
      // Version 0.1 wrote the list of patients alone.
      const [roots, patients, testing = null]: readonly unknown[] = Array.isArray(value) ? [[], value] : [value.roots, value.patients, value.testing]
      if (isList(patients) && isList(roots) && roots.every(isDigest) && (testing === null || isList(testing)))
        return { roots: roots as readonly Digest[], patients: new Set(patients), testing: testing === null ? null : new Set(testing) }
    } catch {
      // told below
    }
    throw new RotaError('ROTA-6006', { file: this.#file })
  }
}

const NO_FILE = { mtimeMs: 0, size: 0, ino: 0 }

const isList = (list: unknown): list is readonly string[] => Array.isArray(list) && list.every((x) => typeof x === 'string')

const lineOf = ({ roots, patients, testing }: UsedCohort): string =>
  `${JSON.stringify({ roots, patients: [...patients].sort(), ...(testing === null ? {} : { testing: [...testing].sort() }) })}\n`

function partsOf({ patients, testing }: Pick<UsedCohort, 'patients' | 'testing'>): Parts {
  const test = testing ?? new Set()
  return { train: new Set([...patients].filter((patient) => !test.has(patient))), test }
}

/** Of whom it is not known may have been in either part: whoever is here still tells theirs. */
function eitherPart(patients: ReadonlySet<string>, now: Parts): Parts {
  const but = (part: ReadonlySet<string>): ReadonlySet<string> => new Set([...patients].filter((patient) => !part.has(patient)))
  return { train: but(now.test), test: but(now.train) }
}

const shorten = (digest: Digest): string => digest.slice(2, 34)
