import { statfs } from 'node:fs/promises'
import process from 'node:process'
import type { Health } from './health.ts'
import type { Counter, Gauge, Histogram, Metrics } from './metrics.ts'

/** Seconds: a step of a small exact round takes milliseconds, a neural one minutes. */
const STEP_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

/** What a node tells Prometheus. The app sets these; memory, processor and disk look after themselves. */
export interface NodeMetrics {
  /** Labels: run. */
  readonly round: Gauge
  /** 1 for the phase that a run is in. Labels: run, phase. Clear before setting. */
  readonly phase: Gauge
  /** Site id of the leader. Labels: run. */
  readonly leader: Gauge
  readonly peers: Gauge
  /** Labels: channel (gossip, blocks). */
  readonly bytesIn: Counter
  readonly bytesOut: Counter
  /** Labels: step. */
  readonly stepSeconds: Histogram
  /** Labels: outcome (closed, refused, void). */
  readonly rounds: Counter
  /** Withdrawals that take longer than a round, a day, or their terms allow. */
  readonly lateExclusions: Gauge
  readonly chainHead: Gauge
  /** Blocks on chain that this node has not taken in. */
  readonly chainLag: Gauge
}

/** @param folder on the disk that the store fills */
export function nodeMetrics(metrics: Metrics, folder: string): NodeMetrics {
  watchMachine(metrics, folder)
  return {
    round: metrics.gauge('rota_round', 'Number of the round that a run is in.'),
    phase: metrics.gauge('rota_phase', 'The phase that a run is in, as 1 under its name.'),
    leader: metrics.gauge('rota_leader', 'Site id of the leader of the round that a run is in.'),
    peers: metrics.gauge('rota_peers', 'Members connected now.'),
    bytesIn: metrics.counter('rota_bytes_in_total', 'Bytes received since start, by channel.'),
    bytesOut: metrics.counter('rota_bytes_out_total', 'Bytes sent since start, by channel.'),
    stepSeconds: metrics.histogram('rota_step_seconds', "Seconds that this site's steps took.", STEP_BUCKETS),
    rounds: metrics.counter('rota_rounds_total', 'Rounds that ended since start, by outcome.'),
    lateExclusions: metrics.gauge('rota_late_exclusions', 'Withdrawals that have not come into effect in time: more than 0 is an alarm.'),
    chainHead: metrics.gauge('rota_chain_head_block', 'Newest block of the chain.'),
    chainLag: metrics.gauge('rota_chain_lag_blocks', 'Blocks on chain that this node has not taken in.'),
  }
}

/** Takes over what health knows: once before each scrape is enough. */
export function setFromHealth(metrics: NodeMetrics, { chain, peers, runs }: Health): void {
  metrics.peers.set(peers)
  metrics.chainHead.set(chain.head)
  metrics.chainLag.set(chain.lag)
  for (const gauge of [metrics.round, metrics.phase, metrics.leader]) gauge.clear()
  for (const { run, round, phase, leader } of runs) {
    metrics.round.set(round, { run })
    metrics.phase.set(1, { run, phase })
    metrics.leader.set(leader, { run })
  }
}

function watchMachine(metrics: Metrics, folder: string): void {
  const memory = metrics.gauge('process_resident_memory_bytes', 'Memory that the process holds.')
  const heap = metrics.gauge('nodejs_heap_used_bytes', 'Of it, JavaScript objects.')
  const processor = metrics.counter('process_cpu_seconds_total', 'Processor time, user and system.')
  const started = metrics.gauge('process_start_time_seconds', 'When the process started, Unix time.')
  const free = metrics.gauge('rota_disk_free_bytes', "Free space on the store's disk.")
  const size = metrics.gauge('rota_disk_size_bytes', "Size of the store's disk.")
  metrics.onCollect(async () => {
    const { user, system } = process.cpuUsage()
    memory.set(process.memoryUsage.rss())
    heap.set(process.memoryUsage().heapUsed)
    processor.set((user + system) / 1e6)
    started.set(Math.round(Date.now() / 1000 - process.uptime()))
    const disk = await statfs(folder)
    free.set(disk.bavail * disk.bsize)
    size.set(disk.blocks * disk.bsize)
  })
}
