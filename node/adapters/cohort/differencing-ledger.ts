import { readFile } from 'node:fs/promises'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import type { Differencing } from '#ports/differencing.ts'
import { withLock, writeDurably } from './durable-file.ts'

/** Two exact results over cohorts that differ by fewer patients than this could show one of them. */
export const MIN_DIFFERENCE = 10

export type JoinVerdict = { readonly ok: true } | { readonly ok: false; readonly smallestDifference: number }

/**
 * Which cohorts of one dataset were used in exact runs: a JSON line per distinct cohort, patients as keyed digests
 * (first 16 bytes). One file per dataset, shared by all studies.
 * Limit: it knows who was used, not with which values; a corrected row of the same patient is not seen.
 */
export class DifferencingLedger implements Differencing {
  readonly #file: string
  readonly #minimum: number

  constructor(file: string, minimum = MIN_DIFFERENCE) {
    this.#file = file
    this.#minimum = minimum
  }

  /** @throws ROTA-6006 when the ledger cannot be read */
  async mayJoin(patients: readonly Digest[]): Promise<JoinVerdict> {
    const now = new Set(patients.map(shorten))
    const differences = (await this.#cohorts()).map((earlier) => symmetricDifference(now, earlier)).filter((n) => n > 0)
    const smallestDifference = Math.min(...differences, Number.POSITIVE_INFINITY)
    return smallestDifference >= this.#minimum ? { ok: true } : { ok: false, smallestDifference }
  }

  async record(patients: readonly Digest[]): Promise<void> {
    await withLock(this.#file, async () => {
      const cohorts = await this.#cohorts()
      const now = new Set(patients.map(shorten))
      if (cohorts.some((earlier) => symmetricDifference(now, earlier) === 0)) return
      const lines = [...cohorts, now].map((cohort) => `${JSON.stringify([...cohort].sort())}\n`)
      await writeDurably(this.#file, lines.join(''))
    })
  }

  async #cohorts(): Promise<readonly ReadonlySet<string>[]> {
    const text = await readFile(this.#file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return ''
      throw new RotaError('ROTA-3001', { file: this.#file, reason: String(cause.code) })
    })
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => this.#cohort(line))
  }

  #cohort(line: string): ReadonlySet<string> {
    try {
      const list: unknown = JSON.parse(line)
      if (Array.isArray(list) && list.every((x) => typeof x === 'string')) return new Set(list as string[])
    } catch {
      // told below
    }
    throw new RotaError('ROTA-6006', { file: this.#file })
  }
}

const shorten = (digest: Digest): string => digest.slice(2, 34)

function symmetricDifference(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let both = 0
  for (const x of a) if (b.has(x)) both += 1
  return a.size + b.size - 2 * both
}
