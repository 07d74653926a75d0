import type { SiteId } from '#base/ids.ts'
import type { ChainWriter, Phase } from '#ports/chain.ts'
import type { JournalEntry } from '#ports/journal.ts'

/** What goes wrong in a simulated world. Plain data: print it, and the run can be told and played again. */
export interface FaultPlan {
  readonly gossip: GossipFaults
  /** Probability that an object that was asked for does not arrive. */
  readonly fetchLoss: number
  readonly crashes: readonly Crash[]
  /** Never let a publication leave, and say nothing: a leader that is passed over. */
  readonly silent: readonly SiteId[]
  /** Publish sums with one bit turned, under a matching root. */
  readonly liars: readonly SiteId[]
  /** Keep back what others ask of them: updates on chain that no custodian can fetch. */
  readonly withholding: readonly SiteId[]
  /** What else some do on purpose. */
  readonly lies: readonly { readonly site: SiteId; readonly lie: Lie }[]
  /** A site that is no founder, and is admitted when a disturbance says so: the one with the highest id. */
  readonly joining: SiteId | null
  /** Sites that start later than the others. */
  readonly late: readonly { readonly site: SiteId; readonly afterMs: number }[]
  /** A site's clock minus the world's. */
  readonly clockOffsets: readonly { readonly site: SiteId; readonly offsetMs: number }[]
  /** Sites whose training takes from so long to so long: longer than the others wait, without more time. */
  readonly training: readonly { readonly site: SiteId; readonly ms: readonly [number, number] }[]
  /** What happens at a moment of the run. */
  readonly disturbances: readonly Disturbance[]
  /** So many sites may be in trouble at one time, liars counted in: what would make it more does not happen, but for outages. null: any number. */
  readonly mostInTrouble: number | null
}

export interface GossipFaults {
  /** Probability that one receiver misses a message. */
  readonly loss: number
  /** Probability that one receiver gets it twice. */
  readonly duplicate: number
  /** Probability that one receiver gets it `slowMs` later, after others that were sent later. */
  readonly delay: number
  readonly slowMs: number
}

/** Where a site's work can be seen from outside: each is a moment before and a moment after. */
export type CrashPoint = `journal.${JournalEntry['kind']}` | `chain.${keyof ChainWriter}` | 'store.put' | 'store.get' | 'gossip.publish'

/** The site dies at that moment; what it had in memory is gone, its disk stays. */
export interface Crash {
  readonly site: SiteId
  readonly point: CrashPoint
  /** `torn`: while the entry is being written to the journal; what is there of it is no entry. */
  readonly when: 'before' | 'after' | 'torn'
  /** At the nth time it gets there, from 1, over all its lives. */
  readonly nth: number
  /** null: it stays down. */
  readonly backAfterMs: number | null
}

/** What a site does against the others on purpose. The node is honest; what it says is changed on its way out. */
export const LIES = [
  /** Publishes a sum with one bit turned, under its right root. */
  'wrong-sum',
  /** Publishes a root that no bytes have. */
  'wrong-root',
  /** Publishes the right root under the name of another object. */
  'wrong-cid',
  /** Gives different bytes to different sites. */
  'equivocation',
  /** Commits a vector of random bytes, of the right length or not. */
  'garbage-vector',
  'withheld-vector',
  'withheld-publication',
  /** Attests that each sum is wrong. */
  'cries-wrong-sum',
  /** Attests that a wrong sum is right, with a model on which all who do so agree. */
  'bears-out-wrong-sum',
  /** Attests of a wrong sum what somebody else attests of it. */
  'echoes-attestation',
  /** Tells other sums of its slices than it added up. */
  'wrong-slice-word',
  /** Adds its slices up with one bit turned, keeps what came out, and tells of that; all who do so get the same. */
  'wrong-slice',
  /** Tells half of the others of such a slice, and the rest of the true one. */
  'two-slices',
  /** Tells nobody what its slices are. */
  'withheld-slice-word',
  /** Gives half of those who ask it other bytes than they asked for. */
  'other-bytes',
  /** As a custodian, names updates that it does not hold. */
  'claims-unheld',
  /** As a custodian, names only some of what it holds, or nothing. */
  'denies-held',
  /** As a custodian, says nothing. */
  'witnesses-nothing',
  /** Reports good keys as bad, so that another has to be drawn. */
  'reports-keys',
  'gossip-spam',
  'chain-spam',
] as const

/** Of masked rounds alone. */
export const MASKING_LIES = [
  /** Deals parcels of which some do not open. */
  'garbage-deal',
  /** Tells of parcels that it gives to nobody. */
  'withheld-parcel',
  /** Shows other shares than it was given. */
  'wrong-share',
  'withheld-shares',
  /** Deals to some what it does not deal to the others. */
  'two-deals',
  /** Keys without naming one honest site's deal as held, another each time, and drops out. */
  'leaves-out',
  /** Keys as if it held nobody's deal: everybody has to show its shares. */
  'false-complaints',
  /** Deals to itself and to a few others what opens, and shows no shares. */
  'chosen-holders',
  /** Shows nothing, or other shares than it dealt, for those who do not hold its deal. */
  'false-justification',
  /** Shares out another secret than it promises, to all or to some. */
  'other-secret',
  /** Gives those above it secrets of their pairs that its seed does not make, hides those of others under another pad, and drops out once it keyed. */
  'false-pairs',
] as const

