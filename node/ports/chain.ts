import type { Address, Attempt, Bitmap, Digest, RoundNo, RunId, SiteId, StudyId } from '#base/ids.ts'
import type { DisputeEvidence } from '#core/commit/dispute.ts'
import type { LawfulBasis } from '#core/consent/terms.ts'

/** The contracts as nodes see them. One compliance suite runs on the Solidity contracts and on adapters/sim. */
export interface Chain extends ChainReader, ChainWriter {
  readonly account: Address
  stop(): Promise<void>
}

/** Phases of a round in order; Keying only in masked studies. Same order as contracts/types/Phase.sol. */
export const PHASES = ['Keying', 'Contributing', 'Witnessing', 'Publishing', 'Attesting'] as const
export type Phase = (typeof PHASES)[number]

/** Same order as contracts/types/RunState.sol. Paused waits for a quorum of `ready`; the last three are final. */
export const RUN_STATES = ['Active', 'Paused', 'Finished', 'Halted', 'Ended'] as const
export type RunState = (typeof RUN_STATES)[number]

/** Same order as contracts/types/Status.sol. */
export const ATTEST_STATUSES = ['continue', 'finished', 'refused', 'wrongSum'] as const
export type AttestStatus = (typeof ATTEST_STATUSES)[number]

/** Same order as contracts/types/Consents.sol. */
export const LAWFUL_BASES = ['consent', 'opt-out'] as const satisfies readonly LawfulBasis[]

/** Site's life in SiteRegistry. */
export const SITE_STATES = ['None', 'Proposed', 'Active', 'Suspended', 'Removed'] as const
export type SiteState = (typeof SITE_STATES)[number]

export interface Head {
  readonly number: number
  readonly hash: Digest
  /** Chain time in seconds: runs ahead of clocks when blocks are instant. */
  readonly timestamp: number
}

export interface SiteRecord {
  readonly id: SiteId
  readonly name: string
  readonly state: SiteState
  readonly node: Address
  readonly steward: Address
  readonly recovery: Address
  /** libp2p PeerId as text. */
  readonly peerId: string
  /** X25519 public key, 32 bytes. */
  readonly encryptionKey: Digest
  /** Addresses that others dial, as multiaddr text; empty for a site that only dials out. */
  readonly multiaddrs: readonly string[]
}

export interface StudyRecord {
  readonly id: StudyId
  readonly publisher: SiteId
  readonly protocolDigest: Digest
  /** CID digest of the protocol's canonical bytes in the store (plain). */
  readonly protocolCid: Digest
  /** Sites whose stewards approved exactly this digest and have not withdrawn. */
  readonly approved: Bitmap
  readonly rules: StudyRules
  readonly epoch: EpochRecord
}

/** The few numbers of the protocol that the chain enforces. */
export interface StudyRules {
  readonly minSites: number
  readonly quorum: number
  readonly maxRounds: number
  readonly wordBits: 32 | 64
  readonly slices: number
  readonly mode: 'open' | 'masked' | 'groups'
  /** Any member may halt a run of an exact study because its cohort changed. */
  readonly exact: boolean
  /** Seconds and blocks, in the order of PHASES. */
  readonly limits: readonly { readonly seconds: number; readonly blocks: number }[]
  readonly arithmeticVersion: Digest
}

/**
 * Of an accounted study: what a contribution costs, and what a dataset may have spent after one. Eight lanes of a word
 * (core/privacy tells how epsilon and delta lead to them).
 */
export interface PrivacyPolicy {
  readonly charge: bigint
  readonly limit: bigint
}

export interface EpochRecord {
  /** Counts from 0. */
  readonly epoch: number
  readonly commitment: Digest
  /** CID digest of the bundle that wraps the epoch key to each member and reader. */
  readonly bundle: Digest
  /** Approved sites when it was published; differs from `approved` when a new epoch is due. */
  readonly members: Bitmap
  /** A member said that it cannot unwrap it: another may be published. */
  readonly reported: boolean
}

