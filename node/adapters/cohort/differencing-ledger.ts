import { readFile, stat } from 'node:fs/promises'
import { RotaError } from '#base/errors.ts'
import { type Digest, isDigest } from '#base/ids.ts'
import { differenceInParts, eitherPart, type Parts, partsOf } from '#core/consent/parts.ts'
import { restInParts } from '#core/consent/rest-further.ts'
import { symmetricDifference } from '#core/consent/smallest-difference.ts'
import type { Differencing, JoinVerdict } from '#ports/differencing.ts'
import { withLock, writeDurably } from './durable-file.ts'

/** Exact results that together are about fewer patients than this, of those who train or of those who test, could show one of them. */
export const MIN_DIFFERENCE = 10

/** A cohort that was used, and the commitments under which it stands on chain: one for each programme. */
interface UsedCohort {
  readonly roots: readonly Digest[]
  readonly patients: ReadonlySet<string>
  /** Null: written before it was kept who only tests. */
  readonly parts: Parts | null
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
  async mayJoin(patients: readonly Digest[], testing: readonly Digest[]): Promise<JoinVerdict> {
    return this.#judge(partsOf(patients.map(shorten), testing.map(shorten)), await this.#cohorts())
  }

  /** Asked again at each look at an open run: worked out once for the same list. @throws ROTA-6006 when the ledger cannot be read */
  async whoRests(patients: readonly Digest[], testing: readonly Digest[]): Promise<readonly Digest[] | null> {
    const cohorts = await this.#cohorts()
    const last = this.#rested
    if (last?.of === patients && last.cohorts === cohorts) return last.who
    const names = new Map(patients.map((patient) => [shorten(patient), patient]))
    const now = partsOf(names.keys(), testing.map(shorten))
    const rest = restInParts(now, earlierParts(cohorts, now), this.#minimum)
    // Whose part only they themselves tell is not known once they rest.
    const isEnough = rest !== null && this.#judge(without(now, new Set(rest)), cohorts).ok
    const who = isEnough ? rest.map((name) => names.get(name) as Digest) : null
    this.#rested = { of: patients, cohorts, who }
    return who
  }

  #judge(now: Parts, cohorts: readonly UsedCohort[]): JoinVerdict {
    const difference = differenceInParts(now, earlierParts(cohorts, now), this.#minimum)
    return difference.smallestDifference >= this.#minimum ? { ok: true } : { ok: false, ...difference }
  }

  async record(patients: readonly Digest[], root: Digest, testing: readonly Digest[]): Promise<void> {
    await withLock(this.#file, async () => {
      const cohorts = await this.#cohorts()
      const now = new Set(patients.map(shorten))
      const known = cohorts.find((earlier) => symmetricDifference(now, earlier.patients) === 0)
      if (known?.roots.includes(root) && known.parts !== null) return
      const used: UsedCohort = { roots: [...new Set([...(known?.roots ?? []), root])], patients: now, parts: partsOf(now, testing.map(shorten)) }
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
        return { roots: roots as readonly Digest[], patients: new Set(patients), parts: testing === null ? null : partsOf(patients, testing) }
    } catch {
      // told below
    }
    throw new RotaError('ROTA-6006', { file: this.#file })
  }
}

const NO_FILE = { mtimeMs: 0, size: 0, ino: 0 }

const isList = (list: unknown): list is readonly string[] => Array.isArray(list) && list.every((x) => typeof x === 'string')

const lineOf = ({ roots, patients, parts }: UsedCohort): string =>
  `${JSON.stringify({ roots, patients: [...patients].sort(), ...(parts === null ? {} : { testing: [...parts.test].sort() }) })}\n`

function earlierParts(cohorts: readonly UsedCohort[], now: Parts): readonly Parts[] {
  const sure = cohorts.flatMap(({ parts }) => parts ?? [])
  return [...sure, ...cohorts.flatMap(({ patients, parts }) => (parts === null ? eitherPart(patients, [now, ...sure]) : []))]
}

const without = ({ train, test }: Parts, rest: ReadonlySet<string>): Parts => ({
  train: new Set([...train].filter((patient) => !rest.has(patient))),
  test: new Set([...test].filter((patient) => !rest.has(patient))),
})

const shorten = (digest: Digest): string => digest.slice(2, 34)
