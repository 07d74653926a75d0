import { hash } from 'node:crypto'
import { fromHex, type Sha256, utf8 } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import { type CohortPlace, cohortEntry, grantEntry, padded, word32 } from '#core/consent/cohort-map.ts'
import { buildKeyedMap, type KeyedMap } from '#core/consent/keyed-map.ts'
import type { Vault } from '#ports/vault.ts'

type Keyed = Pick<Vault, 'keyedDigest'>

/** Of short parts: joined first, since one call for all is a third of the time of one each. */
export const sha256: Sha256 = (...parts) => new Uint8Array(hash('sha256', parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts), 'buffer'))

/** The secret by which this site enters a member into its cohort maps. @param member its tag or, under opt-out without one, its digest */
export const cohortSecret = (vault: Keyed, programme: string, member: Digest): Uint8Array =>
  fromHex(vault.keyedDigest('cohort-secret', utf8(programme), fromHex(member)))

/** The map over exactly these members in one round: what `contribute` commits to. */
export function cohortMap(vault: Keyed, programme: string, members: readonly Digest[], place: CohortPlace): KeyedMap {
  const entries = members.map((member) => cohortEntry(cohortSecret(vault, programme, member), place, sha256))
  return buildKeyedMap(padded(entries, cohortPad(vault, programme, place), 'present', sha256), sha256)
}

export const cohortPad = (vault: Keyed, programme: string, { network, run, round }: CohortPlace): Uint8Array =>
  fromHex(vault.keyedDigest('cohort-pad', utf8(programme), network, word32(run), word32(round)))

/** The map over the consents that stand at an epoch, for ConsentRegistry. */
export function grantedMap(vault: Keyed, programme: string, tags: readonly Digest[], epoch: number): KeyedMap {
  const entries = tags.map((tag) => grantEntry(fromHex(tag), cohortSecret(vault, programme, tag), sha256))
  return buildKeyedMap(padded(entries, grantedPad(vault, programme, epoch), 'drawn', sha256), sha256)
}

export const grantedPad = (vault: Keyed, programme: string, epoch: number): Uint8Array =>
  fromHex(vault.keyedDigest('granted-pad', utf8(programme), word32(epoch)))
