import type { EthersReader } from '#adapters/chain/ethers-chain.ts'
import { drawSample } from '#adapters/cohort/draw-sample.ts'
import { readGiven } from '#app/given-text.ts'
import { atSite } from '#app/site/at-site.ts'
import { networkOf } from '#app/site/site-cohort.ts'
import type { StudyCall } from '#app/study/studies.ts'
import { fromHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import { type RoundNo, type RunId, roundNo, runId } from '#base/ids.ts'
import { type CohortQuestion, type CohortSample, coinBlock, readCohortQuestion } from '#core/consent/cohort-sample.ts'
import { declaredIn } from './consent-open.ts'

export type { CohortSample } from '#core/consent/cohort-sample.ts'

export interface SampleCall extends StudyCall {
  /** An auditor's question in a file, or what a block's hash is to draw. */
  readonly asked: string | { readonly run: RunId; readonly round: RoundNo; readonly draws: number }
}

/**
 * Opens some members of a cohort that this site declared, drawn by an auditor's seed or by the hash of a block.
 * @throws ROTA-3001, 6036 the question, 6041 one to another site, 6010 and 6039 the round, 6011 the archive, 6040 a block that is still to come
 */
export async function sampleCohort(call: SampleCall): Promise<CohortSample> {
  const question = typeof call.asked === 'string' ? await readQuestion(call.asked) : null
  const { run, round, draws } = question ?? (call.asked as Exclude<SampleCall['asked'], string>)
  return atSite(call, async (site) => {
    const { folder, chain, own } = site
    if (question !== null && question.site !== own.id) throw new RotaError('ROTA-6041', { asked: question.site, own: own.id })
    const place = { network: networkOf(folder, chain), run: runId(run), round: roundNo(round) }
    const { programme, members, granted, root, block } = await declaredIn(site, place.run, place.round)
    const seed = question === null ? await blockSeed(chain, block) : fromHex(question.seed)
    return drawSample({ vault: folder.vault, programme, site: own.id, place, root, members, granted }, seed, question !== null, draws)
  })
}

/** @throws ROTA-3001, 6036 */
export async function readQuestion(file: string): Promise<CohortQuestion> {
  const question = readCohortQuestion(await readGiven(file))
  if (question === null) throw new RotaError('ROTA-6036', { file })
  return question
}

/** What draws where nobody asks. @throws ROTA-6040 it is still to come */
export async function blockSeed(chain: Pick<EthersReader, 'head' | 'blockHash'>, contributedAtBlock: number): Promise<Uint8Array> {
  const block = coinBlock(contributedAtBlock)
  const { number } = await chain.head()
  if (number < block) throw new RotaError('ROTA-6040', { block, head: number })
  return fromHex(await chain.blockHash(block))
}
