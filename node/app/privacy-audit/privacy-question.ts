import { splitBySite } from '#adapters/cohort/split-by-site.ts'
import { systemRandom } from '#adapters/host/system-host.ts'
import { createTrainer } from '#adapters/training/trainer.ts'
import { protocolOf, readProtocol } from '#app/protocol/protocol-file.ts'
import { reportHtml } from '#app/results/report.ts'
import { writeText } from '#app/results/results-csv.ts'
import { simulate } from '#app/simulate/simulate.ts'
import { checkAgainst, type SimulateOptions } from '#app/simulate/simulate-options.ts'
import { type SimulatedStudy, simulatedStudy } from '#app/simulate/simulate-study.ts'
import { RotaError } from '#base/errors.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { auditPrivacy, type PrivacyEvidence, QUICK } from './audit-privacy.ts'
import { ATTACKS, type AttackName } from './evidence.ts'
import { evidencePage, evidenceSection } from './evidence-tables.ts'

export interface PrivacyAuditOptions extends SimulateOptions {
  /** Of a study without a protocol: what it would promise. */
  readonly epsilon?: number | undefined
  readonly delta?: number | undefined
  readonly attacks?: readonly string[]
  readonly slow?: boolean
  readonly models: number
  readonly trials: number
  readonly report?: string | undefined
}

export interface AuditTools {
  readonly signal: AbortSignal
  readonly tell: (text: string) => void
}

/**
 * Attacks a study that is described as `rota simulate` takes it; with `report` the study is played too, and its report says what was found.
 * @throws ROTA-6411 to 6413 the question; as `simulate` rows, protocol and learner
 */
export async function askPrivacy(options: PrivacyAuditOptions, { signal, tell }: AuditTools): Promise<PrivacyEvidence> {
  const attacks = attacksOf(options)
  const study = await studyOf(options)
  const protocol = promised(study, options)
  checkEnough(study)
  const trainer = protocol.learner.kind === 'neural' ? createTrainer() : null
  try {
    const tools = { signal, tell, random: systemRandom, coin: new Seeded(options.seed ?? 1), train: trainer?.train }
    const { models, trials } = options
    const evidence = await auditPrivacy({ protocol, tables: study.tables, attacks, models, trials: 2 * Math.ceil(trials / 2) }, tools)
    if (options.report !== undefined) await writeText(options.report, await reportOf(evidence, study, options, { signal, tell }))
    return evidence
  } finally {
    await trainer?.stop()
  }
}

/** The report of the study as it is played, with what was found; of a study that only might promise this, or has too few sites here, what was found alone. */
async function reportOf(
  evidence: PrivacyEvidence,
  { protocol, tables }: SimulatedStudy,
  options: PrivacyAuditOptions,
  { signal, tell }: AuditTools,
): Promise<string> {
  if (options.epsilon !== undefined || tables.size < protocol.minSites) return evidencePage(evidence)
  tell('the study itself')
  const { view } = await simulate(options, { signal })
  return reportHtml(view, evidenceSection(evidence))
}

/** With a protocol the rows of one site are enough: a hospital attacks its own. */
async function studyOf(options: PrivacyAuditOptions): Promise<SimulatedStudy> {
  const { data, protocol: file } = options
  if (data === undefined || file === undefined) return simulatedStudy(options)
  const protocol = await readProtocol(file)
  checkAgainst(protocol, options)
  const all = [...(await splitBySite(data, protocol))]
  const enough = all.filter(([, { train }]) => train.rows >= protocol.cohort.minRows)
  const leftOut = all.filter(([, { train }]) => train.rows < protocol.cohort.minRows).map(([site]) => site)
  if (enough.length === 0) throw new RotaError('ROTA-1103', { found: 0, minRows: protocol.cohort.minRows, needed: 1, leftOut: leftOut.join(', ') || 'none' })
  return { protocol, tables: new Map(enough), leftOut, truth: null }
}

function attacksOf({ attacks = [], slow = false }: PrivacyAuditOptions): readonly AttackName[] {
  for (const attack of attacks) if (!ATTACKS.some((known) => known === attack)) throw new RotaError('ROTA-6411', { attack, known: ATTACKS.join(', ') })
  if (attacks.length > 0) return attacks as readonly AttackName[]
  return slow ? ATTACKS : QUICK
}

/** A protocol says all about its study; generated rows and bare data have a study that is made for the occasion. */
function promised({ protocol }: SimulatedStudy, { protocol: file, epsilon, delta }: PrivacyAuditOptions): Protocol {
  if ((epsilon === undefined) !== (delta === undefined)) throw new RotaError('ROTA-6413')
  if (epsilon === undefined || delta === undefined) return protocol
  if (file !== undefined) throw new RotaError('ROTA-1102', { option: '--epsilon, --delta', other: '--protocol, which says it' })
  const { maxRounds: _, mode, ...written } = protocol
  const { maxIterations: __, ...learner } = written.learner as Protocol['learner'] & { readonly maxIterations?: number }
  // What masks ask of a study is not what is asked here: a rehearsal may have fewer sites.
  return { ...protocolOf({ ...written, mode: 'open', learner, privacy: { epsilon, delta } }, 'the study'), mode }
}

/** Fewer patients than this say nothing whatever is found. */
const LEAST_PATIENTS = 40

function checkEnough({ tables }: SimulatedStudy): void {
  const [site, patients] = [...tables].map(([name, { train }]) => [name, train.rows] as const).reduce((a, b) => (b[1] < a[1] ? b : a))
  if (patients < LEAST_PATIENTS) throw new RotaError('ROTA-6412', { site, patients, least: LEAST_PATIENTS })
}
