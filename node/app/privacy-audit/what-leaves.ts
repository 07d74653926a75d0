import { nodeMasking } from '#adapters/masking/node-masking.ts'
import type { Measured } from '#core/evidence/verdict.ts'
import { mask } from '#core/masking/mask.ts'
import type { Model } from '#core/model/model.ts'
import type { Table } from '#core/model/table.ts'
import { isPrivate } from '#core/protocol/private-rounds.ts'
import { hidesUpdates, type Protocol } from '#core/protocol/protocol.ts'
import { boundUpdate } from '#core/ring/bound.ts'
import { decodeSum } from '#core/ring/decode.ts'
import { SALT_BYTES } from '#core/ring/layout.ts'
import { toRing } from '#core/ring/to-ring.ts'
import type { SumValues } from '#core/ring/vectors.ts'
import { type Lab, learnerOf, toolsOf, withoutTest } from './lab.ts'

/**
 * The vector that a site sends, as whoever gets hold of it reads it: the study's own contribution of these rows, in its ring, under a mask of the site's
 * own and one with each other site where the study has masks. Keys are random here, as they are to whoever lacks them.
 */
export async function whatLeaves(lab: Lab, protocol: Protocol, model: Model, rows: Table, masks: number): Promise<SumValues> {
  const learner = learnerOf(protocol)
  const { random } = lab.tools
  const update = await learner.contribute(model, withoutTest(rows), toolsOf(lab))
  const ring = toRing(boundUpdate(update), random.bytes(SALT_BYTES), random)
  const streams = Array.from({ length: masks }, (_, i) => ({ key: random.bytes(32), sign: i % 2 === 0 ? (1 as const) : (-1 as const) }))
  const { bytes } = masks === 0 ? ring : mask(ring, streams, nodeMasking.keystream)
  return decodeSum(bytes, learner.layout(model), 1)
}

/** Other sites of a masked round. */
const OTHERS = 4

/**
 * What an attack on one site's vector finds with the study's protection and without.
 * @param attack with so many masks
 * @returns `protected` null where neither masks nor noise are promised
 */
export async function bothWays(
  { guarded, bare }: Lab,
  mode: Protocol['mode'],
  attack: (protocol: Protocol, masks: number) => Promise<Measured>,
): Promise<{ readonly unprotected: Measured; readonly protected: Measured | null }> {
  const isMasked = hidesUpdates({ mode })
  const found = isMasked || isPrivate(guarded) ? await attack(guarded, isMasked ? 1 + OTHERS : 0) : null
  return { unprotected: await attack(bare, 0), protected: found }
}
