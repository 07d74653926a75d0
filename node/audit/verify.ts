import { RotaError } from '#base/errors.ts'
import type { RunId } from '#base/ids.ts'
import type { ChainReader } from '#ports/chain.ts'
import type { BlockSource } from './block-source.ts'
import { EpochKeys } from './epoch-keys.ts'
import type { ReaderKey } from './reader-key.ts'
import type { AuditReport, Fault, RoundReport } from './report.ts'
import type { Base } from './round-input.ts'
import { type RunLog, readLog } from './run-log.ts'
import { type LearnerFor, loadStudyAudit, type StudyAudit } from './study-audit.ts'
import { knownModel } from './verify-model.ts'
import { type RoundOutcome, verifyRound } from './verify-round.ts'

/** What an audit is given: the log, places to find blocks, a reader's key, and the definition of the learner's step. */
export interface AuditInput {
  readonly chain: Pick<ChainReader, 'chainId' | 'genesis' | 'coordinator' | 'events'>
  readonly sources: readonly BlockSource[]
  readonly reader: ReaderKey
  readonly learnerFor: LearnerFor
  /** Only this run. */
  readonly run?: RunId
  /** Called after each round, for progress. */
  readonly tell?: (round: RoundReport) => void
}

/**
 * Recomputes every round that ended with a model, oldest first, from the chain's log and the stores, and trusts neither publisher,
 * attester nor store: all sums, trees, decryptions and CIDs are this folder's own. The chain is trusted to have run its contracts.
 * @throws ROTA-6401 when the key is no reader of any study that has rounds
 */
export async function verifyLog(input: AuditInput): Promise<AuditReport> {
  const log = readLog(await input.chain.events(0))
  const keys = new EpochKeys(input.chain, input.sources, input.reader)
  const studies = new Map<number, StudyAudit>()
  const outcomes: RoundOutcome[] = []
  const access = { wanted: 0, refused: 0 }
  for (const run of log.runs) {
    const study = log.studies.get(run.study)
    if (study === undefined || (input.run !== undefined && run.run !== input.run)) continue
    const loaded = studies.get(run.study) ?? (await loadStudyAudit(study, input.sources, input.learnerFor))
    studies.set(run.study, loaded)
    outcomes.push(...(await verifyRun(run, loaded, keys, input, access)))
  }
  if (access.wanted > 0 && access.refused === access.wanted) throw new RotaError('ROTA-6401', { reader: input.reader.publicKey })
  return gather(outcomes)
}

async function verifyRun(
  run: RunLog,
  study: StudyAudit,
  keys: EpochKeys,
  input: AuditInput,
  access: { wanted: number; refused: number },
): Promise<RoundOutcome[]> {
  const outcomes: RoundOutcome[] = []
  let base: Base = firstBase(run, study)
  for (const round of run.rounds) {
    const { ended } = round
    if (ended === null || ended.kind === 'RoundVoid') continue
    const key = await keys.of(study.log, round.opened.epoch)
    access.wanted += 1
    if (!key.reader) access.refused += 1
    const outcome = await verifyRound({ chain: input.chain, run, round, ended, study, key, base, sources: input.sources })
    outcomes.push(outcome)
    input.tell?.(outcome.report)
    base = { root: ended.modelRoot, cid: ended.modelCid, known: outcome.model, stray: null }
  }
  return outcomes
}

/** The model that a run starts from is made of the protocol alone, or is the one that it names of another run: anything else was slipped in. */
function firstBase(run: RunLog, study: StudyAudit): Base {
  const named = study.protocol?.start?.root
  if (named !== undefined)
    return {
      ...run.initial,
      known: null,
      stray: named === run.initial.root ? null : `the run began with model ${run.initial.root}, and its protocol names ${named}`,
    }
  const initial = study.learner && knownModel(study.learner.initial())
  if (initial === null || initial.root === run.initial.root) return { ...run.initial, known: initial, stray: null }
  return { ...run.initial, known: null, stray: `the run began with model ${run.initial.root}, and its protocol makes ${initial.root}` }
}

function gather(outcomes: readonly RoundOutcome[]): AuditReport {
  const faults: Fault[] = outcomes.flatMap((outcome) => outcome.faults)
  return {
    rounds: outcomes.map((o) => o.report),
    faults,
    notes: [...new Set(outcomes.flatMap((o) => o.notes)), ...missingReleases(outcomes)],
    ok: faults.length === 0 && outcomes.every((o) => o.unmasked),
  }
}

/** One site's is enough for a round, and a site keeps its own alone: a line a run says whose were not looked at. */
function missingReleases(outcomes: readonly RoundOutcome[]): string[] {
  const runs = new Map<RunId, { readonly rounds: number; readonly sites: ReadonlySet<number> }>()
  for (const { report, missing, unmasked } of outcomes) {
    if (missing.length === 0 || !unmasked) continue
    const of = runs.get(report.run) ?? { rounds: 0, sites: new Set() }
    runs.set(report.run, { rounds: of.rounds + 1, sites: new Set([...of.sites, ...missing]) })
  }
  return [...runs].map(([run, { rounds, sites }]) => {
    const named = [...sites].sort((a, b) => a - b).join(', ')
    return `run ${run}: what site ${named} released is not in the stores, for ${rounds} of its rounds; the masks came off without it`
  })
}
