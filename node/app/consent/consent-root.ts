import type { RecordedThen } from '#adapters/cohort/consent-store.ts'
import { grantedMap } from '#adapters/cohort/site-maps.ts'
import type { SiteFolder } from '#app/site/site-folder.ts'
import { toDigest } from '#base/bytes.ts'
import type { Digest } from '#base/ids.ts'
import type { Chain, ChainEvent, ChainReader, SiteRecord } from '#ports/chain.ts'
import type { Clock } from '#ports/host.ts'
import type { Vault } from '#ports/vault.ts'
import { programmeId } from '#wire/programme.ts'
import { sha256 } from '../sha256.ts'

/** Where the consents of a site stand on chain. */
export interface ConsentRoot {
  readonly epoch: number
  readonly root: Digest
  readonly block: number
}

/** A site, and where its chain is read. */
interface ReadSite {
  readonly chain: Pick<ChainReader, 'events'>
  readonly own: Pick<SiteRecord, 'id'>
}

/** A site that can put roots on chain. */
export interface RootSite {
  readonly folder: Pick<SiteFolder, 'consents' | 'archive'> & { readonly vault: Pick<Vault, 'keyedDigest'> }
  readonly chain: Pick<Chain, 'events' | 'head' | 'consentRoot'>
  readonly own: Pick<SiteRecord, 'id'>
  /** Consents end by it. */
  readonly clock: Pick<Clock, 'nowMs'>
}

/** Oldest first. */
export const consentRoots = async (site: ReadSite, programme: string): Promise<readonly ConsentRoot[]> =>
  (await rootEvents(site, programme)).map(({ epoch, root, block }) => ({ epoch, root, block }))

/** With chain time in seconds. */
export async function rootEvents({ chain, own }: ReadSite, programme: string): Promise<readonly Extract<ChainEvent, { kind: 'ConsentRoot' }>[]> {
  const id = programmeId(programme, sha256)
  const events = await chain.events(0, { kinds: ['ConsentRoot'] })
  return events.flatMap((e) => (e.kind === 'ConsentRoot' && e.site === own.id && e.programme === id ? [e] : []))
}

/** The root that the consents of now would have in an epoch: another in each, also over the same consents. */
export async function grantedRootIn(site: Pick<RootSite, 'folder' | 'clock'>, programme: string, epoch: number): Promise<Digest> {
  return rootOver(site, programme, epoch, await recordedNow(site))
}

async function recordedNow({ folder, clock }: Pick<RootSite, 'folder' | 'clock'>): Promise<Required<RecordedThen>> {
  return { recordEntries: await folder.consents.size(), at: new Date(clock.nowMs()).toISOString() }
}

async function rootOver({ folder }: Pick<RootSite, 'folder'>, programme: string, epoch: number, then: RecordedThen): Promise<Digest> {
  return toDigest(grantedMap(folder.vault, programme, await folder.consents.tagsThen(programme, then), epoch).root)
}

/** Puts the root over the consents that stand now on chain, under the next epoch; nothing to do where it is there already. */
export async function putConsentRoot(site: RootSite, programme: string): Promise<ConsentRoot & { readonly changed: boolean }> {
  const last = (await consentRoots(site, programme)).at(-1)
  if (last !== undefined && (await grantedRootIn(site, programme, last.epoch)) === last.root) return { ...last, changed: false }
  return { ...(await putNextRoot(site, programme)), changed: true }
}

/** The same, changed or not: two roots over the same consents have nothing in common. */
export async function putNextRoot(site: RootSite, programme: string): Promise<ConsentRoot> {
  const epoch = ((await consentRoots(site, programme)).at(-1)?.epoch ?? 0) + 1
  const then = await recordedNow(site)
  const root = await rootOver(site, programme, epoch, then)
  await site.folder.archive.rememberGrants({ programme, epoch, root, ...then })
  await site.chain.consentRoot(programmeId(programme, sha256), epoch, root)
  return (await consentRoots(site, programme)).at(-1) as ConsentRoot
}