export interface RunView {
  readonly run: RunId
  readonly study: StudyId
  readonly state: RunState
  /** The last opened round; after a dispute of a closed round, that one, which is published again. */
  readonly round: RoundView
  /** Model of the last closed round, or the initial one. */
  readonly model: ModelRef
  readonly closedRounds: number
  readonly voidsInARow: number
  /** Sites that signalled ready since the pause. */
  readonly ready: Bitmap
}

export interface ModelRef {
  readonly root: Digest
  readonly cid: Digest
}

export interface RoundView {
  readonly round: RoundNo
  readonly phase: Phase
  /** Of the publication awaited or being attested. */
  readonly attempt: Attempt
  /** Snapshot of the sites when the round opened, in the order of turns; rota[turn] leads, turn+1 and turn+2 stand by. */
  readonly rota: readonly SiteId[]
  readonly turn: number
  readonly openedAtBlock: number
  /** Approved epoch of keys when it opened. */
  readonly epoch: number
  /** When the phase, or its current attempt or extension, began. A limit has passed when both its seconds and its blocks have. */
  readonly since: { readonly block: number; readonly timestamp: number }
  /** A site asked for more time in Contributing: the limit began anew, and will not again in this round. */
  readonly extended: boolean
  readonly awaited: Bitmap
  /** Of a masked study: sites whose key shares are out; fixed when Contributing begins, and they alone contribute. */
  readonly keyed: Bitmap
  /** Who keyed stands, and some do not hold what others dealt: dealers show the shares of these. */
  readonly justifying: boolean
  /** Sites that did, or had nothing to show. */
  readonly justified: Bitmap
  /** So many sites of its set it takes to unmask the sum; 0 of an open study. */
  readonly threshold: number
  readonly contributed: Bitmap
  readonly abstained: Bitmap
  /** Per slice: how many places of the rota, from `turn` on, are custodians now (3, then 6, …, at most all; all at once in a round that follows one that was frozen and came to nothing). */
  readonly custodianPlaces: readonly number[]
  /** Custodians that witnessed, per slice. */
  readonly witnessed: readonly Bitmap[]
  /** Frozen once; 0 before. */
  readonly included: Bitmap
  /** First place of the rota that may publish in this attempt, counted from the turn: 0 is the leader. */
  readonly firstPlace: number
  readonly publications: number
  readonly publication: Publication | null
  readonly attested: Bitmap
}

export interface Publication {
  readonly attempt: Attempt
  readonly publisher: SiteId
  readonly sumRoot: Digest
  readonly sumCid: Digest
}

/** Each carries where it stands; `index` orders events of one block. Withdrawals that came in one batch have one index, and follow each other. */
export type ChainEvent = { readonly block: number; readonly index: number; readonly timestamp: number; readonly tx: Digest } & ChainEventBody

