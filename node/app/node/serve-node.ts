import { type NodeCanary, startNodeCanary } from '#app/canary/canary-node.ts'
import { watchExclusions } from '#app/consent/exclusion-alarm.ts'
import { watchDesk } from '#app/desk/desk-figures.ts'
import { openShelf } from '#app/model/model-shelf.ts'
import { watchPortal } from '#app/portal/relay-figures.ts'
import { watchBudgets } from '#app/privacy/budget-gauges.ts'
import { openFolder } from '#audit/folder-source.ts'
import type { Digest, StudyId } from '#base/ids.ts'
import { digest } from '#base/ids.ts'
import { fetchProtocol } from '#round/fetch-protocol.ts'
import type { Progress } from '#round/progress.ts'
import { datasetOf } from '#round/steps/charge.ts'
import { type Health, readHealth } from '#web/health.ts'
import { Metrics } from '#web/metrics.ts'
import { nodeMetrics, setFromHealth } from '#web/node-metrics.ts'
import { readerAccess } from '#web/reader-access.ts'
import { startWeb } from '#web/server.ts'
import { SOFTWARE_VERSION } from '../version.ts'
import { watchClock } from './clock-watch.ts'
import type { RunningNode } from './node.ts'
import { watchPeers } from './peer-watch.ts'
import { type StandingTroubles, standingTroubles } from './standing-troubles.ts'

/** The node's loopback endpoint: health, metrics, and encrypted blocks for auditors. */
export interface ServedNode {
  readonly url: string
  /** Feeds what happened into the metrics. */
  note(progress: Progress): void
  noteRound(outcome: 'closed' | 'refused' | 'void' | 'halted'): void
  stop(): Promise<void>
}

export async function serveNode(node: RunningNode): Promise<ServedNode> {
  const registry = new Metrics()
  const metrics = nodeMetrics(registry, node.folder.paths.state)
  watchDesk(registry, node.folder.paths)
  watchPortal(registry, node.folder.paths)
  watchBudgets(registry, {
    chain: node.chain,
    site: node.site.id,
    dataset: datasetOf(node.site),
    protocolOf: async (record) => ((await node.site.store.has(record.protocolCid)) ? fetchProtocol(node.site, record, AbortSignal.timeout(5_000)) : null),
    log: node.host.log,
  })
  const troubles = standingTroubles()
  const health = () => healthOf(node, troubles)
  const peers = watchPeers(node)
  // Read as an auditor would, so that a damaged block is seen as it lies on the disk.
  const folder = openFolder(node.folder.paths.blocks)
  registry.onCollect(async () => {
    setFromHealth(metrics, await health())
    metrics.bytesIn.set(node.site.gossip.traffic.bytesIn, { channel: 'gossip' })
    metrics.bytesOut.set(node.site.gossip.traffic.bytesOut, { channel: 'gossip' })
    metrics.bytesIn.set(node.site.store.traffic.bytesIn, { channel: 'blocks' })
    metrics.bytesOut.set(node.site.store.traffic.bytesOut, { channel: 'blocks' })
  })
  let canary: NodeCanary | null = null
  const web = await startWeb({
    port: node.folder.config.web.port,
    health: async () => ({ ...(await health()), members: peers.latest() }),
    metrics: registry,
    canary: async (query, authorization) => (canary === null ? { status: 503, value: { reason: 'the node is starting' } } : canary.task(query, authorization)),
    blocks: {
      access: readerAccess(() => readersOf(node), node.folder.vault, node.host),
      read: async (cid) => (await folder).block(cid),
    },
  })
  canary = await startNodeCanary(node)
  const stopped = new AbortController()
  const watching = watchClock(
    { peers: node.network, connected: () => node.network.connected(), clock: node.host.clock, log: node.host.log },
    (error) => troubles.alarm('ROTA-1206', error),
    stopped.signal,
  )
  const { folder: own, chain, host } = node
  metrics.lateExclusions.set(0)
  const excluding = watchExclusions(
    { folder: own, chain, clock: host.clock, log: host.log },
    (error, count) => {
      metrics.lateExclusions.set(count)
      troubles.alarm('ROTA-6019', error)
    },
    stopped.signal,
  ).catch((error: unknown) => host.log.error('exclusion.watch-ended', { reason: String(error) }))
  return {
    url: web.url,
    note(progress) {
      troubles.note(progress)
      if (progress.kind === 'step') metrics.stepSeconds.observe(progress.ms / 1000, { step: progress.row })
    },
    noteRound: (outcome) => metrics.rounds.add(1, { outcome }),
    async stop() {
      stopped.abort()
      peers.stop()
      await canary?.stop()
      await watching
      await excluding
      await web.stop()
    },
  }
}

const healthOf = (node: RunningNode, troubles: StandingTroubles): Promise<Health> =>
  readHealth({
    site: { id: node.site.id, name: node.name },
    version: SOFTWARE_VERSION,
    chain: node.chain,
    taken: () => node.hospital.lookedAt(),
    peers: () => node.network.connected().length,
    problems: () => troubles.list(),
  })

/** Readers of the studies that this site approved. */
async function readersOf(node: RunningNode): Promise<readonly Digest[]> {
  const shelf = openShelf({ chain: node.chain, store: node.site.store, vault: node.folder.vault })
  const studies = (await node.chain.studies()).filter((study) => ((study.approved >> BigInt(node.site.id)) & 1n) === 1n)
  const protocols = await Promise.all(studies.map((study) => shelf.protocol(study.id as StudyId, AbortSignal.timeout(5_000)).catch(() => null)))
  return protocols.flatMap((protocol) => protocol?.readers.map((reader) => digest(reader.encryptionKey)) ?? [])
}
