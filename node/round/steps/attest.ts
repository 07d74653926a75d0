import { sizeOf } from '#base/bitmap.ts'
import { type Digest, ZERO_DIGEST } from '#base/ids.ts'
import { decodeSum } from '#core/ring/decode.ts'
import type { AttestStatus, Publication } from '#ports/chain.ts'
import { createMemo } from '../memo.ts'
import { adds, isSmall, type Play, type Round } from '../play.ts'
import { type NamedModel, nameModel, ownProof } from '../study.ts'
import { borneOut } from './borne-out.ts'
import { noteFrozen } from './frozen.ts'
import { addFrozenSet } from './sum.ts'
import { withinBounds } from './tolerance.ts'

/** Sums up to this size are kept by everyone, for the study's life. */
const KEPT_SUM_BYTES = 1024 * 1024

/** What a site says on chain of a publication. */
interface Word {
  readonly status: AttestStatus
  readonly root: Digest
  readonly cid: Digest
  readonly own: Digest
}

const WRONG_SUM: Word = { status: 'wrongSum', root: ZERO_DIGEST, cid: ZERO_DIGEST, own: ZERO_DIGEST }

/** Checks the published sum, takes the learner's step from it, and says on chain which model came out. */
export async function attest(play: Play, round: Round, signal: AbortSignal): Promise<void> {
  const { publication } = round.view.round
  if (publication === null) return
  await noteFrozen(play, round)
  const word = await judge(play, round, publication, signal)
  if (word === WRONG_SUM) play.site.tell({ kind: 'wrong-sum', run: round.run, round: round.round, publisher: publication.publisher })
  await say(play, round, word)
}

async function judge(play: Play, round: Round, publication: Publication, signal: AbortSignal): Promise<Word> {
  const word = await takeStep(play, round, publication, signal)
  if (word === WRONG_SUM || adds(play, round) || (await borneOut(play, round, publication, signal))) return word
  return (await addFrozenSet(play, round, signal)).root === publication.sumRoot ? word : WRONG_SUM
}

/** Returns without the bytes of sum and model: they are in the store, and of a large model they would be most of a node's memory. */
async function takeStep(play: Play, round: Round, publication: Publication, signal: AbortSignal): Promise<Word> {
  const { site } = play
  const sum = await checkedSum(play, round, publication, signal)
  if (sum === null) return WRONG_SUM
  // Every attester keeps a small sum too: the log must be replayable when its publisher is gone. So its CID has to be the sum's.
  if (sum.length <= KEPT_SUM_BYTES) {
    const kept = await site.store.put(sum, 'sum', publication.sumRoot, round.key, signal)
    if (kept.cid !== publication.sumCid) return WRONG_SUM
  }
  const { named, status } = await advance(play, round, sum, publication.sumRoot)
  const own = ownProof(site, named.bytes)
  const { cid } = await site.store.put(named.bytes, 'model', named.root, round.key, signal)
  play.attested = { model: named.model, root: named.root }
  return { status, root: named.root, cid, own }
}

/**
 * The published sum, or null when it is not the sum of the frozen set. Whoever holds the updates adds them again and
 * needs nothing from the publisher; the others fetch what was published, check that it is what its root says, and wait for the
 * custodians' word before they attest.
 */
async function checkedSum(play: Play, round: Round, publication: Publication, signal: AbortSignal): Promise<Uint8Array | null> {
  if (!adds(play, round))
    return play.site.store.get({ cid: publication.sumCid, kind: 'sum', root: publication.sumRoot }, round.key, signal, [publication.publisher])
  const own = await addFrozenSet(play, round, signal)
  return own.root === publication.sumRoot ? own.bytes : null
}

/** The learner's step. A sum beyond what the protocol's bounds allow is refused: the base stays, and its refusals go up by one. */
function advance(play: Play, round: Round, sum: Uint8Array, sumRoot: Digest): Promise<{ named: NamedModel; status: AttestStatus }> {
  const memo = isSmall(round.layout) ? play.site.memo : createMemo(1)
  return memo.once(`advance ${round.base.root} ${sumRoot}`, async () => {
    const values = decodeSum(sum, round.layout, sizeOf(round.view.round.included))
    if (!withinBounds(round.layout, values)) {
      const { model } = round.base
      return { named: nameModel({ ...model, refusals: model.refusals + 1 }, play.site), status: 'refused' as const }
    }
    const { model, status } = play.study.learner.advance(round.base.model, values)
    return { named: nameModel(model, play.site), status }
  })
}

async function say(play: Play, round: Round, { status, root, cid, own }: Word): Promise<void> {
  const { site } = play
  const { attempt } = round.view.round
  await site.journal.append({ kind: 'attested', run: round.run, round: round.round, attempt, status, root, cid })
  await site.chain.attest(round.run, round.round, attempt, { root, cid }, status, own)
}