export type ChainEventBody =
  | { readonly kind: 'SiteChanged'; readonly site: SiteId; readonly state: SiteState }
  | { readonly kind: 'StudyPublished'; readonly study: StudyId; readonly publisher: SiteId; readonly protocolDigest: Digest; readonly protocolCid: Digest }
  | { readonly kind: 'StudyApproved'; readonly study: StudyId; readonly site: SiteId }
  | { readonly kind: 'StudyWithdrawn'; readonly study: StudyId; readonly site: SiteId }
  /** The study is accounted, with these words. */
  | { readonly kind: 'PolicySet'; readonly study: StudyId; readonly site: SiteId; readonly charge: bigint; readonly limit: bigint }
  | {
      readonly kind: 'EpochPublished'
      readonly study: StudyId
      readonly epoch: number
      readonly site: SiteId
      readonly commitment: Digest
      readonly bundle: Digest
      readonly members: Bitmap
    }
  /** A member cannot have an epoch's key, or says so: another may be drawn. */
  | { readonly kind: 'EpochReported'; readonly study: StudyId; readonly epoch: number; readonly site: SiteId }
  | { readonly kind: 'RunOpened'; readonly run: RunId; readonly study: StudyId; readonly site: SiteId; readonly modelRoot: Digest; readonly modelCid: Digest }
  | {
      readonly kind: 'RoundOpened'
      readonly run: RunId
      readonly round: RoundNo
      readonly leader: SiteId
      readonly turn: number
      readonly rota: readonly SiteId[]
      readonly awaited: Bitmap
      readonly baseRoot: Digest
      readonly baseCid: Digest
      readonly epoch: number
      /** Hash of the block, as a chain tells it: another once the round was opened anew. Logs that others put away may be without. */
      readonly opening?: Digest
    }
  /** A contribution of an accounted study is charged to a dataset of the site; `spent` is what that has given away with it. */
  | { readonly kind: 'Charged'; readonly run: RunId; readonly round: RoundNo; readonly site: SiteId; readonly dataset: Digest; readonly spent: bigint }
  /** Of masked studies. `holds`: sites whose key shares the site holds, `heldDeals`: by which deals, and what it hid of them (hex, see core/masking/held-deals); two mask with each other when each holds the deal that the other keyed with. */
  | {
      readonly kind: 'Keyed'
      readonly run: RunId
      readonly round: RoundNo
      readonly site: SiteId
      readonly dealDigest: Digest
      readonly dealCid: Digest
      readonly holds: Bitmap
      readonly heldDeals: string
    }
  /** A dealer's shares for those who do not hold its deal, in public (hex, see wire/masking/justification); 0x when it has nothing to show. */
  | { readonly kind: 'Justified'; readonly run: RunId; readonly round: RoundNo; readonly site: SiteId; readonly justification: string }
  | {
      readonly kind: 'Contributed'
      readonly run: RunId
      readonly round: RoundNo
      readonly site: SiteId
      readonly root: Digest
      readonly cid: Digest
      readonly cohortRoot: Digest
    }
  | { readonly kind: 'Abstained'; readonly run: RunId; readonly round: RoundNo; readonly site: SiteId; readonly reason: number }
  /** The limit of Contributing began anew, at this site's wish. No PhaseBegan tells it. */
  | { readonly kind: 'ContributingExtended'; readonly run: RunId; readonly round: RoundNo; readonly site: SiteId; readonly began?: Digest }
  /** `began`: hash of its block; a chain that went back and got here again has another. */
  | { readonly kind: 'PhaseBegan'; readonly run: RunId; readonly round: RoundNo; readonly phase: Phase; readonly attempt: Attempt; readonly began?: Digest }
  | { readonly kind: 'Witnessed'; readonly run: RunId; readonly round: RoundNo; readonly site: SiteId; readonly slice: number; readonly held: Bitmap }
  | { readonly kind: 'Frozen'; readonly run: RunId; readonly round: RoundNo; readonly included: Bitmap; readonly accumulator: Digest }
  | {
      readonly kind: 'Published'
      readonly run: RunId
      readonly round: RoundNo
      readonly attempt: Attempt
      readonly site: SiteId
      readonly sumRoot: Digest
      readonly sumCid: Digest
    }
  | {
      readonly kind: 'Attested'
      readonly run: RunId
      readonly round: RoundNo
      readonly attempt: Attempt
      readonly site: SiteId
      readonly modelRoot: Digest
      readonly modelCid: Digest
      readonly status: AttestStatus
      readonly own: Digest
    }
  | {
      readonly kind: 'PublicationDiscarded'
      readonly run: RunId
      readonly round: RoundNo
      readonly attempt: Attempt
      readonly publisher: SiteId
      readonly wrongSum: boolean
    }
  /** A site showed that the publication is wrong at a leaf of its vectors: it is discarded, also when its round was closed. */
  | {
      readonly kind: 'Disputed'
      readonly run: RunId
      readonly round: RoundNo
      readonly attempt: Attempt
      readonly site: SiteId
      readonly publisher: SiteId
      readonly leaf: number
    }
  | {
      readonly kind: 'RoundClosed'
      readonly run: RunId
      readonly round: RoundNo
      readonly attempt: Attempt
      readonly status: 'continue' | 'finished'
      readonly modelRoot: Digest
      readonly modelCid: Digest
    }
  | {
      readonly kind: 'RoundRefused'
      readonly run: RunId
      readonly round: RoundNo
      readonly attempt: Attempt
      readonly modelRoot: Digest
      readonly modelCid: Digest
    }
  | { readonly kind: 'RoundVoid'; readonly run: RunId; readonly round: RoundNo; readonly phase: Phase }
  | { readonly kind: 'RunStateChanged'; readonly run: RunId; readonly state: RunState; readonly site: SiteId | null; readonly reason: number }
  | { readonly kind: 'SiteReady'; readonly run: RunId; readonly site: SiteId }
  /** A version of a programme's terms, by its keeper. */
  | ({ readonly kind: 'TermsPublished'; readonly programme: Digest; readonly site: SiteId } & TermsOnChain)
  | { readonly kind: 'ConsentRoot'; readonly site: SiteId; readonly programme: Digest; readonly epoch: number; readonly root: Digest }
  | { readonly kind: 'ConsentWithdrawn'; readonly programme: Digest; readonly tag: Digest }
  | { readonly kind: 'AuditEntry'; readonly site: SiteId; readonly category: number; readonly subject: Digest }

