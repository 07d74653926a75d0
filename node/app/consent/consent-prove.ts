import type { ArchivedCohort } from '#adapters/cohort/cohort-archive.ts'
import { readReceipt } from '#adapters/cohort/receipt.ts'
import { cohortMap, cohortSecret, grantedMap } from '#adapters/cohort/site-maps.ts'
import { type AtSite, atSite } from '#app/site/at-site.ts'
import { networkOf } from '#app/site/site-cohort.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { fromHex, toDigest, toHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest, RoundNo, RunId } from '#base/ids.ts'
import { cohortKey, grantKey } from '#core/consent/cohort-map.ts'
import { type CohortProof, type GrantProof, type ToldCountedProof, tellCountedProof, tellMapProof } from '#core/consent/cohort-proof.ts'
import { proveCounted } from '#core/consent/counted-map.ts'
import { proveKey } from '#core/consent/keyed-map.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { sha256 } from '../sha256.ts'
import { type ConsentRoot, consentRoots } from './consent-root.ts'

export type { CohortProof } from '#core/consent/cohort-proof.ts'

type Contributed = Extract<ChainEvent, { kind: 'Contributed' }>

/**
 * Shows the holder of a receipt whether their record was in the cohort that this site declared for one round.
 * @throws ROTA-6001 the receipt, 6009 another site's receipt, 6010 a round that the chain does not know, 6011 a cohort that the archive does not hold
 */
export const proveReceipt = (call: StudyCall & { readonly receipt: string; readonly run: RunId; readonly round: RoundNo }): Promise<CohortProof> =>
  atSite(call, async (site) => proveTag(site, { ...(await readReceipt(call.receipt)), run: call.run, round: call.round }))

/** The same for a tag whose holder asked the site's portal. @throws ROTA-6009, 6010, 6011 */
export async function proveTag(
  site: AtSite,
  { programme, tag, run, round }: { readonly programme: string; readonly tag: Digest; readonly run: RunId; readonly round: RoundNo },
): Promise<CohortProof> {
  const contributed = await contributionTo(site, run, round)
  const granted = await grantProofs(site, programme, tag, contributed?.block ?? 0)
  const secret = cohortSecret(site.folder.vault, programme, tag)
  const inCohort = contributed === null ? null : await cohortOf(site, contributed)
  return {
    ...{ version: 1, programme, site: site.own.id, run, round, tag, secret: toHex(secret), ...granted },
    cohort: inCohort === null ? null : inCohort.prove(secret),
    before: inCohort === null ? null : await usedBefore(site, programme, tag, inCohort),
  }
}

/** Null: the site was not in that round. @throws ROTA-6010 */
export async function contributionTo({ chain, own }: AtSite, run: RunId, round: RoundNo): Promise<Contributed | null> {
  const events = await chain.events(0, { run, kinds: ['RoundOpened', 'Contributed'] })
  if (!events.some((e) => e.kind === 'RoundOpened' && e.round === round)) throw new RotaError('ROTA-6010', { run, round })
  const mine = events.findLast((e) => e.kind === 'Contributed' && e.site === own.id && e.round === round)
  return mine?.kind === 'Contributed' ? mine : null
}

interface ShownCohort {
  readonly members: readonly Digest[]
  prove(secret: Uint8Array): ToldCountedProof
}

/** @throws ROTA-6011 */
export async function archivedCohort({ folder }: AtSite, { run, round, cohortRoot }: Contributed): Promise<ArchivedCohort> {
  const archived = (await folder.archive.cohorts({ run })).find(({ root }) => root === cohortRoot)
  if (archived === undefined) throw new RotaError('ROTA-6011', { run, round })
  return archived
}

async function cohortOf(site: AtSite, contributed: Contributed): Promise<ShownCohort> {
  const { folder, chain } = site
  const { run, round } = contributed
  const archived = await archivedCohort(site, contributed)
  const place = { network: networkOf(folder, chain), run, round }
  const map = cohortMap(folder.vault, archived.programme, archived.members, place)
  if (toDigest(map.root) !== contributed.cohortRoot) throw new RotaError('ROTA-6011', { run, round })
  // A map of another programme is over other secrets: this one's absence in it says what is true.
  return { members: archived.members, prove: (secret) => tellCountedProof(proveCounted(map, cohortKey(secret, place, sha256))) }
}

/** Under opt-out: by the patient's digest, which stood in place of the tag until there was one. */
async function usedBefore({ folder }: AtSite, programme: string, tag: Digest, { members, prove }: ShownCohort): Promise<CohortProof['before']> {
  const standings = await folder.consents.standings(programme)
  const patient = [...standings].find(([, standing]) => standing.tag === tag)?.[0]
  if (patient === undefined || !members.includes(patient)) return null
  const secret = cohortSecret(folder.vault, programme, patient)
  return { secret: toHex(secret), cohort: prove(secret) }
}

/** The consent in the epoch that stood in `block`; where it was not in that one, in the nearest that has it, and its absence there. */
async function grantProofs(site: AtSite, programme: string, tag: Digest, block: number): Promise<Pick<CohortProof, 'granted' | 'standing'>> {
  const onChain = await consentRoots(site, programme)
  const archived = await site.folder.archive.grants(programme)
  const newest = onChain.findLast((root) => root.block <= block)
  const others = [
    ...onChain
      .filter((root) => root.block <= block)
      .reverse()
      .slice(1),
    ...onChain.filter((root) => root.block > block),
  ]
  const recordOf = new Map(archived.map((grants) => [grants.root, grants]))
  const proofIn = async ({ epoch, root }: ConsentRoot): Promise<{ readonly has: boolean; readonly proof: GrantProof } | null> => {
    const then = recordOf.get(root)
    if (then === undefined) return null
    const tags = await site.folder.consents.tagsThen(programme, then)
    const map = grantedMap(site.folder.vault, programme, tags, epoch)
    return { has: tags.includes(tag), proof: { epoch, map: tellMapProof(proveKey(map, grantKey(fromHex(tag), sha256))) } }
  }
  const standing = newest === undefined ? null : await proofIn(newest)
  if (standing?.has) return { granted: standing.proof, standing: null }
  // Found in the record: of a thousand epochs by a fixed cadence, one map is built.
  const stood = await site.folder.consents.stoodThen(programme, tag)
  const other = others.find(({ root }) => {
    const then = recordOf.get(root)
    return then !== undefined && stood(then)
  })
  const found = other === undefined ? null : await proofIn(other)
  if (found?.has) return { granted: found.proof, standing: standing?.proof ?? null }
  throw new RotaError('ROTA-6009', { programme })
}
