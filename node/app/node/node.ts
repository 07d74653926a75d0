import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { EthersChain } from '#adapters/chain/ethers-chain.ts'
import { DifferencingLedger } from '#adapters/cohort/differencing-ledger.ts'
import { Libp2pGossip } from '#adapters/gossip/libp2p-gossip.ts'
import { topicOf } from '#adapters/gossip/topic.ts'
import type { LogOptions } from '#adapters/host/log.ts'
import { createSystemHost, type SystemHost } from '#adapters/host/system-host.ts'
import { createWorkMeter, type WorkMeter } from '#adapters/host/work-meter.ts'
import { diskError } from '#adapters/journal/atomic-file.ts'
import { openJournal } from '#adapters/journal/file-journal.ts'
import { lockFolder } from '#adapters/journal/folder-lock.ts'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { type Network, startNetwork } from '#adapters/network/host.ts'
import { questionsOf } from '#adapters/network/questions.ts'
import type { Bitswap } from '#adapters/store/bitswap.ts'
import { diskUse, FULLEST } from '#adapters/store/disk-use.ts'
import { startModelStore } from '#adapters/store/helia-model-store.ts'
import { dropOrphans } from '#adapters/store/orphans.ts'
import { createTrainer } from '#adapters/training/trainer.ts'
import type { PasswordSource } from '#adapters/vault/password.ts'
import { followMembers } from '#app/site/members.ts'
import { siteCohort } from '#app/site/site-cohort.ts'
import { connectSite, openSiteFolder, ownRecord, type SiteFolder } from '#app/site/site-folder.ts'
import { nameOf } from '#base/errors.ts'
import { address, type SiteId } from '#base/ids.ts'
import type { Log } from '#ports/host.ts'
import type { Trainer } from '#ports/trainer.ts'
import { type Hospital, openHospital } from '#round/hospital.ts'
import { createMemo } from '#round/memo.ts'
import type { PlayHooks } from '#round/player.ts'
import type { Progress } from '#round/progress.ts'
import type { Site } from '#round/site.ts'
import { datasetId, USUAL_DATASET } from '#wire/dataset.ts'
import { arithmeticVersion } from '../arithmetic-version.ts'
import { sha256 } from '../sha256.ts'
import { SOFTWARE_VERSION } from '../version.ts'
import { fetchProtocols } from './fetch-protocols.ts'
import { startLean } from './lean-start.ts'
import { logged, logWentBack } from './log-trouble.ts'
import { reopenLostRuns } from './opened-runs.ts'

/** An object that the chain does not name after this long never will be; a chain may stand still over a weekend. */
const ORPHAN_LIFE_MS = 7 * 24 * 3_600_000

/** SIGTERM: a step under way gets this long to be finished. */
const DRAIN_MS = 10_000

export interface NodeOptions {
  readonly folder: string
  readonly password: PasswordSource | null
  readonly log: LogOptions
  readonly tell: (progress: Progress) => void
  readonly hooks?: PlayHooks
  /** In place of the best backend found here. */
  readonly trainer?: Trainer
  readonly signal: AbortSignal
}

/** A hospital's node, running: everything is wired here and nowhere else. */
export interface RunningNode {
  readonly site: Site
  readonly name: string
  readonly folder: SiteFolder
  readonly chain: EthersChain
  readonly network: Network
  readonly host: SystemHost
  readonly hospital: Hospital
  readonly work: WorkMeter
  /** Finishes or hands over the step under way, then closes everything in reverse. */
  stop(): Promise<void>
}

/** @throws ROTA-12xx config, 13xx vault and lock, 4xxx network, 5xxx chain: the node is then not running and nothing is left open */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  startLean()
  const opened = new Stack()
  try {
    return await compose(options, opened)
  } catch (error) {
    await opened.close()
    throw error
  }
}

