import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { GossipSub, GossipSubComponents } from '@chainsafe/libp2p-gossipsub'
import type { Stream } from '@libp2p/interface'
import { Libp2pGossip } from '#adapters/gossip/libp2p-gossip.ts'
import { type Network, type NetworkOptions, startNetwork } from '#adapters/network/host.ts'
import { peerIdOf } from '#adapters/network/peer-id.ts'
import { questionsOf } from '#adapters/network/questions.ts'
import type { BlockNetwork } from '#adapters/store/block-network.ts'
import { type HeliaModelStore, startModelStore } from '#adapters/store/helia-model-store.ts'
import { type SiteId, siteId } from '#base/ids.ts'
import type { Clock, Log } from '#ports/host.ts'
import type { Member, Members } from '#ports/members.ts'

/** Real libp2p hosts in one process, on 127.0.0.1 with ports that the system picks. */

export const quiet: Log = { info() {}, warn() {}, error() {}, debug() {} }
export const clock: Clock = { nowMs: () => Date.now(), sleep: (ms, signal) => sleep(ms, undefined, { signal }) }
export const seedOf = (site: number): Uint8Array => createHash('sha256').update(`site ${site}`).digest()
export const topic = 'rota/1/31337/0x00000000000000000000000000000000000000aa'

/** The list that the chain would give, in the test's hand: one a site, so that sites can disagree. */
export class TestMembers implements Members {
  #list: Member[] = []
  readonly #listeners = new Set<() => void>()

  set(list: readonly Member[]): void {
    this.#list = [...list]
    for (const listener of this.#listeners) listener()
  }

  siteOf(peerId: string): SiteId | undefined {
    return this.#list.find((member) => member.peerId === peerId)?.site
  }

  list(): readonly Member[] {
    return this.#list
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

export interface TestNode {
  readonly site: SiteId
  readonly members: TestMembers
  readonly network: Network
  readonly gossip: Libp2pGossip
  /** The libp2p service under `gossip`. */
  pubsub(): GossipSub | null
  readonly store: HeliaModelStore
  readonly dir: string
  /** Streams on which members asked this node for blocks. */
  readonly served: Set<Stream>
  stop(): Promise<void>
}

export interface WorldOptions {
  readonly noProgressMs?: number
  /** Network settings by site. */
  readonly network?: (site: number) => Partial<NetworkOptions>
  readonly log?: Log
}

export class TestWorld {
  readonly nodes: TestNode[] = []
  readonly #options: WorldOptions
  readonly #stopped = new Set<TestNode>()

  constructor(options: WorldOptions = {}) {
    this.#options = options
  }

  /** `count` sites that know each other, connected. */
  static async of(count: number, options: WorldOptions = {}): Promise<TestWorld> {
    const world = new TestWorld(options)
    for (let site = 0; site < count; site++) await world.add(site)
    world.admit(world.nodes)
    await world.connected()
    return world
  }

  /** Starts a host that nobody knows yet. */
  async add(site: number, dir?: string): Promise<TestNode> {
    const members = new TestMembers()
    const log = this.#options.log ?? quiet
    members.set([{ site: siteId(site), peerId: peerIdOf(seedOf(site)), multiaddrs: [] }])
    const gossip = new Libp2pGossip({ topic, members, log, line: () => questionsOf(network) })
    let pubsub: GossipSub | null = null
    const service = (components: GossipSubComponents) => (pubsub = gossip.service(components))
    const network = await startNetwork({
      seed: seedOf(site),
      members,
      clock,
      log,
      listen: ['/ip4/127.0.0.1/tcp/0'],
      versions: { software: '0.1.0', arithmetic: '0xaa' },
      services: { pubsub: service },
      ...this.#options.network?.(site),
    })
    const folder = dir ?? (await mkdtemp(join(tmpdir(), 'rota-store-')))
    const served = new Set<Stream>()
    const watched: BlockNetwork = {
      connected: () => network.connected(),
      open: (to, protocol, signal) => network.open(to, protocol, signal),
      unserve: (protocol) => network.unserve(protocol),
      serve: (protocol, handler) => network.serve(protocol, (stream, from) => handler(noted(stream, served), from)),
    }
    const store = await startModelStore({
      dir: folder,
      network: watched,
      log,
      ...(this.#options.noProgressMs === undefined ? {} : { noProgressMs: this.#options.noProgressMs }),
    })
    const node: TestNode = { site: siteId(site), members, network, gossip, pubsub: () => pubsub, store, dir: folder, served, stop: () => this.#stop(node) }
    this.nodes.push(node)
    return node
  }

  /** Every one of `nodes` has exactly `nodes` as members from now on. */
  admit(nodes: readonly TestNode[]): void {
    const list = nodes.map((node) => ({
      site: node.site,
      peerId: node.network.peerId,
      multiaddrs: node.network.addresses().filter((address) => !address.includes('p2p-circuit')),
    }))
    for (const node of nodes) node.members.set(list)
  }

  /** All running nodes are connected with all that they count as members. */
  async connected(): Promise<void> {
    await until(
      () =>
        this.running().every((node) =>
          this.running()
            .filter((other) => other !== node && node.members.siteOf(other.network.peerId) !== undefined)
            .every((other) => node.network.connected().includes(other.site)),
        ),
      'all are connected',
    )
  }

  running(): TestNode[] {
    return this.nodes.filter((node) => !this.#stopped.has(node))
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()))
    await Promise.all(this.nodes.map((node) => rm(node.dir, { recursive: true, force: true })))
  }

  async #stop(node: TestNode): Promise<void> {
    if (this.#stopped.has(node)) return
    this.#stopped.add(node)
    await node.gossip.stop()
    await node.store.stop()
    await node.network.stop()
  }
}

function noted(stream: Stream, streams: Set<Stream>): Stream {
  streams.add(stream)
  return stream
}

/** Waits until `condition` holds. @throws after 10 s, naming `what` */
export async function until(condition: () => boolean | Promise<boolean>, what: string, limitMs = 10_000): Promise<void> {
  for (const end = Date.now() + limitMs; !(await condition()); await sleep(20)) if (Date.now() > end) throw new Error(`waited ${limitMs} ms until ${what}`)
}
