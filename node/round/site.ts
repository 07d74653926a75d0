import type { Sha256 } from '#base/bytes.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import type { MaskingCrypto } from '#core/masking/crypto.ts'
import type { Chain } from '#ports/chain.ts'
import type { Cohort } from '#ports/cohort.ts'
import type { Differencing } from '#ports/differencing.ts'
import type { Gossip } from '#ports/gossip.ts'
import type { Apart, Host } from '#ports/host.ts'
import type { Journal } from '#ports/journal.ts'
import type { ModelStore } from '#ports/model-store.ts'
import type { Trainer } from '#ports/trainer.ts'
import type { Vault } from '#ports/vault.ts'
import type { Memo } from './memo.ts'
import type { Progress } from './progress.ts'
import type { Holdings } from './updates/holdings.ts'

/** One hospital as the round sees it: who it is, and its windows on the world. The same in a process of its own and in the simulator. */
export interface Site {
  readonly id: SiteId
  readonly chain: Chain
  readonly gossip: Gossip
  readonly store: ModelStore
  readonly cohort: Cohort
  readonly differencing: Differencing
  /** What the privacy ledger knows this site's rows by; default: one budget for all its studies. */
  readonly dataset?: Digest
  readonly trainer: Trainer | null
  readonly vault: Vault
  readonly journal: Journal
  readonly host: Host
  readonly sha256: Sha256
  readonly masking: MaskingCrypto
  readonly memo: Memo
  readonly tell: (progress: Progress) => void
  /** True while the engineer has announced maintenance: the site abstains and is not awaited. */
  readonly resting: () => boolean
  /** True when the disk is too full to take on new work. */
  readonly diskFull: () => Promise<boolean>
  /** Whether this site's folder was restored from a backup and its journal is not known to be up to the chain; `over` once it is. */
  readonly restored?: { readonly is: () => boolean; readonly over: () => Promise<void> }
  /** Deletes blocks on this disk that belong to none of the objects named and are not of these days; returns how many. */
  readonly dropOrphans?: (named: ReadonlySet<Digest>) => Promise<number>
  /** Called around what is trained, so that a host can tell it apart from the site's other work. */
  readonly training?: Apart
  /** Where many sites live in one process: the updates of a round are held once for all of them. */
  readonly holdTogether?: SharedHoldings
}

/** Gives the holdings of the round of that name, made by whoever asks first. */
export type SharedHoldings = (name: string, make: (onHeld: () => void) => Holdings, onHeld: () => void) => Holdings
