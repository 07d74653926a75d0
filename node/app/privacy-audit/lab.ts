import { sha256 } from '#app/sha256.ts'
import type { LearnerTools, TrainNeural } from '#core/learner/learner.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import { predictorOf } from '#core/learner/predict.ts'
import { rehearse } from '#core/learner/rehearse.ts'
import type { Model } from '#core/model/model.ts'
import type { Seeded } from '#core/model/seeded.ts'
import type { Table } from '#core/model/table.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { RandomSource } from '#core/ring/to-ring.ts'

export interface LabTools {
  readonly signal: AbortSignal
  /** Of networks. */
  readonly train?: TrainNeural | undefined
  /** Noise, salts and masks: the system's, but in tests. */
  readonly random: RandomSource
  /** Which records, which cohorts: so that an audit can be repeated. */
  readonly coin: Seeded
  readonly tell?: ((text: string) => void) | undefined
}

/** One site's rows under the study's own learner, with its protection and without: what an attack has to work on. */
export interface Lab {
  /** As it is studied, but for the least numbers of rows and patients: an attack looks at single patients. */
  readonly guarded: Protocol
  /** The same without noise. */
  readonly bare: Protocol
  readonly site: string
  /** Train rows of the site, one a patient. */
  readonly rows: Table
  readonly tools: LabTools
}

export function openLab(protocol: Protocol, site: string, rows: Table, tools: LabTools): Lab {
  const { privacy, start: _, ...rest } = protocol
  const learner = solvable(protocol.learner)
  // A bound far above the cohort leaves a network's changes few bits, which is no protection that anybody promised. One canary more may come in.
  const maxRows = Math.min(protocol.cohort.maxRows, rows.rows) + 1
  const bare: Protocol = { ...rest, learner, mode: 'open', cohort: { ...protocol.cohort, minRows: 1, maxRows }, minSites: 1, quorum: 1 }
  return { guarded: privacy === undefined ? bare : { ...bare, privacy: { ...privacy, minPatients: 1 } }, bare, site, rows, tools }
}

/** Few rows often have no best logistic model at all; a small penalty gives them one, which follows each row closely. */
const solvable = (learner: Protocol['learner']): Protocol['learner'] =>
  learner.kind === 'logistic' && learner.algorithm === 'newton' ? { ...learner, l2: Math.max(learner.l2, 1e-3), siteIntercepts: false } : learner

/** Some rows of a table, in the order asked for. */
export function rowsAt(table: Table, which: readonly number[]): Table {
  const width = table.columns.length
  const values = new Float64Array(which.length * width)
  which.forEach((row, i) => values.set(table.values.subarray(row * width, (row + 1) * width), i * width))
  return { columns: table.columns, rows: which.length, values, label: Float64Array.from(which, (row) => table.label[row] as number) }
}

export const withoutTest = (train: Table) => ({ train, test: { ...train, rows: 0, values: new Float64Array(0), label: new Float64Array(0) } })

export const toolsOf = ({ tools: { signal, train, random } }: Lab): LearnerTools & { readonly random: RandomSource } => ({
  signal,
  random,
  ...(train === undefined ? {} : { train }),
})

/** The model that the study's learner makes of these rows alone, by the functions that nodes run. */
export async function fit(lab: Lab, protocol: Protocol, rows: Table): Promise<Model> {
  lab.tools.signal.throwIfAborted()
  const { final } = await rehearse(protocol, { [lab.site]: withoutTest(rows) }, { ...toolsOf(lab), sha256 })
  return final
}

export const learnerOf = (protocol: Protocol) => learnerFor(protocol, sha256)

/** How sure a model is of each row's own outcome, 0 to 1; null for a model that foretells nothing about one row. */
export function confidencesOf(model: Model, protocol: Protocol, rows: Table): number[] | null {
  const predict = predictorOf(model, protocol)
  if (predict === null) return null
  const width = rows.columns.length
  const { kind, range } = protocol.label
  return Array.from({ length: rows.rows }, (_, row) => {
    const guess = predict(rows.values.subarray(row * width, (row + 1) * width))
    const outcome = rows.label[row] as number
    if (kind === 'binary') return outcome === 1 ? guess : 1 - guess
    const off = (guess - outcome) / (range[1] - range[0])
    return Math.exp(-off * off)
  })
}
