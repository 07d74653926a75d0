import { sizeOf } from '#base/bitmap.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import { type Outline, outlineOf, rootOfUnits, unitBytes, unitRoots } from '#core/commit/outline.ts'
import { slicesOf } from '#core/commit/slices.ts'
import { vectorBytes } from '#core/ring/layout.ts'
import type { SealedSlice } from '#ports/model-store.ts'
import type { NamedUpdate } from '#round/updates/adding.ts'
import { type Holdings, updatesIn } from '#round/updates/holdings.ts'
import { cutOf, isSmall } from '../custody.ts'
import type { Play, Round } from '../play.ts'

/** One slice of the sum: what it is, and where its encrypted pieces are. */
export interface SummedSlice extends SealedSlice {
  readonly units: readonly Digest[]
}

/** What one site added up of one frozen set. */
export interface AddedSlices {
  /** Names the set and the updates in it. */
  readonly set: string
  readonly slices: Map<number, SummedSlice>
}

/**
 * Adds slices of the frozen set's updates up, encrypts and keeps them: integers, so that anyone who adds them gets the same bytes.
 * Remembered, so that a site that published does not add again to attest.
 * @throws ROTA-5508 when the chain does not name an update of the set yet (retry), ROTA-4xxx when one cannot be had
 */
export async function addUp(play: Play, round: Round, slices: readonly number[], signal: AbortSignal): Promise<ReadonlyMap<number, SummedSlice>> {
  const { updates, holdings } = frozenUpdates(play, round)
  if (isSmall(round.layout)) {
    const { bytes, outline } = await smallSum(play, round, signal)
    return new Map([[0, { units: outline.units, ...(await play.site.store.putSlice(bytes, outline.root, 'sum', round.key, signal)) }]])
  }
  const set = nameOf(updates)
  const added = play.added?.set === set ? play.added : { set, slices: new Map<number, SummedSlice>() }
  play.added = added
  const missing = slices.filter((slice) => !added.slices.has(slice))
  if (missing.length > 0) await addLarge(play, round, { updates, holdings }, added, missing, signal)
  return added.slices
}

/** The whole sum's bytes of small updates; one addition for all simulated sites of a process. */
export function smallSum(play: Play, round: Round, signal: AbortSignal): Promise<{ readonly bytes: Uint8Array; readonly outline: Outline }> {
  const { updates, holdings } = frozenUpdates(play, round)
  return play.site.memo.once(nameOf(updates), async () => {
    const bytes = await holdings.sum(updates, [0], signal)
    return { bytes, outline: outlineOf(bytes, play.site.sha256) }
  })
}

/** @throws ROTA-5508 when the chain does not name an update of the set yet (retry) */
export function frozenUpdates(play: Play, round: Round): { readonly updates: readonly NamedUpdate[]; readonly holdings: Holdings } {
  const updates = updatesIn(play.updates, round.view.round.included)
  const { holdings } = play
  if (updates.length !== sizeOf(round.view.round.included) || holdings === null) throw new RotaError('ROTA-5508', { run: round.run, round: round.round })
  return { updates, holdings }
}

async function addLarge(
  play: Play,
  round: Round,
  { updates, holdings }: ReturnType<typeof frozenUpdates>,
  added: AddedSlices,
  missing: readonly number[],
  signal: AbortSignal,
): Promise<void> {
  const { store, sha256 } = play.site
  const bytes = await holdings.sum(updates, missing, signal)
  const cuts = slicesOf(bytes.length, cutOf(round.layout, round.view.round))
  for (const slice of missing) {
    const part = bytes.subarray(cuts[slice]?.start, cuts[slice]?.end)
    const units = unitRoots(part, unitBytes(vectorBytes(round.layout)), sha256)
    const { pieces } = await store.putSlice(part, rootOfUnits(units, sha256), 'sum', round.key, signal)
    added.slices.set(slice, { units, pieces })
  }
}

const names = new WeakMap<readonly NamedUpdate[], string>()

function nameOf(updates: readonly NamedUpdate[]): string {
  const name = names.get(updates) ?? `sum ${updates.map((u) => u.root).join(' ')}`
  names.set(updates, name)
  return name
}
