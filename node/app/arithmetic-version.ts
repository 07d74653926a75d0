import { createHash } from 'node:crypto'
import { protocolOf } from '#app/protocol/protocol-file.ts'
import { type Digest, digest } from '#base/ids.ts'
import { rehearse } from '#core/learner/rehearse.ts'
import { generateCohort } from '#core/model/generated-cohort.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { LearnerSpec, Protocol } from '#core/protocol/protocol.ts'
import { encodeModel } from '#wire/model.ts'
import { sha256 } from './sha256.ts'

const SPECS: readonly LearnerSpec[] = [
  { kind: 'logistic', algorithm: 'newton', l2: 0, siteIntercepts: false, standardise: 'pooled', tolerance: 1e-9, maxIterations: 25 },
  { kind: 'logistic', algorithm: 'fedavg', rounds: 3, localSteps: 2, learningRate: 0.5, l2: 0.01, standardise: 'pooled' },
  { kind: 'statistics', bins: 20 },
]

let known: Promise<Digest> | null = null

/**
 * Digest of golden outputs: every model of three small runs over a cohort made from a fixed seed. A build that gives other
 * bytes must not take part, since its attestations would never agree; the protocol names the version that its study was made with.
 */
export function arithmeticVersion(): Promise<Digest> {
  known ??= goldenOutputs()
  return known
}

async function goldenOutputs(): Promise<Digest> {
  const cohort = generateCohort({ sites: 3, rows: 60, seed: 1 })
  const tables = Object.fromEntries(cohort.sites.map(({ name, table }) => [name, table]))
  const hash = createHash('sha256')
  for (const learner of SPECS) {
    const signal = new AbortController().signal
    const { models } = await rehearse(goldenProtocol(learner, cohort), tables, { sha256, random: new Seeded(7), signal })
    for (const model of models) hash.update(encodeModel(model))
  }
  return digest(`0x${hash.digest('hex')}`)
}

const goldenProtocol = (learner: LearnerSpec, cohort: ReturnType<typeof generateCohort>): Protocol =>
  protocolOf(
    {
      title: 'golden outputs',
      purpose: 'golden outputs',
      lawfulBasis: 'opt-out',
      programme: 'none',
      cohort: { rule: 'all' },
      features: cohort.features,
      label: cohort.label,
      learner,
    },
    'golden outputs',
  )
