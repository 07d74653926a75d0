import type { Network } from '#adapters/network/host.ts'
import { has } from '#base/bitmap.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { ChainReader, StudyRecord } from '#ports/chain.ts'
import type { Cohort } from '#ports/cohort.ts'
import type { Clock, Random } from '#ports/host.ts'
import type { ModelStore } from '#ports/model-store.ts'
import type { Trainer } from '#ports/trainer.ts'
import type { WhyNot } from '#wire/canary.ts'
import { programmeId } from '#wire/programme.ts'
import { arithmeticVersion } from '../arithmetic-version.ts'
import { sha256 } from '../sha256.ts'
import { largestVector, measureStore, measureTraining, type StoreSpeed, type Training } from './canary-training.ts'

/** What a canary is made of: the same for a running node and for a command that works without one. */
export interface CanaryParts {
  readonly site: SiteId
  readonly name: string
  readonly chain: ChainReader
  readonly network: Pick<Network, 'open' | 'hello' | 'connected' | 'route' | 'serve' | 'unserve'>
  readonly store: Pick<ModelStore, 'putPlain' | 'getPlain' | 'drop'>
  /** Of the store: whose disk is looked at. */
  readonly storeDir: string
  /** Folder in which a round's store of its own is made. */
  readonly state: string
  readonly cohort: Cohort
  readonly trainer: Trainer | null
  readonly clock: Clock
  readonly random: Random
  /** The study's protocol from this disk. @throws ROTA-1207, ROTA-5501 */
  protocol(record: StudyRecord, signal: AbortSignal): Promise<Protocol>
}

/** What a site finds out about itself. */
export interface OwnNumbers {
  readonly training: Training
  readonly store: StoreSpeed
  readonly arithmetic: Digest
  readonly vectorBytes: number
}

/** A site's own numbers for a study: its training on its own rows, its store, its build. @throws ROTA-4013 the store */
export async function ownNumbers(parts: CanaryParts, record: StudyRecord, signal: AbortSignal): Promise<OwnNumbers> {
  const approved = has(record.approved, parts.site)
  const protocol = approved ? await parts.protocol(record, signal).catch(() => null) : null
  const vectorBytes = protocol === null ? 0 : largestVector(protocol)
  const training = approved ? await trainingOf(parts, protocol, signal) : notMeasured('notApproved')
  const store = await measureStore(parts.store, parts.storeDir, vectorBytes, parts.random, signal)
  return { training, store, arithmetic: await arithmeticVersion(), vectorBytes }
}

const notMeasured = (whyNot: Exclude<WhyNot, ''>): Training => ({ whyNot, code: null })

async function trainingOf(parts: CanaryParts, protocol: Protocol | null, signal: AbortSignal): Promise<Training> {
  if (protocol === null) return notMeasured('noProtocol')
  if (await isBusy(parts)) return notMeasured('busy')
  const programme = programmeId(protocol.programme, sha256)
  const events = await parts.chain.events(0, { kinds: ['ConsentWithdrawn'] })
  const withdrawn = new Set(events.flatMap((e) => (e.kind === 'ConsentWithdrawn' && e.programme === programme ? [e.tag] : [])))
  return measureTraining(protocol, withdrawn, parts, signal)
}

/** While a run of this site is under way its training would be measured wrongly, and the run's round be late. */
export async function isBusy({ chain, site }: Pick<CanaryParts, 'chain' | 'site'>): Promise<boolean> {
  const active = (await chain.runs()).filter(({ state }) => state === 'Active')
  const rotas = await Promise.all(active.map(async ({ run }) => (await chain.run(run)).round.rota))
  return rotas.some((rota) => rota.includes(site))
}
