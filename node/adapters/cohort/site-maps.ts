import { hash } from 'node:crypto'
import { fromHex, type Sha256, utf8 } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import { type CohortPlace, cohortEntry, grantEntry, paddedCohort, paddedGrants, word32 } from '#core/consent/cohort-map.ts'
import { buildCountedMap } from '#core/consent/counted-map.ts'
import { buildKeyedMap, type KeyedMap, type MapEntry } from '#core/consent/keyed-map.ts'
import type { Vault } from '#ports/vault.ts'

type Keyed = Pick<Vault, 'keyedDigest'>

/** Of short parts: joined first, since one call for all is a third of the time of one each; in the same place again and again, which is half of that. */
export const sha256: Sha256 = (...parts) =>
  new Uint8Array(Buffer.from(hash('sha256', parts.length === 1 ? (parts[0] as Uint8Array) : joined(parts), 'binary'), 'binary'))

const place = new Uint8Array(1_024)

function joined(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  if (length > place.length) return Buffer.concat(parts)
  let at = 0
  for (const part of parts) {
    place.set(part, at)
    at += part.length
  }
  return place.subarray(0, length)
}

/** The secret by which this site enters a member into its cohort maps. @param member its tag or, under opt-out without one, its digest */
export const cohortSecret = (vault: Keyed, programme: string, member: Digest): Uint8Array =>
  fromHex(vault.keyedDigest('cohort-secret', utf8(programme), fromHex(member)))

/** The map over exactly these members in one round: what `contribute` commits to. */
export const cohortMap = (vault: Keyed, programme: string, members: readonly Digest[], place: CohortPlace): KeyedMap =>
  buildCountedMap(cohortEntries(vault, programme, members, place), sha256)

/** The members' entries in their order, then the padding's. */
export const cohortEntries = (vault: Keyed, programme: string, members: readonly Digest[], place: CohortPlace): readonly MapEntry[] => {
  const entries = members.map((member) => cohortEntry(cohortSecret(vault, programme, member), place, sha256))
  return paddedCohort(entries, cohortPad(vault, programme, place), sha256)
}

export const cohortPad = (vault: Keyed, programme: string, { network, run, round }: CohortPlace): Uint8Array =>
  fromHex(vault.keyedDigest('cohort-pad', utf8(programme), network, word32(run), word32(round)))

/** The map over the consents that stand at an epoch, for ConsentRegistry. */
export function grantedMap(vault: Keyed, programme: string, tags: readonly Digest[], epoch: number): KeyedMap {
  return buildKeyedMap(paddedGrants(grantEntries(vault, programme, tags), grantedPad(vault, programme, epoch), sha256), sha256)
}

/** What stands in the map for each consent; the same in every epoch. */
function grantEntries(vault: Keyed, programme: string, tags: readonly Digest[]): MapEntry[] {
  const kept = keptEntries(vault, programme, tags.length)
  const name = utf8(programme)
  return tags.map((tag) => {
    const known = kept.at.get(tag)
    if (known !== undefined) return { key: kept.bytes.subarray(known, known + 32), value: kept.bytes.subarray(known + 32, known + 64) }
    const entry = grantEntry(fromHex(tag), fromHex(vault.keyedDigest('cohort-secret', name, fromHex(tag))), sha256)
    keep(kept, tag, entry)
    return entry
  })
}

/** Entries of one programme, 64 bytes each: a node makes the same ones at every epoch. */
interface KeptEntries {
  readonly programme: string
  readonly at: Map<Digest, number>
  bytes: Uint8Array
}

const keptBy = new WeakMap<Keyed, KeptEntries>()

/** Forgotten when another programme is asked for, or when most of them stand no more. */
function keptEntries(vault: Keyed, programme: string, wanted: number): KeptEntries {
  const kept = keptBy.get(vault)
  if (kept?.programme === programme && kept.at.size <= 2 * wanted) return kept
  const fresh = { programme, at: new Map(), bytes: new Uint8Array(64 * wanted) }
  keptBy.set(vault, fresh)
  return fresh
}

function keep(kept: KeptEntries, tag: Digest, { key, value }: MapEntry): void {
  const at = 64 * kept.at.size
  if (at + 64 > kept.bytes.length) {
    const larger = new Uint8Array(2 * kept.bytes.length + 64)
    larger.set(kept.bytes)
    kept.bytes = larger
  }
  kept.bytes.set(key, at)
  kept.bytes.set(value, at + 32)
  kept.at.set(tag, at)
}

export const grantedPad = (vault: Keyed, programme: string, epoch: number): Uint8Array =>
  fromHex(vault.keyedDigest('granted-pad', utf8(programme), word32(epoch)))
