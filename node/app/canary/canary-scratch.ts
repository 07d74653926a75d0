import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { quiet } from '#app/node/dial-out.ts'
import { RotaError } from '#base/errors.ts'
import { type Address, type RunId, runId, type SiteId, ZERO_DIGEST } from '#base/ids.ts'
import type { SplitTable } from '#core/model/table.ts'
import type { Chain, ChainEvent, RunView, StudyRecord } from '#ports/chain.ts'
import type { ConsentedCohort } from '#ports/cohort.ts'
import type { Gossip } from '#ports/gossip.ts'
import type { Journal, JournalEntry } from '#ports/journal.ts'
import type { ModelStore } from '#ports/model-store.ts'
import type { Vault } from '#ports/vault.ts'
import { createMemo } from '#round/memo.ts'
import type { Site } from '#round/site.ts'
import type { Said } from '#wire/canary-round.ts'
import { sha256 } from '../sha256.ts'
import type { CanaryParts } from './canary-parts.ts'

/** Runs on chain count from 1. */
export const SCRATCH_RUN: RunId = runId(0)

export interface ScratchWorld {
  readonly store: ModelStore
  readonly record: StudyRecord
  /** What the chain shows now, in the words of whoever leads the canary. */
  readonly view: () => RunView
  readonly contributed: () => readonly ChainEvent[]
  /** Takes what the steps would say on chain and by gossip. */
  readonly say: (said: Said) => void
  readonly random: Site['host']['random']
}

/**
 * A site as the steps of a round see it, of which nothing is real but disk, network and machine: no row is read, no key of the site is used, nothing
 * is journalled, sent on chain, or gossiped.
 */
export function scratchSite({ site, clock }: Pick<CanaryParts, 'site' | 'clock'>, world: ScratchWorld): Site {
  return {
    id: site,
    chain: scratchChain(world),
    gossip: scratchGossip(world),
    store: world.store,
    cohort: { consented: async () => NO_COHORT, remember: nothing },
    differencing: { mayJoin: async () => ({ ok: true }), whoRests: async () => [], record: nothing, roots: async () => new Set() },
    trainer: null,
    vault: NO_VAULT,
    journal: scratchJournal(),
    host: { clock, random: world.random, log: quiet },
    sha256,
    masking: nodeMasking,
    memo: createMemo(),
    tell: () => undefined,
    resting: () => false,
    diskFull: async () => false,
  }
}

const nothing = async (): Promise<void> => undefined

function scratchChain({ record, view, contributed, say }: ScratchWorld): Chain {
  return {
    account: `0x${'00'.repeat(20)}` as Address,
    chainId: 0n,
    genesis: ZERO_DIGEST,
    coordinator: `0x${'00'.repeat(20)}` as Address,
    head: async () => ({ number: 0, hash: ZERO_DIGEST, timestamp: 0 }),
    sites: async () => [],
    study: async () => record,
    studies: async () => [record],
    runs: async () => [],
    run: async () => view(),
    epoch: async () => record.epoch,
    policy: async () => null,
    spent: async () => 0n,
    isWithdrawn: async () => false,
    events: async (_, filter) => (filter?.kinds?.includes('Contributed') ? contributed() : []),
    onChange: () => () => undefined,
    openRun: async () => SCRATCH_RUN,
    contribute: async (_, __, root, cid) => say({ kind: 'contribute', root, cid }),
    witness: async (_, __, slice, held) => say({ kind: 'witness', slice, held }),
    publish: async (_, __, ___, root, cid) => say({ kind: 'publish', root, cid }),
    attest: async (_, __, ___, { root, cid }, status) => say({ kind: 'attest', status, root, cid }),
    charge: nothing,
    key: nothing,
    justify: nothing,
    abstain: nothing,
    extend: nothing,
    dispute: nothing,
    tick: nothing,
    ready: nothing,
    halt: nothing,
    publishEpoch: nothing,
    reportEpoch: nothing,
    publishTerms: nothing,
    consentRoot: nothing,
    withdraw: nothing,
    withdrawMany: async () => [],
    withdrawByOmbudsman: nothing,
    audit: nothing,
    stop: nothing,
  }
}

/** Words on slices are handed on; announcements are hints, and updates are fetched without them. */
const scratchGossip = ({ say }: ScratchWorld): Gossip => ({
  async publish(word) {
    say({ kind: 'word', word })
    return 0
  },
  start: nothing,
  ask: nothing,
  stop: nothing,
  peers: () => [] as SiteId[],
  traffic: { bytesIn: 0, bytesOut: 0 },
})

function scratchJournal(): Journal {
  const entries: JournalEntry[] = []
  return { append: async (...more) => void entries.push(...more), entries: () => entries, compact: nothing, burn: nothing }
}

const EMPTY = { columns: [], rows: 0, values: new Float64Array(0), label: new Float64Array(0) }
const NO_ROWS: SplitTable = { train: EMPTY, test: EMPTY }
const NO_COHORT: ConsentedCohort = { table: NO_ROWS, patients: [], testing: [], tags: [], rootIn: () => ZERO_DIGEST, without: () => NO_COHORT }

const locked = (): never => {
  throw new RotaError('ROTA-1406')
}
const NO_VAULT: Vault = {
  encryptionKey: ZERO_DIGEST,
  nodeAccount: `0x${'00'.repeat(20)}` as Address,
  wrap: locked,
  unwrap: locked,
  seal: locked,
  open: locked,
  keyedDigest: locked,
}
