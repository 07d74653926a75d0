/**
 * A study's protocol: all that a steward approves by its digest. Canonical form is dag-cbor after defaults
 * (wire/protocol.ts); people write it as YAML (app/protocol/protocol-file.ts checks it and fills the defaults in).
 */
export interface Protocol {
  readonly version: 1
  readonly title: string
  readonly purpose: string
  readonly lawfulBasis: 'consent' | 'opt-out'
  /** Name of the consent programme that the cohort must be granted under. */
  readonly programme: string
  readonly cohort: {
    /** In words, for stewards. */
    readonly rule: string
    /** A site with fewer train rows abstains. Default 10. */
    readonly minRows: number
    /** Upper bound of train or test rows at one site; enters the overflow check. */
    readonly maxRows: number
    /**
     * Exact learners: what a site does whose cohort is too near to one of an earlier run. Left out: it abstains, and is seen to. `rest`: it leaves out
     * some patients more, and a run whose cohort changed is halted by the leader, so that nobody outside sees whose patient withdrew.
     */
    readonly differencing?: 'rest' | undefined
  }
  readonly features: readonly Feature[]
  readonly label: Label
  readonly learner: LearnerSpec
  /** Fixed-point words of exact learners; tfjs models use 32-bit words. */
  readonly arithmetic: { readonly wordBits: 64 | 32; readonly fractionBits: number }
  /** open: members see each other's updates. masked: they see the sum and nothing else. groups: the sums of groups, and the model is in the middle of what these say. */
  readonly mode: 'open' | 'masked' | 'groups'
  readonly slices: number
  readonly minSites: number
  readonly quorum: number
  /** Sites of the study, for the overflow bound; at most 256. */
  readonly maxSites: number
  readonly limits: Readonly<Record<LimitedPhase, Limit>>
  /** A run ends after this many closed rounds, finished or not. */
  readonly maxRounds: number
  /** Auditors: X25519 public keys (0x-hex, 32 bytes) to which each epoch key is wrapped too. */
  readonly readers: readonly Reader[]
  /** Runs begin with a model of another run, and not with one made of the protocol alone. Networks only: their training goes on from there. */
  readonly start?: StartModel | undefined
  /** Where updates are hidden: before a round closes each site holds the model against its own test rows, and more than half of them can refuse it. Absent: no votes. */
  readonly validation?: ValidationSpec | undefined
  /** Differential privacy of patients. Without it the study has none, and every result of it says so. */
  readonly privacy?: PrivacySpec | undefined
}

/** Whether nobody sees a site's update. To the chain such a study is masked, whether its sums are of all or of groups. */
export const hidesUpdates = ({ mode }: Pick<Protocol, 'mode'>): boolean => mode !== 'open'

/** Whether a site whose patients changed takes part at once, less some patients, and has others halt for it. */
export const mayRest = ({ cohort }: Pick<Protocol, 'cohort'>): boolean => cohort.differencing === 'rest'

/** All but networks and fits with noise: fitted again without one patient, they show that patient in the difference (DESIGN section 8). */
export const isDeterministic = ({ learner, privacy }: Pick<Protocol, 'learner' | 'privacy'>): boolean => learner.kind !== 'neural' && privacy === undefined

/** When a site votes against a model. */
export interface ValidationSpec {
  /** So much may the mean loss over its test rows rise in one round: log loss of a binary label, else the squared error in half ranges of the label. none: nobody votes. */
  readonly tolerance: number | 'none'
  /** With fewer test rows it does not vote. */
  readonly minRows: number
}

/**
 * Noise at each site, on its own, before anything leaves it. All of it is public: none may be computed from rows. Nothing but the fit, and test metrics with
 * noise, is released: no pooled moments, no row counts.
 */
