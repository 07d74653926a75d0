import { sha256 } from '#app/sha256.ts'
import type { SiteId } from '#base/ids.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import type { Model, ModelValue } from '#core/model/model.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { SplitTable } from '#core/model/table.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { addVectors } from '#core/ring/add.ts'
import { boundUpdate } from '#core/ring/bound.ts'
import { decodeSum } from '#core/ring/decode.ts'
import { SALT_BYTES } from '#core/ring/layout.ts'
import { toRing } from '#core/ring/to-ring.ts'

/**
 * To what a round leads from this base if it is among these sites alone, and all of them are honest.
 * @param rows by site
 */
export async function ledToBy(protocol: Protocol, rows: readonly SplitTable[], base: Model, sites: readonly SiteId[]): Promise<Model> {
  const learner = learnerFor(protocol, sha256)
  const random = new Seeded(1)
  const signal = new AbortController().signal
  const updates = await Promise.all(sites.map((site) => learner.contribute(base, rows[site] as SplitTable, { signal })))
  const sum = addVectors(updates.map((update) => toRing(boundUpdate(update), random.bytes(SALT_BYTES), random)))
  return learner.advance(base, decodeSum(sum.bytes, learner.layout(base), sites.length)).model
}

/** Rows are added up over groups, and a salt is of the sum's own bytes: neither is between any. */
const NOT_BETWEEN = new Set(['rows', 'n', 'salt'])

/** Numbers of a model by where they stand in it. */
export function numbersIn(value: ModelValue, at = ''): ReadonlyMap<string, number> {
  if (typeof value === 'number') return new Map([[at, value]])
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return new Map()
  return new Map(Object.entries(value).flatMap(([key, part]) => (NOT_BETWEEN.has(key) ? [] : [...numbersIn(part as ModelValue, `${at}/${key}`)])))
}

/** Weights are rounded at random before they are added up: the same sum comes out a little other each time. */
const ROUNDED = 1e-4

/** Numbers that lie neither between two of those that others have in this place, nor on one of them. */
export function outside(model: Model, others: readonly Model[]): string[] {
  const known = others.map(({ state }) => numbersIn(state))
  return [...numbersIn(model.state)].flatMap(([at, number]) => {
    const there = known.flatMap((numbers) => numbers.get(at) ?? [])
    const [low, high] = [Math.min(...there), Math.max(...there)]
    return number >= low - ROUNDED && number <= high + ROUNDED ? [] : [`${at}: ${number} of ${there.join(', ')}`]
  })
}
