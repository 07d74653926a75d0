import { has, sitesOf } from '#base/bitmap.ts'
import { fromHex } from '#base/bytes.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import type { Bitmap, Digest, SiteId } from '#base/ids.ts'
import { type Disproof, type Rebuilt, rebuildSeeds, type UnmaskInput } from '#core/masking/rebuild.ts'
import { streamsToRemove } from '#core/masking/unmask.ts'
import { addStreams } from '#core/masking/words.ts'
import { partOf } from '#core/ring/grouped.ts'
import { decodeParcel } from '#wire/masking/parcel.ts'
import { encodeUnmasking } from '#wire/masking/unmasking.ts'
import type { Play, Round } from '../play.ts'
import { parcelFor } from './deals.ts'
import { dealFileOf, type MaskedRound, maskedOf } from './masked-round.ts'
import { ownRelease } from './release.ts'
import { checkedReleases, indexesFor } from './releases.ts'

/** What was rebuilt of a round's masks. */
export interface Unmasked {
  readonly seeds: Rebuilt['seeds']
  /** Where there are some the masks stay on, for good. */
  readonly disproofs: readonly Disproof[]
}

/**
 * Takes the masks off a sum, in place: all of them, or, when that cannot be, none.
 * @throws ROTA-2329 (retry) when good shares are lacking
 */
export async function unmask(play: Play, round: Round, sum: Uint8Array, signal: AbortSignal): Promise<Unmasked> {
  const { site } = play
  const masked = maskedOf(play, round)
  const input = inputOf(play, round, masked, signal)
  const rebuilt = await rebuildSeeds(input).catch((error: unknown) => {
    if (isRotaError(error, 'ROTA-2329')) masked.lacking = new Set(input.releases.values())
    throw error
  })
  if (rebuilt.wrong !== 0n) site.tell({ kind: 'wrong-shares', run: round.run, round: round.round, sites: sitesOf(rebuilt.wrong) })
  if (rebuilt.disproofs.length > 0) return { seeds: new Map(), disproofs: rebuilt.disproofs }
  for (const { sites, words } of partsOf(play, round, masked, sum)) {
    const seeds = new Map([...rebuilt.seeds].filter(([dealer]) => has(sites, dealer)))
    const streams = streamsToRemove({ ...input, survivors: (input.survivors & sites) as Bitmap }, { ...rebuilt, seeds }, masked.masks)
    addStreams(words, round.layout.wordBits, 0, streams, site.masking.keystream)
  }
  return { seeds: rebuilt.seeds, disproofs: [] }
}

/** Sites that share masks, and the words that these stand in: all and all, or a group and its part. */
function partsOf({ study }: Play, { base }: Round, { groups }: MaskedRound, sum: Uint8Array): { readonly sites: Bitmap; readonly words: Uint8Array }[] {
  if (groups === null) return [{ sites: ALL, words: sum }]
  const stage = study.learner.layout(base.model)
  return groups.sets.map((sites, group) => {
    const { start, end } = partOf(stage, group)
    return { sites, words: sum.subarray(start, end) }
  })
}

const ALL = ((1n << 256n) - 1n) as Bitmap

/** Keeps what was taken off for whoever recomputes the round. @param proof what an attestation says of itself in an open study @returns what it says here: where that lies */
export async function keepUnmasking(play: Play, round: Round, { seeds }: Unmasked, proof: Digest, signal: AbortSignal): Promise<Digest> {
  const { site } = play
  const bytes = encodeUnmasking({ site: site.id, proof: fromHex(proof), survivors: round.view.round.included, seeds, release: ownRelease(play, round) })
  return site.store.putPlain(site.vault.seal(bytes, round.key), signal)
}

/** What the shares that are here are held against. @param from who says that some are false, and has what they are held against */
export function inputOf(play: Play, round: Round, masked: MaskedRound, signal: AbortSignal, from: readonly SiteId[] = []): UnmaskInput {
  const { site } = play
  const survivors = round.view.round.included
  const indexes = indexesFor(masked, survivors)
  if (indexes === null) throw new RotaError('ROTA-5508', { run: round.run, round: round.round })
  const names = new WeakMap<object, Uint8Array>()
  return {
    round: masked.terms,
    graph: masked.graph,
    keyed: new Map(masked.keyed.map((event) => [event.site, event])),
    survivors,
    indexes,
    releases: checkedReleases(play, round, masked),
    async fetchParcel(dealer, holder) {
      const found = await heldParcel(play, masked, { dealer, holder, from }, signal).catch((error: unknown) => {
        signal.throwIfAborted()
        // It cannot be had, or is none: what its index says is not held against anybody then.
        if (isRotaError(error)) return undefined
        throw error
      })
      if (found !== undefined) names.set(found.parcel, found.digest)
      return found?.parcel
    },
    parcelDigest: (parcel) => names.get(parcel) ?? new Uint8Array(0),
    crypto: site.masking,
  }
}

interface WantedParcel {
  readonly dealer: SiteId
  readonly holder: SiteId
  readonly from: readonly SiteId[]
}

/** As its dealer sent it: out of the deal that it keyed with. */
async function heldParcel({ site }: Play, masked: MaskedRound, { dealer, holder, from }: WantedParcel, signal: AbortSignal) {
  const file = dealFileOf(masked, dealer)
  const found = file && (await parcelFor(site, file, holder, signal, from))
  return found && { parcel: decodeParcel(found.bytes), digest: found.digest }
}
