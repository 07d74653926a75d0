import { systemRandom } from '#adapters/host/system-host.ts'
import { contractsAddress, withReader } from '#app/chain/chain-reader.ts'
import { blockSeed, readQuestion } from '#app/consent/consent-sample.ts'
import type { CohortReader } from '#app/consent/consent-verify.ts'
import { readGiven } from '#app/given-text.ts'
import { fromHex, toHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import { runId } from '#base/ids.ts'
import {
  type CohortQuestion,
  type CohortSample,
  coinBlock,
  judgeSample,
  otherThanAsked,
  readCohortSample,
  type SampleVerdict,
} from '#core/consent/cohort-sample.ts'
import { sha256 } from '../sha256.ts'
import { auditedRecord, type KnownProgramme } from './audited-programme.ts'

export type { CohortQuestion } from '#core/consent/cohort-sample.ts'

interface Where {
  readonly url: string
  readonly contracts: string
  readonly signal: AbortSignal
}

export interface AuditSampleCall extends Where {
  readonly sample: string
  /** What the auditor asked, in a file; or how many they demand where a block's hash draws: who chooses that afterwards stops before a wrong member. */
  readonly asked: string | { readonly draws: number }
  readonly known: KnownProgramme
}

/** A verdict, and the block whose hash drew; null: who asked did. */
export type AuditedSample = SampleVerdict & { readonly coinBlock: number | null }

/**
 * Draws what a site is to be asked: after its cohort went on chain, so that the site could not know.
 * @throws ROTA-6010 and 6039 nothing is on chain, 5xxx the chain
 */
export async function drawQuestion(call: Where & Omit<CohortQuestion, 'version' | 'seed'>): Promise<CohortQuestion> {
  const { url, contracts, signal, site, run, round, draws } = call
  return withReader({ chain: url, contracts: contractsAddress(contracts) }, signal, async (chain) => {
    const ofRun = await chain.events(0, { run: runId(run), kinds: ['RoundOpened', 'Contributed'] })
    if (!ofRun.some((e) => e.kind === 'RoundOpened' && e.round === round)) throw new RotaError('ROTA-6010', { run, round })
    if (!ofRun.some((e) => e.kind === 'Contributed' && e.round === round && e.site === site)) throw new RotaError('ROTA-6039', { site, run, round })
    return { version: 1, site, run, round, draws, seed: toHex(systemRandom.bytes(32)) }
  })
}

/**
 * Checks the members of a cohort that a site opened by lot against the chain, anywhere.
 * @throws ROTA-3001, 6035, 6036 files; 6037, 6038 and 6044 drawn otherwise than asked; 6042, 6043 its programme; 6010, 6039 the round; 6040 its coin is still to come; 5xxx the chain
 */
export async function auditSample(call: AuditSampleCall): Promise<AuditedSample> {
  const sample = await readSample(call.sample)
  const question = typeof call.asked === 'string' ? await readQuestion(call.asked) : call.asked
  return withReader({ chain: call.url, contracts: contractsAddress(call.contracts) }, call.signal, (chain) => judgeSampleOn(chain, sample, question, call))
}

/** @throws ROTA-6010, 6037, 6038, 6039, 6040, 6042, 6043, 6044, 5xxx */
export async function judgeSampleOn(
  chain: CohortReader,
  sample: CohortSample,
  question: CohortQuestion | { readonly draws: number },
  { sample: file, contracts, known }: Pick<AuditSampleCall, 'sample' | 'contracts' | 'known'>,
): Promise<AuditedSample> {
  if ('seed' in question) {
    const other = otherThanAsked(sample, question)
    if (other !== null) throw new RotaError('ROTA-6037', { file, other })
  } else {
    if (sample.seed !== null) throw new RotaError('ROTA-6038', { file })
    if (sample.drawn.length !== question.draws) throw new RotaError('ROTA-6044', { file, drawn: sample.drawn.length, draws: question.draws })
  }
  const record = await auditedRecord(chain, contracts, { ...sample, file }, known)
  const { site, run, round } = sample
  if (record.contributed === null) throw new RotaError('ROTA-6039', { site, run, round })
  const { block } = record.contributed
  const seed = 'seed' in question ? fromHex(question.seed) : await blockSeed(chain, block)
  return { ...judgeSample(sample, seed, record, sha256), coinBlock: 'seed' in question ? null : coinBlock(block) }
}

async function readSample(file: string): Promise<CohortSample> {
  const sample = readCohortSample(await readGiven(file))
  if (sample === null) throw new RotaError('ROTA-6035', { file })
  return sample
}
