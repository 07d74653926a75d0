import { bitmapOf } from '#base/bitmap.ts'
import { fromHex } from '#base/bytes.ts'
import { address, type Digest, type RoundNo, type RunId, type SiteId, studyId } from '#base/ids.ts'
import type { KeyedSite } from '#core/masking/held-deals.ts'
import { rebuildSeeds } from '#core/masking/rebuild.ts'
import { makeRelease, type Release } from '#core/masking/release.ts'
import { Seeded } from '#core/model/seeded.ts'
import { type DealFile, encodeDealFile } from '#wire/masking/deal-file.ts'
import { encodeParcel } from '#wire/masking/parcel.ts'
import { encodeUnmasking, type Unmasking } from '#wire/masking/unmasking.ts'
import { keyIn, makeParty, maskOf, releasesOf, unmaskInput } from '../../support/masked-party.ts'

export const COORDINATOR = address(`0x${'5c'.repeat(20)}`)

/** Masks over a world's rounds, and what a liar changes of them. */
export interface MaskedWorld {
  /** Keyed in, and did not contribute. */
  readonly dropped?: readonly SiteId[]
  deal?(file: DealFile): DealFile
  release?(release: Release, site: SiteId): Release
  unmasking?(unmasking: Unmasking): Unmasking
}

export interface KeyedRound {
  /** What each keyed with; it names the deals that it holds otherwise than they are stored. */
  readonly files: ReadonlyMap<SiteId, { readonly bytes: Uint8Array; readonly said: KeyedSite }>
  mask(site: SiteId, bytes: Uint8Array, wordBits: 32 | 64): Uint8Array
  /** What an attester leaves of how it took the masks off. */
  shown(site: SiteId, proof: Digest): Promise<Uint8Array>
}

interface At {
  readonly chainId: bigint
  readonly genesis: Digest
  readonly run: RunId
  readonly round: RoundNo
  readonly base: Digest
  readonly protocol: Digest
}

/** Keying of a round by the nodes' code. */
export async function keyedRound(sites: readonly SiteId[], masked: MaskedWorld, { base, ...at }: At): Promise<KeyedRound> {
  const terms = { ...at, epoch: 0, coordinator: COORDINATOR, study: studyId(1), baseRoot: base, members: bitmapOf(sites) }
  const party = await makeParty(sites, new Seeded(at.round), terms)
  const keyed = keyIn(party, { keyed: sites, isLost: () => false })
  const survivors = sites.filter((site) => !masked.dropped?.includes(site))
  const frozen = bitmapOf(survivors)
  const { seeds } = await rebuildSeeds(unmaskInput(keyed, frozen, releasesOf(keyed, frozen, survivors)))
  const files = sites.map((site) => {
    const { offer, deal } = party.members.get(site)!
    const file = { index: deal.index, channelKey: offer.channelKey, parcels: [...deal.parcels.values()].map(encodeParcel) }
    return [site, { bytes: encodeDealFile(masked.deal?.(file) ?? file), said: keyed.events.find((event) => event.site === site)! }] as const
  })
  return {
    files: new Map(files),
    mask: (site, bytes, wordBits) => maskOf(keyed, site, bytes, wordBits),
    async shown(site, proof) {
      const own = makeRelease(party.round, keyed.graph, frozen, party.members.get(site)!)
      const release = { run: at.run, round: at.round, release: masked.release?.(own, site) ?? own }
      const unmasking: Unmasking = { site, proof: fromHex(proof), survivors: frozen, seeds, release }
      return encodeUnmasking(masked.unmasking?.(unmasking) ?? unmasking)
    },
  }
}
