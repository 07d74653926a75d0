import { sizeOf } from '#base/bitmap.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import { merkleRoot } from '#core/commit/merkle.ts'
import { updatesIn } from '../holdings.ts'
import { isSmall, type Play, type Round } from '../play.ts'

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
  const { holdings } = play
  if (updates.length !== sizeOf(round.view.round.included) || holdings === null) throw new RotaError('ROTA-5508', { run: round.run, round: round.round })
  const add = async (): Promise<AddedSum> => {
    const bytes = await holdings.sum(updates, signal)
    return { bytes, root: merkleRoot(bytes, play.site.sha256) }
  }
  const key = `sum ${updates.map((u) => u.root).join(' ')}`
  return isSmall(round.layout) ? play.site.memo.once(key, add) : play.large.once(key, add)
}
