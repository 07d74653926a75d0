import type { Sha256 } from '#base/bytes.ts'
import type { Model } from '../model/model.ts'
import { joined, type SplitTable } from '../model/table.ts'
import type { Protocol } from '../protocol/protocol.ts'
import { addVectors } from '../ring/add.ts'
import { boundUpdate } from '../ring/bound.ts'
import { decodeSum } from '../ring/decode.ts'
import { SALT_BYTES } from '../ring/layout.ts'
import { type RandomSource, toRing } from '../ring/to-ring.ts'
import type { LearnerTools } from './learner.ts'
import { learnerFor } from './learner-for.ts'

/** A site's rows under its name. */
export type SiteTables = Readonly<Record<string, SplitTable>>

export interface RehearsalTools extends LearnerTools {
  /** Goes on from this model instead of the protocol's initial one. */
  readonly start?: Model
  readonly sha256: Sha256
  readonly random: RandomSource
}

export interface Rehearsal {
  /** The model that each round began with, and last the final one. */
  readonly models: readonly Model[]
  readonly rounds: readonly { readonly stage: string; readonly vectorBytes: number; readonly sites: readonly string[] }[]
  readonly final: Model
  /** Whether the learner finished by itself; false when the protocol's maxRounds ended it. */
  readonly finished: boolean
  /** Sites below minRows. */
  readonly leftOut: readonly string[]
}

/**
 * A whole run in one process without network, chain or store: contribute → bound → ring → add → decode → advance, with the very
 * functions that nodes use. For reference fits (pooled rows, one site alone) and golden tests.
 * @throws as contribute and boundUpdate do; a fit without result is no error, see `problemOf`
 */
export async function rehearse(protocol: Protocol, tables: SiteTables, tools: RehearsalTools): Promise<Rehearsal> {
  const learner = learnerFor(protocol, tools.sha256)
  const enough = (table: SplitTable): boolean => table.train.rows >= protocol.cohort.minRows
  const sites = Object.entries(tables).filter(([, table]) => enough(table))
  const leftOut = Object.keys(tables).filter((name) => !sites.some(([site]) => site === name))
  const models = [tools.start ?? learner.initial()]
  const rounds: Rehearsal['rounds'][number][] = []
  let finished = sites.length === 0
  while (!finished && rounds.length < protocol.maxRounds) {
    const model = models.at(-1) as Model
    const layout = learner.layout(model)
    const vectors = []
    for (const [, table] of sites) {
      const update = await learner.contribute(model, table, tools)
      vectors.push(toRing(boundUpdate(update), tools.random.bytes(SALT_BYTES), tools.random))
    }
    const sum = addVectors(vectors)
    const next = learner.advance(model, decodeSum(sum.bytes, layout, sites.length))
    rounds.push({ stage: model.stage, vectorBytes: sum.bytes.length, sites: sites.map(([name]) => name) })
    models.push(next.model)
    finished = next.status === 'finished'
  }
  return { models, rounds, final: models.at(-1) as Model, finished: finished && sites.length > 0, leftOut }
}

/** All rows as if they lay at one site: what no hospital could do, to compare with. */
export function pooledTable(tables: readonly SplitTable[]): SplitTable {
  return { train: joined(tables.map((table) => table.train)), test: joined(tables.map((table) => table.test)) }
}
