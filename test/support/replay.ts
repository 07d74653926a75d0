import type { RoundStory } from '#app/node/round-story.ts'
import { sha256 } from '#app/sha256.ts'
import type { Digest } from '#base/ids.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { SplitTable } from '#core/model/table.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { addVectors } from '#core/ring/add.ts'
import { boundUpdate } from '#core/ring/bound.ts'
import { decodeSum } from '#core/ring/decode.ts'
import { SALT_BYTES } from '#core/ring/layout.ts'
import { toRing } from '#core/ring/to-ring.ts'
import { nameModel } from '#round/study.ts'

/**
 * The model roots of a run that nothing disturbed and in whose rounds the same sites were in: what the run of these stories must have come to.
 * @param rows by site
 */
export async function undisturbed(protocol: Protocol, rows: readonly SplitTable[], stories: readonly RoundStory[]): Promise<readonly Digest[]> {
  const learner = learnerFor(protocol, sha256)
  const random = new Seeded(1)
  const signal = new AbortController().signal
  const roots: Digest[] = []
  let model = learner.initial()
  for (const { included } of stories) {
    const updates = await Promise.all(included.map((site) => learner.contribute(model, rows[site] as SplitTable, { signal })))
    const sum = addVectors(updates.map((update) => toRing(boundUpdate(update), random.bytes(SALT_BYTES), random)))
    model = learner.advance(model, decodeSum(sum.bytes, learner.layout(model), included.length)).model
    roots.push(nameModel(model, { sha256 }).root)
  }
  return roots
}
