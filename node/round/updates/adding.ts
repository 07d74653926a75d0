import type { Digest, RoundNo, RunId, SiteId } from '#base/ids.ts'
import { type ByteRange, strayFault } from '#core/ring/grouped.ts'
import type { VectorLayout } from '#core/ring/vectors.ts'
import type { EpochKey, ObjectRef } from '#ports/model-store.ts'

/** One update as the chain names it. */
export interface NamedUpdate {
  readonly site: SiteId
  readonly root: Digest
  readonly cid: Digest
}

/** The round whose vectors are added up. */
export interface AddingRound {
  readonly run: RunId
  readonly round: RoundNo
  readonly layout: VectorLayout
  readonly key: EpochKey
  /** Into how many slices its vectors are cut. */
  readonly cut: number
  /** Words under masks have no range: an update's length is all that is looked at. The sum is held against the bounds once its masks are off. */
  readonly masked?: boolean
  /** In groups: the part of the vector that is the site's, all else zero; undefined of a site in no group. Absent in other rounds. */
  readonly ownPart?: (site: SiteId) => ByteRange | undefined
}

/** How a round's vectors are held and added up: whole while they are small, else slice by slice as they arrive. */
export interface Adding {
  /**
   * Fetches slices of an update, unless `offered` is its bytes, and looks whether they may be added.
   * @throws ROTA-5506 when they may not (reject), ROTA-4xxx
   */
  take(update: NamedUpdate, slices: readonly number[], offered: Uint8Array | undefined, signal: AbortSignal): Promise<void>
  /**
   * The sum of these updates, which must be all of the frozen set, in the length of a whole vector; slices that nobody asked for are not in it.
   * The same bytes are handed out each time, with more slices in them. @throws ROTA-4xxx when an update is gone again
   */
  sum(updates: readonly NamedUpdate[], slices: readonly number[], signal: AbortSignal): Promise<Uint8Array>
  /** Brings slices that others added up into the sum's bytes. @throws ROTA-4xxx */
  fill(sum: ObjectRef, slices: readonly number[], providers: (slice: number) => readonly SiteId[], signal: AbortSignal): Promise<void>
  /** Forgets the sum's bytes: of a large model they would be most of a node's memory. */
  release(): void
}

/** Why a part of a masked update may not be added, or null. */
export const strayIn = ({ ownPart }: AddingRound, site: SiteId, part: Uint8Array, offset: number): string | null =>
  ownPart === undefined ? null : strayFault(part, offset, ownPart(site))

export const refOf = ({ cid, root }: NamedUpdate, { cut }: AddingRound): ObjectRef => ({ cid, kind: 'update', root, slices: cut })
