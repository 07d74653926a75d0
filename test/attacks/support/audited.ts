import { createCipheriv } from 'node:crypto'
import { auditPrivacy, type PrivacyEvidence, type PrivacyQuestion } from '#app/privacy-audit/audit-privacy.ts'
import type { AttackName, Evidence } from '#app/privacy-audit/evidence.ts'
import type { TrainNeural } from '#core/learner/learner.ts'
import { type GeneratedCohort, generateCohort } from '#core/model/generated-cohort.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { Table } from '#core/model/table.ts'
import type { Feature, LearnerSpec, PrivacySpec, Protocol } from '#core/protocol/protocol.ts'
import type { RandomSource } from '#core/ring/to-ring.ts'
import { generatedStudy } from '../../support/studies.ts'

/** As good as the system's generator for noise and masks, and the same each time. */
export function seededBytes(seed: number): RandomSource {
  const cipher = createCipheriv('aes-256-ctr', new Uint8Array(32).fill(seed), new Uint8Array(16))
  return { bytes: (length) => new Uint8Array(cipher.update(new Uint8Array(length))) }
}

export interface Asked extends Partial<Pick<PrivacyQuestion, 'models' | 'trials'>> {
  readonly learner?: LearnerSpec
  readonly mode?: Protocol['mode']
  /** What the protocol says, filled in as a file is. */
  readonly privacy?: Partial<PrivacySpec>
  /** Changed behind the protocol's back: what is said stays. */
  readonly noise?: number
  readonly attacks: readonly AttackName[]
  readonly rows?: number
  /** A feature that is foretold in place of the outcome. */
  readonly label?: string
  readonly train?: TrainNeural
}

/** Attacks a generated study; masks and noise are asked for by its protocol. */
export function audited({
  learner,
  label,
  mode = 'open',
  privacy,
  noise,
  attacks,
  rows = 200,
  train,
  models = 16,
  trials = 160,
}: Asked): Promise<PrivacyEvidence> {
  const drawn = generateCohort({ sites: 2, rows, seed: 11 })
  const cohort = label === undefined ? drawn : foretelling(drawn, label)
  const change = { features: cohort.features, label: cohort.label, ...(privacy === undefined ? {} : { privacy: privacy as PrivacySpec }) }
  const study = generatedStudy({ sites: 2, rows, ...(learner === undefined ? {} : { learner }), change })
  const { privacy: filled, ...rest } = study.protocol
  const said = filled === undefined ? {} : { privacy: { ...filled, noise: noise ?? filled.noise } }
  const tables = new Map(cohort.sites.map(({ name, table }) => [name, table]))
  const tools = { signal: new AbortController().signal, random: seededBytes(5), coin: new Seeded(7), train }
  return auditPrivacy({ protocol: { ...rest, ...said, mode }, tables, attacks, models, trials }, tools)
}

type Cohort = Pick<GeneratedCohort, 'features' | 'label' | 'sites'>

/** The same patients, one of their features as what is to be foretold. */
function foretelling({ features, sites }: Cohort, name: string): Cohort {
  const at = features.findIndex((feature) => feature.name === name)
  const { missing: _, ...label } = features[at] as Feature
  const without = ({ columns, rows, values }: Table): Table => ({
    columns: columns.filter((_, j) => j !== at),
    rows,
    values: values.filter((_, i) => i % columns.length !== at),
    label: values.filter((_, i) => i % columns.length === at),
  })
  return {
    features: features.filter((_, j) => j !== at),
    label: { ...label, kind: 'number' },
    sites: sites.map((site) => ({ ...site, table: { train: without(site.table.train), test: without(site.table.test) } })),
  }
}

export const rowOf = (evidence: PrivacyEvidence, attack: AttackName, figure = ''): Evidence => {
  const row = evidence.found.find((one) => one.attack === attack && one.figure.startsWith(figure))
  if (row === undefined) throw new TypeError(`no ${attack} ${figure} among ${evidence.found.map((one) => one.attack).join(', ')}`)
  return row
}