export interface PrivacySpec {
  /** Each has one row: a file with two of one is refused (ROTA-3009). */
  readonly unit: 'patient'
  /** A site's dataset takes no further part once it would have spent more than this, at `delta`, in all studies together. */
  readonly epsilon: number
  readonly delta: number
  /**
   * local: each site adds all that its patients need. distributed: masked studies that release sums; the sites of a sum make its noise together, each a share, sized for
   * the fewest that a round may have, less those who may collude.
   */
  readonly place: 'local' | 'distributed'
  /** Distributed: members who may put together what they know, so that their shares do not count. */
  readonly colluders?: number | undefined
  /** Deviation of the noise on a sum over patients, in units of what one of them can move it by. */
  readonly noise: number
  /** What that is, as an L2 norm: of a patient's gradient (networks), of its row [1, features…] over the ranges (regressions). Statistics need none: 1. */
  readonly clip: number
  /** Probability that a patient is in a step, each drawn on its own. 1 but for networks. */
  readonly samplingRate: number
  /** Steps with noise in a round. 1 but for networks. */
  readonly steps: number
  /** Networks: patients that a step is expected to draw, by which a noisy sum is divided. */
  readonly expectedBatch?: number | undefined
  /** A site with fewer patients abstains. */
  readonly minPatients: number
  /**
   * Deviation of the noise on the sums that test metrics are made from, in units of what one patient can move them by: one release after the fit, charged as a
   * round of it. Absent: no metrics are told.
   */
  readonly metrics?: number | undefined
}

/** A model that a round of another run left. Only sites that can read that run's models can take part. */
export interface StartModel {
  readonly run: number
  readonly round: number
  /** As the chain names it: 0x-hex, 32 bytes each. */
  readonly root: string
  readonly cid: string
}

export type LimitedPhase = 'keying' | 'contributing' | 'witnessing' | 'publishing' | 'attesting'
export interface Limit {
  readonly seconds: number
  readonly blocks: number
}
export interface Reader {
  readonly name: string
  readonly encryptionKey: string
}

export interface Feature {
  readonly name: string
  readonly description: string
  /** UCUM code, or "1" for a pure number or 0/1 flag. */
  readonly unit: string
  /** Valid range in `unit`, both ends included; a value beyond is an error, not a clip. Mapped to [-1, 1] before anything is summed. */
  readonly range: readonly [number, number]
  /** What to do with an empty cell. */
  readonly missing: 'refuse' | 'drop-row' | { readonly fill: number }
}

export interface Label {
  readonly name: string
  readonly description: string
  readonly unit: string
  readonly kind: 'binary' | 'number' | 'count'
  /** For `binary` always [0, 1]. */
  readonly range: readonly [number, number]
}

export type LearnerSpec = StatisticsSpec | RegressionSpec | FedAvgSpec | NeuralSpec

/** n, mean, variance, outermost range bins, histogram, quantiles, missingness per feature and label. */
export interface StatisticsSpec {
  readonly kind: 'statistics'
  readonly bins: number
}

/** Newton / Fisher scoring: moments → fit → evaluation. */
export interface RegressionSpec {
  readonly kind: 'logistic' | 'linear' | 'poisson'
  readonly algorithm: 'newton'
  /** Loss is mean negative log-likelihood + l2/2·‖w‖² over standardised slopes; the intercept is free. */
  readonly l2: number
  readonly siteIntercepts: boolean
  /** Scale on which l2 acts and results are first given. */
  readonly standardise: 'pooled' | 'none'
  /** Stops when no standardised coefficient moves by more. Default 1e-9. */
  readonly tolerance: number
  readonly maxIterations: number
}

/** FedAvg of the logistic model: full-batch local gradient steps, deterministic; weights by rows, inside the sum. */
export interface FedAvgSpec {
  readonly kind: 'logistic'
  readonly algorithm: 'fedavg'
  readonly rounds: number
  readonly localSteps: number
  readonly learningRate: number
  readonly l2: number
  readonly standardise: 'pooled' | 'none'
}

/** FedAvg of any tfjs layers model (dense now), described in JSON. */
export interface NeuralSpec {
  readonly kind: 'neural'
  readonly algorithm: 'fedavg'
  readonly layers: readonly LayerSpec[]
  readonly loss: 'binaryCrossentropy' | 'meanSquaredError'
  readonly rounds: number
  readonly localEpochs: number
  readonly batchSize: number
  readonly learningRate: number
  readonly standardise: 'pooled' | 'none'
  /** A site's update (weights after − before) is scaled to at most this L2 norm. */
  readonly normBound: number
  /** Fixed-point fraction bits of the 32-bit ring. */
  readonly fractionBits: number
  /** Seed of the initial weights, drawn from a SHA-256 counter. */
  readonly seed: string
}

/** As in the config of a tfjs layer: className 'Dense', config {units, activation, …}. */
export interface LayerSpec {
  readonly className: 'Dense'
  readonly config: { readonly units: number; readonly activation: 'linear' | 'relu' | 'sigmoid' | 'tanh'; readonly useBias: boolean }
}
