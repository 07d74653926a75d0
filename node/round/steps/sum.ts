import { sizeOf } from '#base/bitmap.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import { merkleRoot } from '#core/commit/merkle.ts'
import { RingAdder } from '#core/ring/add.ts'
import { vectorBytes } from '#core/ring/layout.ts'
import { updatesIn } from '../holdings.ts'
import type { Play, Round } from '../play.ts'

export interface AddedSum {
  readonly bytes: Uint8Array
  readonly root: Digest
}

/**
 * Adds the frozen set's updates: integers, so that anyone who adds them gets the same bytes. Remembered by the set's
 * roots: a site that published does not add again to attest.
 * @throws ROTA-5508 when the chain does not name an update of the set yet (retry), ROTA-4xxx when one cannot be had
 */
export function addFrozenSet(play: Play, round: Round, signal: AbortSignal): Promise<AddedSum> {
  const updates = updatesIn(play.updates, round.view.round.included)
  if (updates.length !== sizeOf(round.view.round.included)) throw new RotaError('ROTA-5508', { run: round.run, round: round.round })
  return play.site.memo.once(`sum ${updates.map((u) => u.root).join(' ')}`, async () => {
    const adder = new RingAdder(round.layout.wordBits, vectorBytes(round.layout))
    for (const update of updates) {
      const bytes = await play.holdings?.bytesOf(update, signal)
      if (bytes === undefined) throw new RotaError('ROTA-5508', { run: round.run, round: round.round })
      adder.add(bytes)
    }
    const { bytes } = adder.sum
    return { bytes, root: merkleRoot(bytes, play.site.sha256) }
  })
}
