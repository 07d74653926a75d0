import type { Hospital } from './hospital.ts'
import type { Worth } from './results.ts'
import type { Scene } from './scene.ts'

/** What the demo reads of `rota model show --json`. */
export interface ModelAnswer {
  readonly modelRoot: string
  readonly converged: boolean
  readonly problem: { readonly code: string; readonly columns: readonly string[] } | null
  readonly columns: readonly string[]
  /** Of the standardised coefficients, whose slopes have the p-values of the raw ones. */
  readonly p: readonly number[]
  /** Per unit of each feature. */
  readonly raw: {
    readonly coef: readonly number[]
    readonly se: readonly number[]
    readonly ratio: readonly number[]
    readonly ci95: readonly (readonly [number, number])[]
  }
  readonly weights?: number
  readonly test: { readonly pooled: Worth; readonly sites: Readonly<Record<string, Worth>> } | null
  readonly alone: Readonly<Record<string, { readonly own: Worth; readonly problem?: string }>> | null
}

/** The results of a run as one hospital sees them. */
export const showModel = ({ rota }: Scene, run: number, { folder }: Hospital): Promise<ModelAnswer> =>
  rota<ModelAnswer>(['model', 'show', String(run), '--folder', folder])

/** Accuracy and AUC for a table; a dash where they are not defined (one class only, no test rows). */
export const worthCells = (worth: Worth | null | undefined): readonly [string | null, string | null] => [
  percent(worth?.accuracy),
  worth?.auc == null ? null : worth.auc.toFixed(3),
]

export const worthOf = ({ n, accuracy, auc }: Worth): Worth => ({ n, accuracy, auc })

const percent = (share: number | null | undefined): string | null => (share == null ? null : `${(100 * share).toFixed(1)} %`)
