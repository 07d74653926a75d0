import { type Digest, type SiteId, type StudyId, siteId } from '#base/ids.ts'
import type { PrivacyPolicy, StudyRules } from '#ports/chain.ts'
import { Casualties } from './casualties.ts'
import type { SimAccount } from './chain/account.ts'
import { SimChain, type SimChainOptions } from './chain/chain.ts'
import { crashingChain, crashingJournal } from './crashing.ts'
import { SimDisks } from './disks.ts'
import { Disturber } from './disturber.ts'
import { troubledEndpoint } from './endpoint.ts'
import { type Crash, type FaultPlan, type Lie, NO_FAULTS } from './faults.ts'
import { SimGossip } from './gossip.ts'
import { SimClock, SimLog } from './host.ts'
import { SimJournal } from './journal.ts'
import { liesOf, speaking } from './lies.ts'
import { Life } from './life.ts'
import { SimMembers, SimPeers } from './members.ts'
import { SimModelStore } from './model-store.ts'
import { SimNetwork } from './network.ts'
import { SimRandom } from './random.ts'
import { type SimPorts, SimSite, type SimSiteOptions } from './site.ts'
import { reportKeys, spamChain, spamGossip } from './spam.ts'
import { Strikes } from './strikes.ts'
import { SimTime } from './time.ts'

export interface SimWorldOptions {
  /** Decides all that is left to chance. */
  readonly seed: number | string
  /** How many sites, or what each is; all of them are founders, but for who joins later by the plan of faults. */
  readonly sites: number | readonly SimSiteOptions[]
  readonly faults?: FaultPlan
  readonly chain?: SimChainOptions
  /** Shortest and longest time of a message on the way, in milliseconds. */
  readonly latencyMs?: readonly [number, number]
  /** Told what needs a person at a site; without it `play` fails. */
  readonly onStopped?: (site: SimSite, error: unknown) => void
  /** Gossip is sent and counted, and brought to nobody: it is a hint only, and of a thousand sites each would get a thousand messages a round. */
  readonly deaf?: boolean
  /** Keeps debug lines of the sites' logs too. */
  readonly debug?: boolean
}

/** What a site does with its ports for one life; resolves when it is done, and at a crash never. */
export type Programme = (ports: SimPorts) => Promise<void>

/** Above every id that a registry gives. */
const STRANGER = 1_000_000

/** Any morning will do, as long as it is always the same. */
const START_MS = Date.UTC(2026, 0, 5, 8)

/** A chain, a network and its hospitals in one process, with time of their own. The same options play the same run. */
export class SimWorld {
  readonly time = new SimTime(START_MS)
  readonly random: SimRandom
  readonly faults: FaultPlan
  readonly chain: SimChain
  readonly network: SimNetwork
  readonly disks = new SimDisks()
  readonly members: SimMembers
  readonly sites: readonly SimSite[]
  readonly founders: readonly SimSite[]
  /** Who is admitted later, if anybody. */
  readonly joining: SimSite | null
  readonly #stores = new Map<SiteId, SimModelStore>()
  readonly casualties: Casualties
  /** Told what befalls the world or one of its sites. */
  onNote: (site: SiteId | null, what: string) => void = () => undefined
  /** Times in which no majority was there, or no chain. */
  readonly outages: { readonly fromMs: number; readonly toMs: number }[] = []
  readonly strikes = new Strikes()
  /** Patients who withdrew, by their site. */
  readonly withdrawals: { readonly site: SiteId; readonly atMs: number }[] = []
  /** Sites whose membership ended. */
  readonly gone = new Set<SiteId>()
  /** "run/round" of frozen sets that the chain lost. */
  readonly lostSets = new Set<string>()
  /** Nodes that rightly stop and wait for a person; null: any of them may. */
  readonly expectedStops: { readonly site: SiteId | null; readonly code: string }[] = []
  /** How each wait for a person ends. */
  readonly #waiting = new Map<SiteId, () => void>()
  /** Told when who joins stands in the rota. */
  joined: () => void = () => undefined
  readonly #debug: boolean
  readonly #onStopped: SimWorldOptions['onStopped']
  #programme: Programme | null = null
  #strangers = 0
  #failed: (error: unknown) => void = () => {}