/** Terms as ConsentRegistry takes and tells them. */
export interface TermsOnChain {
  readonly version: number
  /** SHA-256 of the text. */
  readonly digest: Digest
  readonly basis: LawfulBasis
  /** Whose key may withdraw for patients. */
  readonly ombudsman: Address | null
  /** First second, in chain time, at which consents under these terms do not count. */
  readonly expiresAt: number
  /** Their canonical bytes (wire/terms.ts) as 0x-hex. */
  readonly text: string
}

/** A withdrawal as it is relayed: `signature` (65 bytes as 0x-hex) is the one-time key's over EIP-712 Withdraw(programme, tag). */
export interface RelayedWithdrawal {
  readonly blind: Digest
  readonly patientKey: Address
  readonly signature: string
}

export interface ChainReader {
  readonly chainId: bigint
  readonly genesis: Digest
  /** RoundCoordinator's: masks of its rounds are bound to it. */
  readonly coordinator: Address
  head(): Promise<Head>
  sites(): Promise<readonly SiteRecord[]>
  study(study: StudyId): Promise<StudyRecord>
  studies(): Promise<readonly StudyRecord[]>
  /** All runs of all studies, oldest first. */
  runs(): Promise<readonly { readonly run: RunId; readonly study: StudyId; readonly state: RunState }[]>
  run(run: RunId): Promise<RunView>
  epoch(study: StudyId, epoch: number): Promise<EpochRecord>
  /** Null: the study is not accounted. */
  policy(study: StudyId): Promise<PrivacyPolicy | null>
  /** What a site's dataset has given away in all studies, as eight lanes; 0 for nothing. */
  spent(site: SiteId, dataset: Digest): Promise<bigint>
  isWithdrawn(programme: Digest, tag: Digest): Promise<boolean>
  /** Events of blocks `from` to the head, in order. */
  events(from: number, filter?: { readonly run?: RunId; readonly kinds?: readonly ChainEventBody['kind'][] }): Promise<readonly ChainEvent[]>
  /** Calls `wake` soon after anything new is on chain (and after a lost endpoint is back); returns how to stop. */
  onChange(wake: () => void): () => void
}

/**
 * Each resolves when the transaction is mined and its effect can be read.
 * @throws ROTA-5xxx with the contract's own error; late and duplicate calls have reaction 'ignore'.
 */
