import { has, sitesOf } from '#base/bitmap.ts'
import { equalBytes, fromHex } from '#base/bytes.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import type { Bitmap, Digest, SiteId } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import { pairTag } from '#core/masking/commitments.ts'
import { pairTagOf } from '#core/masking/deal.ts'
import { hiddenSecret, type KeyRecord } from '#core/masking/key-record.ts'
import { pairPad } from '#core/masking/pair-key.ts'
import { type Disproof, type Rebuilt, rebuildSeeds, type UnmaskInput } from '#core/masking/rebuild.ts'
import { pairSecretFor } from '#core/masking/release.ts'
import { streamsToRemove } from '#core/masking/unmask.ts'
import { addStreams } from '#core/masking/words.ts'
import { partOf } from '#core/ring/grouped.ts'
import { decodeDealFile, encodeDealFile } from '#wire/masking/deal-file.ts'
import { decodeParcel } from '#wire/masking/parcel.ts'
import { encodeUnmasking, type PairSecret } from '#wire/masking/unmasking.ts'
import type { Play, Round } from '../play.ts'
import { isMember } from './dealing.ts'
import { parcelFor } from './deals.ts'
import { keyFileOf, type MaskedRound, maskedOf } from './masked-round.ts'
import { ownRelease } from './release.ts'
import { checkedReleases, indexesFor } from './releases.ts'

/** What was rebuilt of a round's masks. */
export interface Unmasked {
  readonly seeds: Rebuilt['seeds']
  readonly pairs: readonly PairSecret[]
  /** Where there are some the masks stay on, for good. */
  readonly disproofs: readonly Disproof[]
}

/**
 * Takes the masks off a sum, in place: all of them, or, when that cannot be, none.
 * @throws ROTA-2329 (retry) when good shares are lacking, ROTA-2321 naming a site whose key record is false
 */
export async function unmask(play: Play, round: Round, sum: Uint8Array, signal: AbortSignal): Promise<Unmasked> {
  const { site } = play
  const masked = maskedOf(play, round)
  const input = inputOf(play, round, masked, signal)
  const rebuilt = await rebuildSeeds(input).catch((error: unknown) => {
    if (isRotaError(error, 'ROTA-2329')) masked.lacking = new Set(input.releases.values())
    throw error
  })
  for (const wrong of sitesOf(rebuilt.wrong)) site.host.log.warn('masking.wrong-share', { run: round.run, round: round.round, site: wrong })
  if (rebuilt.wrong !== 0n) await keepDeals(play, round, masked, signal)
  if (rebuilt.wrong !== 0n) site.tell({ kind: 'wrong-shares', run: round.run, round: round.round, sites: sitesOf(rebuilt.wrong) })
  if (rebuilt.disproofs.length > 0) return { seeds: new Map(), pairs: [], disproofs: rebuilt.disproofs }
  const records = recordsOf(masked, rebuilt)
  const ofMasks = { ...input, graph: masked.masks }
  for (const { sites, words } of partsOf(play, round, masked, sum)) {
    const seeds = new Map([...rebuilt.seeds].filter(([dealer]) => has(sites, dealer)))
    const streams = streamsToRemove({ ...ofMasks, survivors: (input.survivors & sites) as Bitmap }, { ...rebuilt, seeds }, records)
    addStreams(words, round.layout.wordBits, 0, streams, site.masking.keystream)
  }
  return { seeds: rebuilt.seeds, pairs: pairsBeside(ofMasks, rebuilt, records), disproofs: [] }
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
export async function keepUnmasking(play: Play, round: Round, { seeds, pairs }: Unmasked, proof: Digest, signal: AbortSignal): Promise<Digest> {
  const { site } = play
  const bytes = encodeUnmasking({ site: site.id, proof: fromHex(proof), survivors: round.view.round.included, seeds, pairs, release: ownRelease(play, round) })
  return site.store.putPlain(site.vault.seal(bytes, round.key), signal)
}

/** What the shares that are here are held against. */
export function inputOf(play: Play, round: Round, masked: MaskedRound, signal: AbortSignal): UnmaskInput {
  const { site } = play
  const survivors = round.view.round.included
  const indexes = indexesFor(masked, survivors)
  if (indexes === null) throw new RotaError('ROTA-5508', { run: round.run, round: round.round })
  const names = new WeakMap<object, Uint8Array>()
  return {
    round: masked.terms,
    graph: masked.graph,
    survivors,
    indexes,
    releases: checkedReleases(play, round, masked),
    async fetchParcel(dealer, holder) {
      const found = await heldParcel(play, round, masked, dealer, holder, signal).catch((error: unknown) => {
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

/** Whoever looks into a wrong share later needs the deals: their dealers may be gone, or have reasons not to have them any more. */
export async function keepDeals({ site }: Play, { key }: Round, { deals }: MaskedRound, signal: AbortSignal): Promise<void> {
  for (const file of deals.files.values()) {
    const bytes = encodeDealFile(file)
    await site.store.put(bytes, outlineOf(bytes, site.sha256), 'masking', key, signal)
  }
}

/** As its dealer sent it: out of its deal, which this site opened, or which the dealer's key file names. */
async function heldParcel({ site }: Play, { key }: Round, masked: MaskedRound, dealer: SiteId, holder: SiteId, signal: AbortSignal) {
  const named = keyFileOf(masked, dealer)?.deal
  const held = masked.deals.files.get(dealer) ?? (named && decodeDealFile(await site.store.get({ ...named, kind: 'masking' }, key, signal, [dealer])))
  const found = held && (await parcelFor(site, held, holder, signal))
  return found && { parcel: decodeParcel(found.bytes), digest: found.digest }
}

/** Of those that dropped out: what they hid in what they keyed with. */
function recordsOf(masked: MaskedRound, { seeds }: Rebuilt): Map<SiteId, KeyRecord> {
  const records = new Map<SiteId, KeyRecord>()
  for (const site of seeds.keys()) {
    const record = isMember(masked, site) ? keyFileOf(masked, site)?.record : undefined
    if (record !== undefined) records.set(site, record)
  }
  return records
}

/** Secrets that survivors had to tell, since the record of a site that dropped out does not hide them. */
function pairsBeside(
  { round, graph, survivors, indexes, releases, crypto }: UnmaskInput,
  { seeds }: Rebuilt,
  records: ReadonlyMap<SiteId, KeyRecord>,
): PairSecret[] {
  const pairs: PairSecret[] = []
  for (const [upper, seed] of seeds) {
    if (has(survivors, upper)) continue
    const record = records.get(upper)
    for (const lower of sitesOf((graph.neighbours(upper) & survivors) as Bitmap).filter((each) => each < upper)) {
      const index = indexes.get(lower)
      const tag = index === undefined ? undefined : pairTagOf(index, upper)
      const hidden = record === undefined ? undefined : hiddenSecret(record, lower, pairPad(round, lower, upper, seed, crypto))
      if (hidden !== undefined && tag !== undefined && equalBytes(pairTag(round, lower, upper, hidden, crypto), tag)) continue
      const release = releases.get(lower)
      const told = release === undefined ? undefined : pairSecretFor(release, upper)
      if (told !== undefined) pairs.push({ lower, upper, secret: told })
    }
  }
  return pairs
}
