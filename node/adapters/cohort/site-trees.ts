import { createHash } from 'node:crypto'
import { fromHex, type Sha256, toDigest, utf8 } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import { buildCohortTree, type CohortTree, cohortEntry } from '#core/commit/cohort-tree.ts'
import type { Vault } from '#ports/vault.ts'
import type { ConsentStore } from './consent-store.ts'

type Keyed = Pick<Vault, 'keyedDigest'>

export const sha256: Sha256 = (...parts) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

/**
 * The tree over a cohort's tags (or, for patients under opt-out who have none, their digests). Same members, same root.
 * @see core/commit/cohort-tree.ts for proofs: `proveAbsent(siteTree(…), entryOf(…))`
 */
export function siteTree(vault: Keyed, programme: string, members: readonly Digest[]): CohortTree {
  const dummy = (i: number) => fromHex(vault.keyedDigest('cohort-dummy', utf8(programme), Uint8Array.of(i >>> 24, i >>> 16, i >>> 8, i)))
  return buildCohortTree(
    members.map((member) => entryOf(vault, programme, member)),
    dummy,
    sha256,
  )
}

/** Opened to an auditor, the key lets tags that are public (withdrawn ones) be looked up; it tells nothing of the others. */
export const cohortKey = (vault: Keyed, programme: string): Uint8Array => fromHex(vault.keyedDigest('cohort', utf8(programme)))

export const entryOf = (vault: Keyed, programme: string, tag: Digest): Uint8Array => cohortEntry(cohortKey(vault, programme), fromHex(tag), sha256)

/** Root over all standing consents, for ConsentRegistry. Its entries are those of cohorts, so "cohort ⊆ granted" can be shown. */
export async function grantedRoot(vault: Keyed, store: ConsentStore, programme: string): Promise<Digest> {
  const standings = await store.standings(programme)
  const tags = [...standings.values()].flatMap((s) => (s.state === 'granted' && s.tag !== null ? [s.tag] : []))
  return toDigest(siteTree(vault, programme, tags).root)
}
