import { release, utf8 } from '#base/bytes.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import type { Learner } from '#core/learner/learner.ts'
import { stageLayouts } from '#core/learner/learner-for.ts'
import type { Model } from '#core/model/model.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { RingAdder } from '#core/ring/add.ts'
import { boundUpdate } from '#core/ring/bound.ts'
import { decodeSum } from '#core/ring/decode.ts'
import { integerBound, SALT_BYTES, vectorBytes } from '#core/ring/layout.ts'
import { type RandomSource, toRing } from '#core/ring/to-ring.ts'
import type { LocalUpdate, SumValues, VectorBlock, VectorLayout } from '#core/ring/vectors.ts'
import { nameModel } from '#round/study.ts'
import { sha256 } from '../sha256.ts'

/** Of the study's stages the one that sends the most. */
export function largestLayout(protocol: Protocol): VectorLayout {
  const [first, ...rest] = stageLayouts(protocol).map(({ layout }) => layout)
  return rest.reduce((most, layout) => (vectorBytes(layout) > vectorBytes(most) ? layout : most), first as VectorLayout)
}

/**
 * Made-up work of the study's size in the learner's place: each site's update follows from the round's name and the site alone, so that whoever
 * asked knows the sum. Nothing of a patient is in it. The step makes a model as large as the study's, of the sum, and is none of the learner's.
 */
export const madeUpLearner = (layout: VectorLayout, name: Digest, site: SiteId): Learner => ({
  initial: () => ({ ...MODEL, state: {} }),
  layout: () => layout,
  contribute: async () => madeUpUpdate(layout, chanceOf(name, site, 'update')),
  advance: (_, sum) => ({ model: modelOf(layout, sum), status: 'finished' }),
})

const MODEL = { version: 1, learner: 'canary', stage: 'canary', refusals: 0 } as const

/** A site's salt: elsewhere it is secret. The same at each draw, so that the sum is known however often a step draws. */
export const madeUpRandom = (name: Digest, site: SiteId): RandomSource => ({ bytes: (length) => chanceOf(name, site, 'salt').bytes(length) })

const chanceOf = (name: Digest, site: SiteId, what: string): Seeded => new Seeded(sha256(utf8(`rota/canary/${name}/${site}/${what}`)))

/** What everybody must come to: roots of the sum and of the model that is made of it. Adds up one vector after the other. */
export function knownRoots(layout: VectorLayout, name: Digest, sites: readonly SiteId[]): { readonly sum: Digest; readonly model: Digest } {
  const adder = new RingAdder(layout.wordBits, vectorBytes(layout))
  for (const site of sites) {
    const random = madeUpRandom(name, site)
    const update = madeUpUpdate(layout, chanceOf(name, site, 'update'))
    const { bytes } = toRing(boundUpdate(update), random.bytes(SALT_BYTES), random)
    adder.add(bytes)
    // Of large vectors each is most of a node's memory.
    release(bytes)
    if (update.kind === 'neural') release(new Uint8Array(update.delta.buffer))
  }
  const { bytes } = adder.sum
  const model = modelOf(layout, decodeSum(bytes, layout, sites.length))
  return { sum: outlineOf(bytes, sha256).root, model: nameModel(model, { sha256 }).root }
}

function madeUpUpdate(layout: VectorLayout, chance: Seeded): LocalUpdate {
  const [rows, delta] = layout.blocks as readonly [VectorBlock, VectorBlock | undefined]
  if (delta?.name !== 'delta') return { kind: 'exact', layout, coordinates: madeUpCoordinates(layout, chance) }
  const weights = new Float32Array(delta.length)
  const steps = 2 ** delta.fractionBits
  const most = Math.min(EXACT, Math.floor((delta.bound * steps) / Math.sqrt(delta.length)))
  // Whole steps of the fixed point: nothing is left to be rounded at random.
  for (let i = 0; i < weights.length; i++) weights[i] = ((chance.word() % (2 * most + 1)) - most) / steps
  return { kind: 'neural', layout, rows: rows.bound, weight: 1, delta: weights, normBound: delta.bound }
}

/** Integers up to it are exact in float32. */
const EXACT = 2 ** 24

/** Small, so that they are in the range of every block. */
const MOST_COORDINATE = 1_000

function madeUpCoordinates(layout: VectorLayout, chance: Seeded): BigInt64Array {
  const coordinates = new BigInt64Array(layout.length)
  let at = 0
  for (const block of layout.blocks) {
    const most = Math.min(MOST_COORDINATE, integerBound(block))
    for (const end = at + block.length; at < end; at++) coordinates[at] = BigInt(chance.word() % (most + 1))
  }
  return coordinates
}

/** Weights are 4 bytes each, as in a network's model; of exact learners, whose models are small, the first numbers do. */
const MOST_NUMBERS = 1_000

function modelOf(layout: VectorLayout, sum: SumValues): Model {
  const isNetwork = layout.blocks[1]?.name === 'delta'
  const count = isNetwork ? sum.length - 1 : Math.min(MOST_NUMBERS, sum.length)
  const first = sum.length - count
  const weights = new Float32Array(count)
  for (let i = 0; i < count; i++) weights[i] = sum.at(first + i) / sum.sites
  return { ...MODEL, state: { weights: new Uint8Array(weights.buffer) } }
}
