import { readFile, stat } from 'node:fs/promises'
import { RotaError } from '#base/errors.ts'
import { type Digest, isDigest } from '#base/ids.ts'
import { fewestShown } from '#core/consent/fewest-shown.ts'
import type { Differencing } from '#ports/differencing.ts'
import { withLock, writeDurably } from './durable-file.ts'

/** Exact results that together are about fewer patients than this could show one of them. */
export const MIN_DIFFERENCE = 10

export type JoinVerdict = { readonly ok: true } | { readonly ok: false; readonly smallestDifference: number }

/** A cohort that was used, and the commitments under which it stands on chain: one for each programme. */
interface UsedCohort {
  readonly roots: readonly Digest[]
  readonly patients: ReadonlySet<string>
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

  constructor(file: string, minimum = MIN_DIFFERENCE) {
    this.#file = file
    this.#minimum = minimum
  }

  /** @throws ROTA-6006 when the ledger cannot be read */
  async mayJoin(patients: readonly Digest[]): Promise<JoinVerdict> {
    const now = new Set(patients.map(shorten))
    const earlier = (await this.#cohorts()).map((cohort) => cohort.patients)
    const differences = earlier.map((cohort) => symmetricDifference(now, cohort))
    const toOne = Math.min(...differences.filter((n) => n > 0), Number.POSITIVE_INFINITY)
    // Each two far enough apart, several may still show somebody together.
    const known = toOne < this.#minimum || differences.includes(0)
    const smallestDifference = known || earlier.length < 2 ? toOne : Math.min(toOne, fewestShown(now, earlier, this.#minimum))
    return smallestDifference >= this.#minimum ? { ok: true } : { ok: false, smallestDifference }
  }

  async record(patients: readonly Digest[], root: Digest): Promise<void> {
    await withLock(this.#file, async () => {
      const cohorts = await this.#cohorts()
      const now = new Set(patients.map(shorten))
      const known = cohorts.find((earlier) => symmetricDifference(now, earlier.patients) === 0)
      if (known?.roots.includes(root)) return
      const used: UsedCohort = { roots: [...(known?.roots ?? []), root], patients: now }
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
      const value = JSON.parse(line) as Partial<{ roots: unknown; patients: unknown }>
      // Version 0.1 wrote the list of patients alone.
      const [roots, patients]: readonly unknown[] = Array.isArray(value) ? [[], value] : [value.roots, value.patients]
      if (isList(patients) && isList(roots) && roots.every(isDigest)) return { roots: roots as readonly Digest[], patients: new Set(patients) }
    } catch {
      // told below
    }
    throw new RotaError('ROTA-6006', { file: this.#file })
  }
}

const NO_FILE = { mtimeMs: 0, size: 0, ino: 0 }

const isList = (list: unknown): list is readonly string[] => Array.isArray(list) && list.every((x) => typeof x === 'string')

const lineOf = ({ roots, patients }: UsedCohort): string => `${JSON.stringify({ roots, patients: [...patients].sort() })}\n`

const shorten = (digest: Digest): string => digest.slice(2, 34)

function symmetricDifference(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let both = 0
  for (const x of a) if (b.has(x)) both += 1
  return a.size + b.size - 2 * both
}
