import { z } from 'zod'
import type { LearnerSpec, NeuralSpec } from '#core/protocol/protocol.ts'

const name = z.string().trim().min(1, 'may not be empty').max(100)
const text = z.string().max(2000)
const whole = z.int()
const finite = z.number()
const range = z.tuple([finite, finite]).refine(([low, high]) => low < high, 'the first number must be smaller than the second')
const rate = finite.positive().max(100)
const penalty = finite.min(0).max(1e6).default(0)
const standardise = z.enum(['pooled', 'none']).default('pooled')
const rounds = whole.min(1).max(100_000)
const digest = z.string().regex(/^0x[0-9a-f]{64}$/, 'write 0x and 64 lower-case hex digits')

const feature = z.strictObject({
  name,
  description: text.default(''),
  unit: z.string().min(1).max(40).default('1'),
  range,
  missing: z.union([z.enum(['refuse', 'drop-row']), z.strictObject({ fill: finite })], 'write refuse, drop-row, or {fill: number}').default('refuse'),
})

const label = z.strictObject({
  name,
  description: text.default(''),
  unit: z.string().min(1).max(40).default('1'),
  kind: z.enum(['binary', 'number', 'count']).optional(),
  range: range.optional(),
})

const limit = z.strictObject({ seconds: whole.min(1).max(30 * 86400), blocks: whole.min(1).max(1_000_000) })

const layer = z.strictObject({
  className: z.literal('Dense', 'only Dense layers can be trained now'),
  config: z.strictObject({
    units: whole.min(1).max(65_536),
    activation: z.enum(['linear', 'relu', 'sigmoid', 'tanh']).default('linear'),
    useBias: z.boolean().default(true),
  }),
})

const newton = <K extends 'logistic' | 'linear' | 'poisson'>(kind: K) =>
  z.strictObject({
    kind: z.literal(kind),
    algorithm: z.literal('newton').default('newton'),
    l2: penalty,
    siteIntercepts: z.boolean().default(false),
    standardise,
    tolerance: finite.positive().max(0.1).default(1e-9),
    maxIterations: whole.min(1).max(1000).default(25),
  })

const fedavg = z.strictObject({
  kind: z.literal('logistic'),
  algorithm: z.literal('fedavg'),
  rounds,
  localSteps: whole.min(1).max(100_000).default(5),
  learningRate: rate,
  l2: penalty,
  standardise,
})

const neural = z.strictObject({
  kind: z.literal('neural'),
  algorithm: z.literal('fedavg').default('fedavg'),
  layers: z.array(layer).min(1, 'at least one layer').max(100),
  loss: z.enum(['binaryCrossentropy', 'meanSquaredError']).default('binaryCrossentropy'),
  rounds,
  localEpochs: whole.min(1).max(10_000).default(1),
  batchSize: whole.min(1).max(65_536).default(32),
  learningRate: rate,
  standardise,
  normBound: finite.positive().max(1e6).default(10),
  fractionBits: whole.min(1).max(30).optional(),
  seed: z.string().min(1).max(200).default('rota'),
})

const statistics = z.strictObject({ kind: z.literal('statistics'), bins: whole.min(2).max(1000).default(100) })

const validation = z.strictObject({
  tolerance: z.union([z.literal('none'), finite.positive().max(32)], 'write a number above 0, at most 32, or none').default(0.25),
  minRows: whole.min(1).max(1e9).default(10),
})

/** Ranges are checked with the learner, each with an error of its own (core/protocol/check-privacy.ts). */
const privacy = z.strictObject({
  unit: z.literal('patient', 'write patient: each has one row, and is protected as a whole').default('patient'),
  epsilon: finite,
  delta: finite,
  noise: finite.optional(),
  clip: finite.default(1),
  place: z.enum(['local', 'distributed']).default('local'),
  colluders: whole.min(0).max(256).optional(),
  samplingRate: finite.optional(),
  steps: whole.optional(),
  expectedBatch: finite.optional(),
  minPatients: whole.optional(),
  metrics: z.union([z.literal('none'), finite], 'write a number, or none').optional(),
})

/** What is left out follows from the learner and from the limit. */
export type WrittenPrivacy = z.infer<typeof privacy>

/** Fraction bits that are left out follow from the norm bound and the number of sites. */
export type WrittenLearner = Exclude<LearnerSpec, NeuralSpec> | (Omit<NeuralSpec, 'fractionBits'> & { readonly fractionBits?: number | undefined })

export const LEARNER_KINDS = ['statistics', 'logistic', 'linear', 'poisson', 'neural'] as const
export const ALGORITHMS = ['newton', 'fedavg'] as const

/** One schema per kind and algorithm, so that a mistake is explained for the learner that was meant. */
export function learnerSchema(kind: (typeof LEARNER_KINDS)[number], algorithm: unknown): z.ZodType<WrittenLearner> {
  if (kind === 'statistics') return statistics
  if (kind === 'neural') return neural
  if (kind === 'logistic' && algorithm === 'fedavg') return fedavg
  return newton(kind)
}

/** What may be written; what is left out and depends on other keys is filled in by protocol-file.ts. */
export const protocolSchema = (learner: z.ZodType<WrittenLearner>) =>
  z.strictObject({
    version: z.literal(1, 'this software knows version 1 only').default(1),
    title: name,
    purpose: text.min(1, 'may not be empty'),
    lawfulBasis: z.enum(['consent', 'opt-out']),
    programme: name,
    cohort: z.strictObject({
      rule: text.min(1, 'may not be empty'),
      minRows: whole.min(1).max(1e9).default(10),
      maxRows: whole.min(1).max(1e9).default(100_000),
      differencing: z.enum(['abstain', 'rest']).default('abstain'),
    }),
    features: z.array(feature).min(1, 'at least one feature').max(10_000),
    label,
    learner,
    arithmetic: z.strictObject({ wordBits: z.union([z.literal(32), z.literal(64)]).optional(), fractionBits: whole.min(16).max(40).optional() }).default({}),
    mode: z.enum(['open', 'masked', 'groups']).default('open'),
    slices: whole.min(1).max(256).default(1),
    minSites: whole.min(1).max(256).default(3),
    quorum: whole.min(1).max(256).optional(),
    maxSites: whole.min(1).max(256).default(16),
    limits: z
      .strictObject({
        keying: limit.optional(),
        contributing: limit.optional(),
        witnessing: limit.optional(),
        publishing: limit.optional(),
        attesting: limit.optional(),
      })
      .default({}),
    maxRounds: rounds.optional(),
    readers: z
      .array(z.strictObject({ name, encryptionKey: z.string().regex(/^0x[0-9a-f]{64}$/, 'an X25519 public key: 0x and 64 lower-case hex digits') }))
      .max(200)
      .default([]),
    start: z.strictObject({ run: whole.min(1), round: whole.min(1), root: digest, cid: digest }).optional(),
    validation: validation.optional(),
    privacy: privacy.optional(),
  })

export type WrittenProtocol = z.infer<ReturnType<typeof protocolSchema>>

type Written<T> = T extends object ? { readonly [K in keyof T]: Written<T[K]> } : T
type DraftLearner = z.input<typeof statistics | typeof neural | typeof fedavg | ReturnType<typeof newton>>

/** A protocol as a program writes one: what has a default, or follows from other keys, may be left out. */
export type DraftProtocol = Written<Omit<z.input<ReturnType<typeof protocolSchema>>, 'learner'> & { learner: DraftLearner }>
