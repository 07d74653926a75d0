import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { liesOf } from '#adapters/sim/lies.ts'
import { lyingCrypto } from '#adapters/sim/masking-lies.ts'
import type { SimPorts } from '#adapters/sim/site.ts'
import { SimWorld, type SimWorldOptions } from '#adapters/sim/world.ts'
import { holdTogether } from '#app/node/shared-holdings.ts'
import { holdYoungGeneration } from '#app/node/young-generation.ts'
import type { Digest, RunId, SiteId, StudyId } from '#base/ids.ts'
import { merkleRoot } from '#core/commit/merkle.ts'
import { outlineOf } from '#core/commit/outline.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import type { MaskingCrypto } from '#core/masking/crypto.ts'
import type { Model } from '#core/model/model.ts'
import type { SplitTable } from '#core/model/table.ts'
import { isPrivate, policyWords } from '#core/protocol/private-rounds.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { ChainEvent, RunView, StudyRules } from '#ports/chain.ts'
import type { Trainer } from '#ports/trainer.ts'
import { type Hospital, openHospital } from '#round/hospital.ts'
import { createKeyring } from '#round/keyring.ts'
import { createMemo, type Memo } from '#round/memo.ts'
import type { PlayHooks } from '#round/player.ts'
import type { Progress } from '#round/progress.ts'
import type { Site } from '#round/site.ts'
import { decodeModel, encodeModel } from '#wire/model.ts'
import { encodeProtocol, protocolDigest } from '#wire/protocol.ts'
import { sha256 } from '../sha256.ts'

export interface SimulationOptions extends Omit<SimWorldOptions, 'sites'> {
  readonly sites: readonly { readonly name: string; readonly rows: SplitTable }[]
  readonly protocol: Protocol
  readonly rules: StudyRules
  readonly trainer?: Trainer
  /** How long a site's training takes in virtual time; default: none. */
  readonly trainMs?: (site: SiteId) => number
  readonly hooks?: (site: SimPorts) => PlayHooks
  readonly tell?: (site: SimPorts, progress: Progress) => void
  /** Called before anything happens in the world. */
  readonly onWorld?: (world: SimWorld) => void
}

/** Hospitals of one study in one process: the code of real nodes (round/) over a simulated chain, network, store and clock. */
export interface SimulatedNetwork {
  readonly world: SimWorld
  readonly study: StudyId
  /** Opens a run once the members' key is drawn. */
  openRun(): Promise<RunId>
  /** Plays until the run is over. @throws Error when that takes longer in virtual time */
  finish(run: RunId, withinMs?: number): Promise<RunView>
  /** Model bytes by name on chain, as any site of the network holds them. */
  model(root: string): Model | undefined
  events(): Promise<readonly ChainEvent[]>
  /** Asks a site's node to stop, as SIGTERM does: it finishes the step under way. */
  drain(site: SiteId): Promise<void>
  stop(): void
}

const RUN_MS = 24 * 3_600_000
/** A node's patience with its step under way (node/app/node/node.ts). */
const DRAIN_MS = 10_000

