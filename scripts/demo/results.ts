/** What `npm start -- --json` prints: these keys, null where a value is not defined. */
export interface DemoResults {
  /** All seven acts were as they should be. */
  readonly ok: boolean
  /** From the first line of the play to the end of clean-up; set-up is not in it. */
  readonly seconds: number
  readonly data: { readonly source: string; readonly rows: Readonly<Record<string, { readonly train: number; readonly test: number }>> }
  readonly network: NetworkResult
  readonly study: {
    readonly exact: StudyResult
    readonly averaged: StudyResult
    readonly neural: StudyResult
    readonly consents: Readonly<Record<string, number>>
  }
  readonly exact: ExactResult
  readonly neural: NeuralResult
  readonly leader: LeaderResult
  readonly withdrawal: WithdrawalResult
  readonly audit: AuditResult
}

export interface NetworkResult {
  readonly contracts: string
  readonly founders: readonly string[]
  /** The hospitals that asked to join, each with the members' votes for it. */
  readonly votedIn: readonly { readonly name: string; readonly votes: number }[]
  /** Process of each hospital's node. */
  readonly processes: Readonly<Record<string, number>>
}

export interface StudyResult {
  readonly study: number
  readonly digest: string
  readonly approvedBy: readonly string[]
}

export interface RoundResult {
  readonly round: number
  readonly stage: string
  /** closed, refused, void, or halted */
  readonly state: string
  readonly leader: string
  /** Who published the sum: another when a standby took over. */
  readonly publisher: string | null
  readonly included: readonly string[]
  readonly missing: readonly string[]
  /** Peer to peer, of the hospital that tells: the chain's traffic is not in it. */
  readonly bytesIn: number
  readonly bytesOut: number
  /** By the demo's clock, since the round before ended. */
  readonly seconds: number
  /** Largest move of a coefficient or weight. */
  readonly change: number | null
  readonly modelRoot: string | null
}

export interface RunResult {
  readonly run: number
  readonly state: string
  readonly modelRoot: string
  readonly rounds: readonly RoundResult[]
}

export interface Worth {
  readonly n: number
  readonly accuracy: number | null
  readonly auc: number | null
}

/** What the network computed beside the same model fitted on pooled rows. Per unit of each column, "(intercept)" last. */
export interface Comparison {
  readonly columns: readonly string[]
  readonly coef: readonly number[]
  readonly se: readonly number[]
  readonly oddsRatio: readonly number[]
  readonly ci95: readonly (readonly [number, number])[]
  /** Of the slopes. */
  readonly p: readonly number[]
  readonly pooled: { readonly coef: readonly number[]; readonly se: readonly number[]; readonly p: readonly number[] }
  /** Largest |network − pooled|; for numbers above 1, relative to them. */
  readonly difference: { readonly coef: number; readonly se: number; readonly p: number }
}

export interface ExactResult extends RunResult, Comparison {
  /** Of generated rows: what they were made with, and how many 95 % intervals hold it. */
  readonly truth: { readonly coef: readonly number[]; readonly covered: number } | null
  /** On each hospital's own test rows: the joint model, and the one that it would have alone. */
  readonly sites: Readonly<Record<string, { readonly joint: Worth; readonly alone: Worth | null; readonly problem: string | null }>>
}

export interface NeuralResult extends RunResult {
  /** What each hospital trained with. */
  readonly backends: Readonly<Record<string, string>>
  readonly weights: number
  readonly sites: Readonly<Record<string, Worth>>
}

export interface LeaderResult {
  readonly run: number
  readonly round: number
  readonly killed: string
  readonly killedPid: number
  readonly publisher: string
  /** From the kill to the round's close. */
  readonly secondsToClose: number
  /** From the new start to its next contribution. */
  readonly secondsToCatchUp: number
  readonly caughtUpInRound: number
}

export interface WithdrawalResult {
  /** The run that the first withdrawal halted, and in which round. */
  readonly halted: { readonly run: number; readonly round: number }
  readonly abstained: { readonly run: number; readonly hospital: string; readonly reason: string; readonly detail: string }
  /** Tags withdrawn on chain, by hospital. */
  readonly withdrawn: Readonly<Record<string, number>>
  /** The run without them, against the pooled fit without them. */
  readonly run: RunResult & { readonly difference: Comparison['difference'] }
  /** Withdrawn tags shown absent from every cohort of that run, against the roots on chain; and rounds in which one was found. */
  readonly absent: number
  readonly found: number
}

export interface AuditResult {
  readonly rounds: number
  readonly ok: boolean
  /** How often each verdict was given. */
  readonly verdicts: Readonly<Record<string, number>>
  /** After one byte of a stored sum was changed. */
  readonly tampered: {
    readonly run: number
    readonly round: number
    readonly object: string
    readonly leaf: number
    readonly ok: boolean
    readonly message: string
  }
}
