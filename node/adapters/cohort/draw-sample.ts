import { fromHex, toDigest, toHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import { type CohortPlace, grantKey, padSeed } from '#core/consent/cohort-map.ts'
import { tellCountedProof, tellMapProof } from '#core/consent/cohort-proof.ts'
import { type CohortSample, coinOf, type DrawnEntry, drawnPlace } from '#core/consent/cohort-sample.ts'
import { buildCountedMap, provePlace } from '#core/consent/counted-map.ts'
import { proveKey } from '#core/consent/keyed-map.ts'
import type { Vault } from '#ports/vault.ts'
import { cohortEntries, cohortPad, cohortSecret, grantedMap, sha256 } from './site-maps.ts'

/** What a site knows of the cohort that it declared for a round. */
export interface DeclaredCohort {
  readonly vault: Pick<Vault, 'keyedDigest'>
  readonly programme: string
  readonly site: number
  readonly place: CohortPlace
  /** On chain. */
  readonly root: Digest
  /** Tags and, under opt-out without one, digests. */
  readonly members: readonly Digest[]
  /** The consents that stood; null: none. */
  readonly granted: { readonly epoch: number; readonly tags: readonly Digest[] } | null
}

/**
 * Opens the members of a cohort that the coin draws.
 * @param seed 32 bytes; `asked`: of whoever asked, else a block's hash
 * @throws ROTA-6011 these members are not what the root on chain was made of
 */
export function drawSample(of: DeclaredCohort, seed: Uint8Array, asked: boolean, draws: number): CohortSample {
  const { vault, programme, site, place, members, granted, root } = of
  const { run, round } = place
  const entries = cohortEntries(vault, programme, members, place)
  const map = buildCountedMap(entries, sha256)
  if (toDigest(map.root) !== root) throw new RotaError('ROTA-6011', { run, round })
  const coin = coinOf(place, site, root, seed, sha256)
  const pad = cohortPad(vault, programme, place)
  const consentOf = consents(of)
  const drawn = Array.from({ length: draws }, (_, i): DrawnEntry => {
    const { end, ...way } = provePlace(map, drawnPlace(coin, i, map.size, sha256))
    const { siblings, counts } = tellCountedProof({ ...way, end })
    const at = entries.indexOf(end)
    const member = members[at]
    if (member === undefined) return { pad: toHex(padSeed(pad, at - members.length, sha256)), way: { siblings, counts } }
    return { secret: toHex(cohortSecret(vault, programme, member)), consent: consentOf(member), way: { siblings, counts } }
  })
  return { ...{ version: 1, programme, site, run, round }, seed: asked ? toHex(seed) : null, epoch: granted?.epoch ?? null, drawn }
}

/** A member's consent in the epoch that stood; null: there was none. */
function consents({ vault, programme, granted }: DeclaredCohort) {
  const map = granted === null ? null : grantedMap(vault, programme, granted.tags, granted.epoch)
  const stood = new Set(granted?.tags)
  return (member: Digest) => {
    if (map === null || !stood.has(member)) return null
    return { tag: member, siblings: tellMapProof(proveKey(map, grantKey(fromHex(member), sha256))).siblings }
  }
}
