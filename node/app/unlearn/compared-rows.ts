import type { Digest } from '#base/ids.ts'

/** Records that withdrawn ones are held beside, to see whether a model knows them better. */
export type ComparedWith = 'records that neither run was made with' | 'records that both runs were made with'

interface Row {
  readonly set: 'train' | 'test'
  /** Under which cohorts hold the patient: each tag, and the digest that stands where there is none. */
  readonly names: readonly Digest[]
  /** Nobody else's row is read for this. */
  readonly mayBeUsed: boolean
}

interface Cohorts {
  readonly before: ReadonlySet<Digest>
  readonly after: ReadonlySet<Digest>
}

/**
 * Rows that no run of the two was trained on: those held out to test, and patients who came later. Where there are none (a file without a column for sets
 * holds nothing out), rows that both were trained on tell the same from the other side: a model that was made without a record knows it less than these.
 */
export function comparedRows<R extends Row>(rows: readonly R[], { before, after }: Cohorts): { readonly rows: readonly R[]; readonly are: ComparedWith } {
  const isIn = ({ names }: R, cohort: ReadonlySet<Digest>): boolean => names.some((name) => cohort.has(name))
  const now = rows.filter(({ mayBeUsed }) => mayBeUsed)
  const unused = now.filter((row) => row.set === 'test' || !(isIn(row, before) || isIn(row, after)))
  if (unused.length > 0) return { rows: unused, are: 'records that neither run was made with' }
  return { rows: now.filter((row) => isIn(row, before) && isIn(row, after)), are: 'records that both runs were made with' }
}