async function compose(options: NodeOptions, opened: Stack): Promise<RunningNode> {
  const folder = await openSiteFolder(options.folder, options.password)
  const { config, paths, vault } = folder
  opened.onClose(lockOf(await lockFolder(paths.state)))
  const host = createSystemHost(options.log)
  opened.onClose(async () => host.stop())
  const chain = await connectSite(folder, options.signal, true)
  opened.onClose(() => chain.stop())
  // What the log has lost, the rows of round/next.ts do again: they look at the chain first and at the journal second.
  chain.onRewind((rewind) => {
    logWentBack(host.log, rewind)
    reopenLostRuns(paths.opened, chain, host.log).catch((error) => host.log.warn('run.not-opened-again', { code: nameOf(error) }))
  })
  const own = await ownRecord(chain)
  const members = await followMembers(chain, host.log)
  opened.onClose(async () => members.stop())

  const gossip = new Libp2pGossip({ topic: topicOf(chain.chainId, address(config.contracts)), members, log: host.log, line: () => questionsOf(network) })
  const network = await startNetwork({
    seed: vault.peerSeed,
    members,
    listen: config.listen,
    announce: config.announce,
    relay: config.relay,
    versions: { software: SOFTWARE_VERSION, arithmetic: await arithmeticVersion() },
    clock: host.clock,
    log: host.log,
    services: { pubsub: gossip.service as never },
  })
  opened.onClose(() => network.stop())
  const bitswap = await bitswapOf(folder, host.log)
  if (bitswap !== null) opened.onClose(() => bitswap.stop())
  const store = await startModelStore({ dir: paths.blocks, network, log: host.log, ...(bitswap === null ? {} : { beyond: bitswap.fetch }) })
  opened.onClose(() => store.stop())
  const trainer = options.trainer ?? createTrainer({ log: host.log })
  opened.onClose(() => trainer.stop())

  const work = createWorkMeter()
  const site: Site = {
    id: own.id,
    chain,
    gossip,
    store,
    cohort: siteCohort(folder, chain, own),
    differencing: new DifferencingLedger(paths.differencing),
    dataset: datasetId(config.data.dataset ?? USUAL_DATASET, sha256),
    trainer,
    training: work.training,
    vault,
    journal: await openJournal(paths.journal),
    host,
    sha256,
    masking: nodeMasking,
    memo: createMemo(),
    tell: logged(host.log, options.tell),
    resting: () => existsSync(paths.resting),
    diskFull: async () => (await diskUse(paths.state)).usedFraction > FULLEST,
    restored: {
      is: () => existsSync(paths.restored),
      over: () =>
        rm(paths.restored, { force: true }).catch((cause) => {
          throw diskError(paths.restored, cause)
        }),
    },
    dropOrphans: (named) => dropOrphans(paths.blocks, named, host.clock.nowMs() - ORPHAN_LIFE_MS),
  }
  const hospital = await openHospital(site, options.hooks)
  opened.onClose(() => hospital.drain(DRAIN_MS))
  const ended = new AbortController()
  const fetching = fetchProtocols({ chain, store, clock: host.clock, log: host.log }, ended.signal).catch((error) =>
    host.log.error('protocol.fetch-ended', { reason: String(error) }),
  )
  opened.onClose(async () => {
    ended.abort()
    await fetching
  })
  host.log.info('node.started', { site: own.id as SiteId, peerId: network.peerId })
  return { site, name: own.name, folder, chain, network, host, hospital, work, stop: () => opened.close() }
}

/** Loaded only where the config asks for it. */
async function bitswapOf({ config, paths, vault }: SiteFolder, log: Log): Promise<Bitswap | null> {
  if (config.bitswap === undefined) return null
  const { startBitswap } = await import('#adapters/store/bitswap.ts')
  return startBitswap({ ...config.bitswap, dir: paths.blocks, seed: vault.peerSeed, log })
}

const lockOf = (lock: { release(): Promise<void> }) => () => lock.release()

/** Closes in the reverse order of opening, whatever happens on the way; once. */
class Stack {
  #closers: (() => Promise<void>)[] = []

  onClose(close: () => Promise<void>): void {
    this.#closers.push(close)
  }

  async close(): Promise<void> {
    const closers = this.#closers.reverse()
    this.#closers = []
    for (const close of closers) await close().catch(() => undefined)
  }
}