  private constructor(options: SimWorldOptions) {
    const { seed, sites, faults = NO_FAULTS, latencyMs = [1, 20] } = options
    this.random = new SimRandom(String(seed))
    this.faults = faults
    this.#debug = options.debug ?? false
    this.#onStopped = options.onStopped
    const wanted = typeof sites === 'number' ? Array.from({ length: sites }, (): SimSiteOptions => ({})) : sites
    this.sites = wanted.map((site, i) => new SimSite(siteId(i), site))
    for (const { site, offsetMs } of faults.clockOffsets) this.site(site).trouble.offsetMs = offsetMs
    this.network = new SimNetwork(this.time, this.random.fork('network'), {
      latencyMs,
      faults: faults.gossip,
      fetchLoss: faults.fetchLoss,
      deaf: options.deaf ?? false,
    })
    this.joining = faults.joining === null ? null : this.site(faults.joining)
    this.founders = this.sites.filter((site) => site !== this.joining)
    const founders = this.founders.map((site) => site.details)
    this.chain = new SimChain(founders, this.time, this.random.fork('chain'), { blockSeconds: 1, maxSites: Math.max(256, this.sites.length), ...options.chain })
    this.network.onEquivocation = () => this.strikes.count('equivocation')
    this.members = new SimMembers(this.chain)
    this.casualties = new Casualties(faults.mostInTrouble, () => this.time.nowMs)
    this.#markLiars()
    if (this.joining !== null) this.joined = this.casualties.fall(this.joining.id, 'no member yet')
    new Disturber(this, { kill: (...args) => this.#kill(...args) }, this.random.fork('disturbances'))
  }

  static create(options: SimWorldOptions): SimWorld {
    return new SimWorld(options)
  }

  site(id: number): SimSite {
    return this.sites[id] as SimSite
  }

  /** Begins a life of a site: what it had in memory before is gone, its disk is as it was. */
  start(site: SimSite): SimPorts {
    site.life?.end()
    const life = new Life(site.id, {
      time: this.time,
      trouble: site.trouble,
      crashes: this.faults.crashes,
      visits: site.visits,
      mayCrash: () => this.casualties.mayFall([site.id]),
      onCrash: (crash) => this.#crashed(site, crash),
    })
    site.life = life
    this.network.up(site.id)
    return this.#portsOf(site, life)
  }

  /** As SIGKILL would. */
  crash(site: SimSite): void {
    site.life?.end()
    this.network.down(site.id)
  }

  /**
   * Runs `programme` at every site, late ones later, and again whenever one comes back from a crash.
   * `failed` rejects with what a programme threw.
   */
  play(programme: Programme): { readonly failed: Promise<never> } {
    this.#programme = programme
    const { promise: failed, reject } = Promise.withResolvers<never>()
    failed.catch(() => undefined)
    this.#failed = reject
    for (const site of this.founders) {
      const late = this.faults.late.find((entry) => entry.site === site.id)
      if (late === undefined) this.#run(site)
      else this.#startLate(site, late.afterMs)
    }
    return { failed }
  }

  /** Starts a site again under the programme of `play`. */
  restart(site: SimSite): void {
    this.#run(site)
  }

  /** Somebody with a node of the same make whom the registry does not know. */
  stranger(): SimPorts {
    return this.start(new SimSite(siteId(STRANGER + this.#strangers++)))
  }

  /** Waits for `work` in virtual time. @throws Error when it takes longer */
  within<T>(work: Promise<T>, withinMs: number): Promise<T> {
    return this.time.within(work, withinMs)
  }

  /** The chain for a site's node account, outside any life of it. */
  node(site: SimSite): SimAccount {
    return this.chain.connect(site.node)
  }

  steward(site: SimSite): SimAccount {
    return this.chain.connect(site.steward)
  }

  /** Published by the first site, approved by every founder's steward (or by those named). Its keys are the nodes' work. */
  async publishStudy(
    protocolDigest: Digest,
    protocolCid: Digest,
    rules: StudyRules,
    approvers: readonly SimSite[] = this.founders,
    policy: PrivacyPolicy | null = null,
  ): Promise<StudyId> {
    const desk = this.node(this.site(0)).studyDesk()
    const study = await desk.publish(protocolDigest, protocolCid, rules)
    if (policy !== null) await desk.setPolicy(study, policy)
    for (const site of approvers) await this.steward(site).studyDesk().approve(study, protocolDigest)
    return study
  }

  /** Ends all: nothing that waits goes on. */
  stop(): void {
    for (const site of this.sites) site.life?.end()
    this.time.stop()
  }

  note(site: SiteId | null, what: string): void {
    this.onNote(site, what)
  }

  expectStop(site: SiteId | null, code: string): void {
    this.expectedStops.push({ site, code })
  }

  #run(site: SimSite): void {
    if (this.#programme === null) return
    this.#waiting.get(site.id)?.()
    const ports = this.start(site)
    this.#programme(ports).catch((error) => {
      if (ports.crashed.aborted) return
      if (this.#onStopped === undefined) return this.#failed(error)
      this.#waiting.set(site.id, this.casualties.fall(site.id, 'waits for a person'))
      this.crash(site)
      this.#onStopped(site, error)
    })
  }

  #startLate(site: SimSite, afterMs: number): void {
    site.life?.end()
    const over = this.casualties.fall(site.id, 'not started yet')
    this.time.after(afterMs, () => {
      over()
      this.strikes.count('late')
      this.note(site.id, 'starts, later than the others')
      this.#run(site)
    })
  }

  #crashed(site: SimSite, crash: Crash): void {
    this.strikes.count(`crash at ${crash.point}`)
    this.#down(site, `dies ${crash.when === 'torn' ? 'while it writes' : crash.when} ${crash.point}, the ${crash.nth}. time`, crash.backAfterMs)
  }

  /** From outside, at any moment. */
  #kill(site: SimSite, why: string, backAfterMs: number, beforeItIsBack?: () => void): void {
    site.life?.end()
    this.#down(site, why, backAfterMs, beforeItIsBack)
  }

  #down(site: SimSite, why: string, backAfterMs: number | null, beforeItIsBack: () => void = () => undefined): void {
    this.strikes.count('crash')
    this.network.down(site.id)
    this.note(site.id, why)
    const over = this.casualties.fall(site.id, why)
    if (backAfterMs === null) return
    this.time.after(backAfterMs, () => {
      over()
      beforeItIsBack()
      this.note(site.id, 'starts again')
      this.#run(site)
    })
  }

