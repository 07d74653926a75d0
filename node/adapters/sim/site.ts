import type { Address, Digest, SiteId } from '#base/ids.ts'
import type { SplitTable } from '#core/model/table.ts'
import type { Chain } from '#ports/chain.ts'
import type { Journal, JournalEntry } from '#ports/journal.ts'
import type { ModelStore } from '#ports/model-store.ts'
import type { SiteDetails } from './chain/sites.ts'
import { type RowTags, SimCohort } from './cohort.ts'
import { SimDifferencing } from './differencing.ts'
import type { SimGossip } from './gossip.ts'
import { addressOf, digestOf } from './hash.ts'
import type { SimHost } from './host.ts'
import type { Life } from './life.ts'
import type { SimMembers, SimPeers } from './members.ts'
import { Trouble } from './trouble.ts'
import { SimVault } from './vault.ts'

export interface SimSiteOptions {
  readonly name?: string
  /** This site's rows; without them it has no patient. */
  readonly rows?: SplitTable
  readonly tags?: RowTags
}

/** One life's windows on the world, by the names of the ports. */
export interface SimPorts {
  readonly id: SiteId
  readonly name: string
  readonly chain: Chain
  readonly gossip: SimGossip
  readonly store: ModelStore
  readonly cohort: SimCohort
  readonly differencing: SimDifferencing
  readonly vault: SimVault
  readonly journal: Journal
  readonly host: SimHost
  readonly members: SimMembers
  readonly peers: SimPeers
  /** The disk is too full to take on new work. */
  readonly diskFull: () => Promise<boolean>
  /** Maintenance was announced. */
  readonly resting: () => boolean
  /** Aborts when this life ends by a crash: what it awaits will then never come. */
  readonly crashed: AbortSignal
}

/** A hospital over all its lives: its accounts and keys, and what is on its disk. */
export class SimSite {
  readonly id: SiteId
  readonly name: string
  node: Address
  steward: Address
  readonly recovery: Address
  vault: SimVault
  readonly cohort: SimCohort
  readonly differencing: SimDifferencing
  readonly journal: JournalEntry[] = []
  /** How often each crash point was reached. */
  readonly visits = new Map<string, number>()
  life: Life | null = null
  readonly trouble = new Trouble()
  /** Its data folder as it was once: the first one is empty. */
  copy: { readonly journal: readonly JournalEntry[]; readonly objects: ReadonlySet<Digest> } | null = null
  /** How often an account of it was replaced. */
  #replaced = 0
  /** When its data folder became an old copy. */
  readonly restoredAtMs: number[] = []

  constructor(id: SiteId, options: SimSiteOptions = {}) {
    this.id = id
    this.name = options.name ?? `site-${id}`
    this.node = addressOf('node', id)
    this.steward = addressOf('steward', id)
    this.recovery = addressOf('recovery', id)
    this.vault = new SimVault(this.name, this.node)
    this.cohort = new SimCohort(this.name, options.rows ?? EMPTY_ROWS, options.tags)
    this.differencing = new SimDifferencing()
  }

  /** Another account for its node or its steward, which nobody has had. */
  nextAccount(role: 'node' | 'steward'): Address {
    return addressOf(role, this.id, ++this.#replaced)
  }

  /** As its folder is once the account has taken its place on chain. */
  takeAccount(role: 'node' | 'steward', account: Address): void {
    this[role] = account
    if (role === 'node') this.vault = new SimVault(this.name, account)
  }

  get alive(): boolean {
    return this.life?.alive ?? false
  }

  /** What it tells the registry. */
  get details(): SiteDetails {
    const { name, node, steward, recovery } = this
    return { name, node, steward, recovery, peerId: `sim-${digestOf('peer', this.id).slice(2, 18)}`, encryptionKey: this.vault.encryptionKey, multiaddrs: [] }
  }
}

const EMPTY_TABLE = { columns: [], rows: 0, values: new Float64Array(0), label: new Float64Array(0) }
const EMPTY_ROWS: SplitTable = { train: EMPTY_TABLE, test: EMPTY_TABLE }