export interface ChainWriter {
  openRun(study: StudyId, model: ModelRef): Promise<RunId>
  /** Of accounted studies, before this site trains: charges the round's contribution to a dataset of its own. */
  charge(run: RunId, round: RoundNo, dataset: Digest): Promise<void>
  /** Of masked studies: this site's key shares are out, and it holds those of `holds`, by the deals that `heldDeals` names (hex, see core/masking/held-deals). */
  key(run: RunId, round: RoundNo, dealDigest: Digest, dealCid: Digest, holds: Bitmap, heldDeals: string): Promise<void>
  /** Of masked studies, once who keyed stands and the deals that they hold differ: shares of those that lack this site's (hex, see wire/masking/justification), or 0x. @param began of PhaseBegan, as of `contribute` */
  justify(run: RunId, round: RoundNo, justification: string, began?: Digest): Promise<void>
  /**
   * @param opening of the round when the cohort was drawn: refused once the round was opened anew. Of a masked study `began` of the phase, since masks follow from all before
   * it. Without it the call holds for any.
   */
  contribute(run: RunId, round: RoundNo, root: Digest, cid: Digest, cohortRoot: Digest, opening?: Digest): Promise<void>
  abstain(run: RunId, round: RoundNo, reason: AbstainReason): Promise<void>
  /** Begins the limit of Contributing anew, once a round, for an awaited site that would be late. */
  extend(run: RunId, round: RoundNo): Promise<void>
  witness(run: RunId, round: RoundNo, slice: number, held: Bitmap): Promise<void>
  publish(run: RunId, round: RoundNo, attempt: Attempt, sumRoot: Digest, sumCid: Digest): Promise<void>
  attest(run: RunId, round: RoundNo, attempt: Attempt, model: ModelRef, status: AttestStatus, own: Digest): Promise<void>
  /** Shows that a published sum of masked vectors is wrong: any member, alone. In parts where the frozen set is large. */
  dispute(run: RunId, round: RoundNo, evidence: DisputeEvidence): Promise<void>
  /** Moves phases on whose limits have passed; no error when none has. */
  tick(run: RunId): Promise<void>
  ready(run: RunId): Promise<void>
  /** Any member of an exact run: its cohort changed. */
  halt(run: RunId, reason: AbstainReason): Promise<void>
  publishEpoch(study: StudyId, epoch: number, commitment: Digest, bundle: Digest): Promise<void>
  /** This site cannot get or unwrap the newest epoch's key. */
  reportEpoch(study: StudyId, epoch: number): Promise<void>
  /** By the steward's account of an active site; later versions by that of the site that published the first. */
  publishTerms(programme: Digest, terms: TermsOnChain): Promise<void>
  consentRoot(programme: Digest, epoch: number, root: Digest): Promise<void>
  /** Relays a withdrawal: `signature` is the one-time key's over EIP-712 Withdraw(programme, tag). */
  withdraw(programme: Digest, blind: Digest, patientKey: Address, signature: string): Promise<void>
  /**
   * Relays many in few transactions. What was withdrawn before or is not signed by its key is passed over.
   * @returns the tags that this call withdrew
   */
  withdrawMany(programme: Digest, withdrawals: readonly RelayedWithdrawal[]): Promise<readonly Digest[]>
  /**
   * Withdraws for a patient, by the key that the programme's newest terms name: as this account, or relayed with that key's signature over
   * EIP-712 OmbudsmanWithdraw(programme, tag).
   */
  withdrawByOmbudsman(programme: Digest, tag: Digest, signature: string | null): Promise<void>
  audit(category: number, subject: Digest): Promise<void>
}

/** On chain as uint8, in this order. */
export const ABSTAIN_REASONS = [
  'unspecified',
  'belowMinRows',
  'differencing',
  'dataError',
  'maintenance',
  'cohortChanged',
  'noDisk',
  'privacySpent',
  'sumRefused',
] as const
export type AbstainReason = (typeof ABSTAIN_REASONS)[number]
