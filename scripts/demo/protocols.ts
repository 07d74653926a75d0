import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { protocolFromData } from '#app/protocol/draft-protocol.ts'
import type { Feature, Label } from '#core/protocol/protocol.ts'
import { toCsv } from './cohort.ts'
import type { Network, Scene } from './scene.ts'

/** As many as the issue of a network of n sites needs: a phase lasts at least n + 3 blocks. */
const BLOCKS = 7
const [CONTRIBUTING_S, OTHERS_S] = [30, 9]

const EXACT = { kind: 'logistic', algorithm: 'newton' }
/** Exact too, and long: acts 5 and 6 happen while it is under way. */
const AVERAGED = { kind: 'logistic', algorithm: 'fedavg', rounds: 100, localSteps: 5, learningRate: 0.5, l2: 0.01 }
const NEURAL = {
  kind: 'neural',
  algorithm: 'fedavg',
  layers: [dense(16, 'relu'), dense(8, 'relu'), dense(1, 'sigmoid')],
  rounds: 4,
  localEpochs: 4,
  batchSize: 16,
  learningRate: 0.1,
  seed: 'rota demo',
}

/** The files of the protocols. */
export interface ProtocolFiles {
  readonly exact: string
  readonly averaged: string
  readonly neural: string
}

/** Writes the protocols as people would, in YAML. */
export async function protocols(scene: Scene, { hospitals, reader }: Network, programme: string): Promise<ProtocolFiles> {
  const { features, label } = scene.cohort.known ?? (await drafted(scene))
  const blocks = Math.max(BLOCKS, hospitals.length + 3)
  const limit = (seconds: number) => ({ seconds, blocks })
  const shared = {
    purpose: 'See which patients are at risk, so that wards can act before; results are published, rows never leave a hospital.',
    lawfulBasis: 'consent',
    programme,
    cohort: { rule: 'Adults who agreed to the programme', minRows: 10, maxRows: 10_000 },
    features,
    label,
    minSites: 3,
    quorum: 3,
    maxSites: hospitals.length,
    limits: {
      keying: limit(OTHERS_S),
      contributing: limit(CONTRIBUTING_S),
      witnessing: limit(OTHERS_S),
      publishing: limit(OTHERS_S),
      attesting: limit(OTHERS_S),
    },
    readers: [{ name: 'auditor', encryptionKey: reader.encryptionKey }],
  }
  const files = { exact: join(scene.root, 'exact.yaml'), averaged: join(scene.root, 'averaged.yaml'), neural: join(scene.root, 'neural.yaml') }
  await writeFile(files.exact, stringify({ title: `Risk of "${label.name}", exact`, ...shared, learner: EXACT }))
  await writeFile(files.averaged, stringify({ title: `Risk of "${label.name}", averaged`, ...shared, learner: AVERAGED }))
  await writeFile(files.neural, stringify({ title: `Risk of "${label.name}", neural`, ...shared, learner: NEURAL, arithmetic: { wordBits: 32 } }))
  return files
}

/**
 * Features and ranges from the columns. Stewards of a real network tell each other what ranges hold for them; the demo, which split the
 * file, looks at all of it.
 */
async function drafted({ cohort, root }: Scene): Promise<{ readonly features: readonly Feature[]; readonly label: Label }> {
  const file = join(root, 'all-rows.csv')
  await writeFile(
    file,
    toCsv(
      cohort,
      cohort.hospitals.flatMap(({ rows }) => rows),
    ),
  )
  return protocolFromData(file, { label: cohort.label, patient: 'patient' })
}

function dense(units: number, activation: 'relu' | 'sigmoid') {
  return { className: 'Dense', config: { units, activation } }
}