/** Those that leave a sum which nobody can unmask, though all show what they hold: it is refused, and all others repeat it. */
export const FALSE_DEALINGS: readonly Lie[] = ['other-secret', 'false-pairs']

/** What masks hide: random words, or numbers inside the bounds that spoil the model; from a run's second round on. A round that has it is refused. */
export const HIDDEN_LIES = ['hidden-garbage', 'hidden-poison'] as const
export type Lie = (typeof LIES)[number] | (typeof MASKING_LIES)[number] | (typeof HIDDEN_LIES)[number]

export interface Moment {
  readonly round: number
  readonly phase: Phase
  readonly afterMs: number
}

/** Somebody by place in the round that is then open, or by id. */
export type Who = SiteId | 'leader' | 'standby'

export type Disturbance = { readonly at: Moment } & DisturbanceBody

export type DisturbanceBody =
  | { readonly kind: 'kill'; readonly who: Who; readonly backAfterMs: number }
  /** Killed, and its data folder replaced by the copy that was made when the run opened or at the last `copy`. */
  | { readonly kind: 'restore'; readonly who: Who; readonly backAfterMs: number }
  | { readonly kind: 'copy'; readonly who: Who }
  /** Some of what lies in its store can no longer be read. */
  | { readonly kind: 'lost-blocks'; readonly who: Who; readonly share: number }
  /** Nothing more can be written, or, where it is `filling`, no new work is taken on. */
  | { readonly kind: 'disk-full'; readonly who: Who; readonly lastsMs: number; readonly filling?: boolean }
  | { readonly kind: 'slow'; readonly who: Who; readonly byMs: number; readonly lastsMs: number }
  /** Its clock jumps, and stays there. */
  | { readonly kind: 'clock-jump'; readonly who: Who; readonly byMs: number }
  | { readonly kind: 'endpoint-away'; readonly who: Who; readonly lastsMs: number }
  | { readonly kind: 'endpoint-behind'; readonly who: Who; readonly byMs: number; readonly lastsMs: number }
  | { readonly kind: 'endpoint-forgetful'; readonly who: Who; readonly lastsMs: number }
  /** The group reaches only itself, with or without its way to the chain. */
  | { readonly kind: 'partition'; readonly group: readonly SiteId[]; readonly chainToo: boolean; readonly lastsMs: number }
  /** The chain loses its last blocks; of their transactions some are mined again. */
  | { readonly kind: 'reorganisation'; readonly blocks: number; readonly returned: number }
  /** It loses the set that the present round was frozen with, and who was in it may be gone: what no chain should do that was said to be final. */
  | { readonly kind: 'deep-reorganisation'; readonly returned: number; readonly goneMs: number }
  /** The chain makes no block, and then time jumps. */
  | { readonly kind: 'no-blocks'; readonly lastsMs: number }
  /** Its endpoint shows another chain under the same id, until a person mends that and starts the node again. */
  | { readonly kind: 'other-chain'; readonly who: Who; readonly lastsMs: number }
  /** Its engineer announces maintenance. */
  | { readonly kind: 'rest'; readonly who: Who; readonly lastsMs: number }
  /** Its steward takes it out of the study, and approves again. */
  | { readonly kind: 'approval-withdrawn'; readonly who: Who; readonly lastsMs: number }
  /** So many stewards do that too few sites are left: the study stands still. */
  | { readonly kind: 'study-stopped'; readonly group: readonly SiteId[]; readonly lastsMs: number }
  /** Its steward ends its membership for good. */
  | { readonly kind: 'resign'; readonly who: Who }
  /** Another account takes the place of its node's or steward's; the node is down until that stands on chain. */
  | { readonly kind: 'new-account'; readonly who: Who; readonly role: 'node' | 'steward'; readonly lastsMs: number }
  /** The site that is no founder is admitted; its steward approves the study so much later. */
  | { readonly kind: 'admission'; readonly lastsMs: number }
  /** One of its patients withdraws: an exact run must stop. */
  | { readonly kind: 'withdrawal'; readonly who: Who }
  /** So many are down, or cut off, that no majority is left: nothing may be lost by it. */
  | { readonly kind: 'outage'; readonly group: readonly SiteId[]; readonly how: 'down' | 'cut'; readonly lastsMs: number }

export const NO_FAULTS: FaultPlan = {
  gossip: { loss: 0, duplicate: 0, delay: 0, slowMs: 0 },
  fetchLoss: 0,
  crashes: [],
  silent: [],
  liars: [],
  withholding: [],
  lies: [],
  joining: null,
  late: [],
  clockOffsets: [],
  training: [],
  disturbances: [],
  mostInTrouble: null,
}

/** The moments of an ordinary round, in its order. */
export const CRASH_POINTS: readonly CrashPoint[] = [
  'store.get',
  'store.put',
  'journal.contributed',
  'chain.contribute',
  'gossip.publish',
  'journal.witnessed',
  'chain.witness',
  'journal.frozen',
  'journal.published',
  'chain.publish',
  'journal.attested',
  'chain.attest',
  'journal.adopted',
  'chain.tick',
]