  #markLiars(): void {
    const { liars, silent, withholding, lies } = this.faults
    for (const site of new Set([...liars, ...silent, ...withholding, ...lies.map((entry) => entry.site)])) this.casualties.fall(site, 'dishonest')
  }

  #portsOf(site: SimSite, life: Life): SimPorts {
    const { faults, time } = this
    const clock = new SimClock(time, life)
    const isMember = (id: SiteId) => this.chain.contracts.sites.isActive(id)
    const lies = liesOf(faults, site.id)
    const strike = (lie: Lie) => this.strikes.count(lie)
    const withholds = faults.withholding.includes(site.id) || lies.has('withheld-vector')
    const store = new SimModelStore(this.disks, this.network, life, this.#stores, isMember, {
      ...(withholds ? { withholds: () => strike('withheld-vector') } : {}),
      ...(lies.has('other-bytes') ? { forges: () => strike('other-bytes') } : {}),
    })
    const account = this.chain.connect(site.node)
    life.ended.addEventListener('abort', () => void account.stop(), { once: true })
    const random = this.random.fork(`site ${site.id} at ${time.nowMs}`)
    const gossip = new SimGossip(this.network, life, isMember)
    const chain = faults.disturbances.length === 0 ? account : troubledEndpoint(account, this, site.trouble)
    const voice = speaking(lies, { chain, store, gossip }, { time, random: random.fork('lies'), strike })
    if (lies.has('equivocation')) this.network.equivocates.add(site.id)
    const spam = (lie: Lie) => ({ life, time, random: random.fork(lie), strike: () => strike(lie) })
    if (lies.has('gossip-spam')) spamGossip(gossip, spam('gossip-spam'))
    if (lies.has('chain-spam')) spamChain(account, spam('chain-spam'))
    if (lies.has('reports-keys')) reportKeys(account, spam('reports-keys'))
    return {
      id: site.id,
      name: site.name,
      chain: crashingChain(voice.chain, life),
      gossip: voice.gossip,
      store: voice.store,
      cohort: site.cohort,
      differencing: site.differencing,
      vault: site.vault,
      journal: crashingJournal(new SimJournal(site.journal), life),
      host: { clock, random, log: new SimLog(clock, { debug: this.#debug }) },
      members: this.members,
      peers: new SimPeers(this.network, site.id, (id) => this.site(id).trouble.offsetMs, ''),
      diskFull: async () => site.trouble.diskFull || site.trouble.diskFilling,
      resting: () => site.trouble.resting,
      crashed: life.ended,
    }
  }
}
