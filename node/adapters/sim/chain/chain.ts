import type { Address, RunId, StudyId } from '#base/ids.ts'
import { type Head, type RunView, SITE_STATES, type SiteRecord, type StudyRecord } from '#ports/chain.ts'
import { addressOf } from '../hash.ts'
import type { SimRandom } from '../random.ts'
import type { SimTime } from '../time.ts'
import { SimAccount } from './account.ts'
import { SimAudits } from './audits.ts'
import type { Call } from './call.ts'
import { SimConsents } from './consents.ts'
import { SimCoordinator } from './coordinator.ts'
import { History } from './history.ts'
import { Ledger, type SimEvent } from './ledger.ts'
import { SimPrivacy } from './privacy.ts'
import { SimSites, type SiteDetails } from './sites.ts'
import { SimStudies } from './studies.ts'
import { viewOf } from './view.ts'

export interface SimChainOptions {
  readonly chainId?: bigint
  /** Tells one simulated chain from another. */
  readonly name?: string
  /** Blocks come at this interval besides one for each transaction; null: only for transactions. */
  readonly blockSeconds?: number | null
  /** Size of a set of sites; 256 on a real chain. */
  readonly maxSites?: number
  /** Sites that a masked study has at least; a rehearsal may have fewer than a study. */
  readonly fewestMasked?: number
  /** Shortest and longest time until a transaction is mined, and until a change wakes who waits, in milliseconds. */
  readonly latencyMs?: readonly [number, number]
  /** Keeps all transactions, so that the chain can go back. */
  readonly mayGoBack?: boolean
  /** Where the consent registry stands: in the domain of patients' signatures. */
  readonly consentRegistry?: Address
}

/** The contracts, by the names of their Solidity files. */
export interface SimContracts {
  readonly sites: SimSites
  readonly studies: SimStudies
  readonly coordinator: SimCoordinator
  readonly privacy: SimPrivacy
  readonly consents: SimConsents
  readonly audits: SimAudits
}

/** The contracts in memory, with the rules, errors and events of contracts/. One for all sites of a world. */
export class SimChain {
  readonly chainId: bigint
  readonly ledger: Ledger
  readonly consentRegistry: Address
  readonly time: SimTime
  readonly #random: SimRandom
  readonly #latencyMs: readonly [number, number]
  /** Answers since the last change: all sites ask the same. */
  readonly #answers = new Map<string, unknown>()
  readonly #waiting = new Set<() => void>()
  #waking = false
  /** When each account's last transaction is mined. */
  readonly #due = new Map<Address, number>()
  readonly #history: History | null
  readonly #deploy: () => SimContracts
  #contracts: SimContracts
  /** No block is made before this moment. */
  #stalledUntilMs = 0

  constructor(founders: readonly SiteDetails[], time: SimTime, random: SimRandom, options: SimChainOptions = {}) {
    this.time = time
    this.#random = random
    this.#latencyMs = options.latencyMs ?? [1, 20]
    this.chainId = options.chainId ?? 31_337n
    this.consentRegistry = options.consentRegistry ?? addressOf('ConsentRegistry')
    this.ledger = new Ledger(time, { blockSeconds: options.blockSeconds ?? null, name: options.name ?? 'sim' })
    this.#history = options.mayGoBack ? new History() : null
    this.#deploy = () => {
      const sites = new SimSites(options.maxSites)
      const studies = new SimStudies(sites, options.maxSites ?? 256, options.fewestMasked)
      const privacy: SimPrivacy = new SimPrivacy(sites, studies, (run) => coordinator.run(run).study)
      const coordinator: SimCoordinator = new SimCoordinator(studies, privacy, (call: Call) => sites.nodeSite(call.sender))
      const consents = new SimConsents(sites, { chainId: this.chainId, verifyingContract: this.consentRegistry })
      return { sites, studies, coordinator, privacy, consents, audits: new SimAudits(sites) }
    }
    this.#contracts = this.#deploy()
    this.ledger.onEvents(() => this.#changed())
    this.#transact(addressOf('deployer'), (call) => this.contracts.sites.found(call, founders))
  }

  get contracts(): SimContracts {
    return this.#contracts
  }

  /** The chain as one account sees it. */
  connect(account: Address): SimAccount {
    return new SimAccount(this, account)
  }

  /** Seconds and blocks in which nobody does anything. */
  advance(seconds: number, blocks: number): void {
    this.ledger.advance(seconds, blocks)
  }

  head(): Head {
    return this.ledger.head()
  }

  sites(): readonly SiteRecord[] {
    return this.contracts.sites.records
  }

  activeSites(): readonly SiteRecord[] {
    return this.answer('active', () => this.sites().filter((site) => site.state === SITE_STATES[2]))
  }

  study(id: StudyId): StudyRecord {
    return this.answer(`study/${id}`, () => this.contracts.studies.record(id))
  }

  run(id: RunId): RunView {
    return viewOf(this.contracts.coordinator.run(id))
  }

  onEvent(listener: (event: SimEvent) => void): () => void {
    return this.ledger.onEvents((events) => events.forEach(listener))
  }

  /** Wakes once for all that happens within the latency. */
  onChange(wake: () => void): () => void {
    this.#waiting.add(wake)
    return () => this.#waiting.delete(wake)
  }

  /** Mines a transaction of this account after the latency, and never before one that it sent earlier. */
  mine<T>(account: Address, act: (call: Call) => T): Promise<T> {
    const now = this.time.nowMs
    const due = Math.max(now + this.#latency(), this.#due.get(account) ?? 0, this.#stalledUntilMs)
    this.#due.set(account, due)
    return new Promise((resolve, reject) => {
      this.time.together(due - now, () => {
        try {
          resolve(this.#transact(account, act))
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  /**
   * Goes back to block `to`: what came after is lost, but for the transactions that `returns` says are still in somebody's pool;
   * they are mined again in their order. Needs the option `mayGoBack`.
   */
  rewind(to: number, returns: () => boolean): void {
    if (this.#history === null) return
    const lost = this.#history.cut(to)
    this.#contracts = this.#deploy()
    this.#history.replay((block) => this.ledger.hashOf(block))
    this.ledger.rewind(to)
    for (const { sender, act } of lost) if (returns()) this.mine(sender, act).catch(() => undefined)
  }

  /** Makes no block for so long, as when validators are lost: what is sent meanwhile is mined afterwards. */
  stall(ms: number): void {
    this.#stalledUntilMs = this.time.nowMs + ms
    this.ledger.stallUntil(this.#stalledUntilMs)
  }

  #transact<T>(sender: Address, act: (call: Call) => T): T {
    return this.ledger.transact(sender, (call) => {
      const result = act(call)
      this.#history?.note({ sender, block: call.block, timestamp: call.timestamp, act })
      return result
    })
  }

  /** Computes an answer once for each state of the chain. */
  answer<T>(question: string, compute: () => T): T {
    if (!this.#answers.has(question)) this.#answers.set(question, compute())
    return this.#answers.get(question) as T
  }

  #latency(): number {
    return this.#random.int(...(this.#latencyMs as [number, number]))
  }

  #changed(): void {
    this.#answers.clear()
    if (this.#waking || this.#waiting.size === 0) return
    this.#waking = true
    this.time.together(this.#latency(), () => {
      this.#waking = false
      for (const wake of this.#waiting) wake()
    })
  }
}