export async function simulateNetwork(options: SimulationOptions): Promise<SimulatedNetwork> {
  holdYoungGeneration()
  const { protocol, rules, sites, trainer, trainMs, tell, hooks, onWorld, ...world } = options
  const sim = SimWorld.create({ ...world, sites: sites.map(({ name, rows }) => ({ name, rows })) })
  onWorld?.(sim)
  const memo = createMemo(64)
  const models = new Map<string, Model>()
  const alive = new Map<SiteId, SimPorts>()
  const hospitals: { readonly site: SiteId; readonly hospital: Hospital }[] = []
  const together = options.faults === undefined ? holdTogether(sim.time) : null
  const remember = (bytes: Uint8Array) => models.set(merkleRoot(bytes, sha256), decodeModel(bytes))

  const trainAt = ({ id, host }: SimPorts, { train }: Trainer): Trainer['train'] => {
    return async (task, signal) => {
      const ms = trainMs?.(id) ?? 0
      if (ms > 0) await host.clock.sleep(ms, signal)
      return sim.time.hold(train(task, signal))
    }
  }

  const maskingAt = (site: SiteId): MaskingCrypto => {
    return options.faults === undefined ? nodeMasking : lyingCrypto(nodeMasking, liesOf(options.faults, site), site, `${options.seed}`, sim.strikes)
  }

  const programme = async (ports: SimPorts): Promise<void> => {
    alive.set(ports.id, ports)
    const site: Site = {
      ...ports,
      store: {
        ...bound(ports.store),
        put(bytes, outline, kind, key, signal, slices) {
          if (kind === 'model' && !models.has(outline.root)) remember(bytes)
          return ports.store.put(bytes, outline, kind, key, signal, slices)
        },
      },
      trainer: trainer === undefined ? null : { ...trainer, train: trainAt(ports, trainer) },
      sha256,
      masking: maskingAt(ports.id),
      memo: memoOf(memo, ports.crashed, options.faults === undefined ? null : createMemo()),
      ...(together === null ? {} : { holdTogether: together }),
      tell: (progress) => tell?.(ports, progress),
      resting: ports.resting,
      diskFull: ports.diskFull,
    }
    const hospital: Hospital = await openHospital(site, hooks?.(ports) ?? {})
    hospitals.push({ site: ports.id, hospital })
    await hospital.done
  }

  // Stewards read a protocol before they approve it: each site has it.
  const written = encodeProtocol(protocol)
  const cids = await Promise.all(
    sim.founders.map(async (site) => {
      const ports = sim.start(site)
      return ports.store.putPlain(written, ports.crashed)
    }),
  )
  const cid = cids[0] as Digest
  const study = await sim.publishStudy(protocolDigest(protocol, sha256), cid, rules, sim.founders, isPrivate(protocol) ? policyWords(protocol.privacy) : null)
  const { failed } = sim.play(programme)

  const firstChain = () => sim.node(sim.site(0))
  async function until<T>(withinMs: number, look: () => Promise<T | null>): Promise<T> {
    const found = (async () => {
      for (;;) {
        const value = await look()
        if (value !== null) return value
        await sim.time.sleep(200)
      }
    })()
    return Promise.race([sim.within(found, withinMs), failed])
  }

  return {
    world: sim,
    study,
    async openRun() {
      await until(60_000, async () => ((await firstChain().study(study)).epoch.members === 0n ? null : true))
      const epoch = (await firstChain().study(study)).epoch.epoch
      const ports = [...alive.values()].find((p) => !p.crashed.aborted) as SimPorts
      const key = await createKeyring({ ...ports, sha256 }, study, protocol).key(epoch, ports.crashed)
      const bytes = encodeModel(learnerFor(protocol, sha256).initial())
      remember(bytes)
      const root = merkleRoot(bytes, sha256)
      const ref = await ports.store.put(bytes, outlineOf(bytes, sha256), 'model', key, ports.crashed)
      return ports.chain.openRun(study, { root, cid: ref.cid })
    },
    finish: (run, withinMs = RUN_MS) =>
      until(withinMs, async () => {
        const view = await firstChain().run(run)
        return view.state === 'Active' || view.state === 'Paused' ? null : view
      }),
    model: (root) => models.get(root),
    events: () => firstChain().events(0),
    drain: async (site) => hospitals.findLast((one) => one.site === site)?.hospital.drain(DRAIN_MS),
    stop() {
      sim.stop()
      // Waits that nobody ends would keep the whole world in memory.
      for (const { hospital } of hospitals) void hospital.stop()
    },
  }
}

/** A store's methods, bound, so that one of them can be watched. */
const bound = (store: SimPorts['store']): SimPorts['store'] => ({
  put: store.put.bind(store),
  putSlice: store.putSlice.bind(store),
  join: store.join.bind(store),
  get: store.get.bind(store),
  outline: store.outline.bind(store),
  read: store.read.bind(store),
  putSealed: store.putSealed.bind(store),
  getSealed: store.getSealed.bind(store),
  putPlain: store.putPlain.bind(store),
  getPlain: store.getPlain.bind(store),
  has: store.has.bind(store),
  drop: store.drop.bind(store),
  get traffic() {
    return store.traffic
  },
})

const DIED = new Error('the site that computed this is down')

/**
 * Shared by all sites; what a site was about to compute when it died is computed by the next who asks. Where things go wrong a site adds up by
 * itself: it may lack an update that another has.
 * @param own for sums; null where those are shared too
 */
function memoOf(shared: Memo, crashed: AbortSignal, own: Memo | null): Memo {
  const death = new Promise<never>((_, reject) => crashed.addEventListener('abort', () => reject(DIED), { once: true }))
  death.catch(() => undefined)
  const once = <T>(key: string, compute: () => Promise<T>): Promise<T> => {
    if (own !== null && (key.startsWith('sum ') || key.startsWith('unmask '))) return own.once(key, compute)
    return shared
      .once(key, () => Promise.race([compute(), death]))
      .catch((error) => {
        if (error === DIED && !crashed.aborted) return once(key, compute)
        throw error
      })
  }
  return { isShared: true, once, forget: shared.forget }
}
