import { parseProtocol, protocolToYaml } from '#app/protocol-file.ts'
import { generateCohort } from '#core/model/generated-cohort.ts'
import type { LearnerSpec, Protocol } from '#core/protocol/protocol.ts'

export const LOGISTIC: LearnerSpec = {
  kind: 'logistic',
  algorithm: 'newton',
  l2: 0,
  siteIntercepts: false,
  standardise: 'pooled',
  tolerance: 1e-9,
  maxIterations: 25,
}

/** A study over a generated cohort: what most tests play. */
export function generatedStudy(options: { sites: number; rows?: number; seed?: number; learner?: LearnerSpec; change?: Partial<Protocol> }) {
  const cohort = generateCohort({ sites: options.sites, rows: options.rows ?? 120, seed: options.seed ?? 1 })
  const draft = {
    title: 'Readmission within 30 days',
    purpose: 'Tests',
    lawfulBasis: 'opt-out',
    programme: 'tests',
    cohort: { rule: 'all rows' },
    features: cohort.features,
    label: cohort.label,
    learner: options.learner ?? LOGISTIC,
    minSites: Math.min(3, options.sites),
    quorum: Math.min(3, options.sites),
    limits: Object.fromEntries(
      ['keying', 'contributing', 'witnessing', 'publishing', 'attesting'].map((phase) => [
        phase,
        { seconds: phase === 'contributing' ? 30 : Math.max(9, options.sites + 3), blocks: options.sites + 3 },
      ]),
    ),
    ...options.change,
  }
  const protocol = parseProtocol(protocolToYaml(draft as unknown as Protocol), 'test')
  return { cohort, protocol, sites: cohort.sites.map(({ name, table }) => ({ name, rows: table })) }
}
