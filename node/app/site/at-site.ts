import type { EthersChain } from '#adapters/chain/ethers-chain.ts'
import { type ModelShelf, openShelf } from '#app/model/model-shelf.ts'
import { openOfflineStore } from '#app/node/offline-store.ts'
import type { StudyCall } from '#app/study/studies.ts'
import type { Digest, StudyId } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { ChainReader, SiteRecord } from '#ports/chain.ts'
import type { Cohort, ConsentedCohort } from '#ports/cohort.ts'
import type { ModelStore } from '#ports/model-store.ts'
import { programmeId } from '#wire/programme.ts'
import { sha256 } from '../sha256.ts'
import { siteCohort } from './site-cohort.ts'
import { connectSite, openSiteFolder, ownRecord, type SiteFolder } from './site-folder.ts'

/** A site with its keys open, beside its node or without it: for commands that read models, rows or consents. */
export interface AtSite {
  readonly folder: SiteFolder
  readonly chain: EthersChain
  readonly sites: readonly SiteRecord[]
  readonly own: SiteRecord
  /** What lies on this disk; nobody is asked for more. */
  readonly store: ModelStore
  readonly shelf: ModelShelf
  readonly cohort: Cohort
}

/** @throws ROTA-12xx folder and membership, 13xx vault, 5xxx chain */
export const atSite = async <T>(call: StudyCall, work: (site: AtSite) => Promise<T>): Promise<T> =>
  atOpenSite(await openSiteFolder(call.folder, call.password), call.signal, work)

/** The same where the folder is open, and something had to be done before the chain is asked. */
export async function atOpenSite<T>(folder: SiteFolder, signal: AbortSignal, work: (site: AtSite) => Promise<T>): Promise<T> {
  const chain = await connectSite(folder, signal)
  try {
    const [own, sites, store] = await Promise.all([ownRecord(chain), chain.sites(), openOfflineStore(folder.paths.blocks)])
    return await work({ folder, chain, sites, own, store, shelf: openShelf({ chain, store, vault: folder.vault }), cohort: siteCohort(folder, chain, own) })
  } finally {
    await chain.stop()
  }
}

/** Protocols that lie on this disk, by study. */
export async function heldProtocols({ chain, shelf }: AtSite, signal: AbortSignal): Promise<ReadonlyMap<StudyId, Protocol>> {
  const studies = await chain.studies()
  const found = await Promise.all(studies.map(async ({ id }) => [id, await shelf.protocol(id, signal).catch(() => null)] as const))
  return new Map(found.flatMap(([id, protocol]) => (protocol === null ? [] : [[id, protocol] as const])))
}

/** Tags withdrawn on chain under a programme, with the blocks. */
export async function withdrawalsUnder(chain: Pick<ChainReader, 'events'>, programme: string): Promise<ReadonlyMap<Digest, number>> {
  const id = programmeId(programme, sha256)
  const events = await chain.events(0, { kinds: ['ConsentWithdrawn'] })
  return new Map(events.flatMap((e) => (e.kind === 'ConsentWithdrawn' && e.programme === id ? [[e.tag, e.block] as const] : [])))
}

/** The rows that a study may use now. @throws ROTA-3xxx when data and protocol do not fit */
export async function consentedNow({ chain, cohort }: AtSite, protocol: Protocol): Promise<ConsentedCohort> {
  return cohort.consented(protocol, new Set((await withdrawalsUnder(chain, protocol.programme)).keys()))
}
