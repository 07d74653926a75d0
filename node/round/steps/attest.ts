import { sitesOf } from '#base/bitmap.ts'
import { release } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import { type Digest, ZERO_DIGEST } from '#base/ids.ts'
import { slicesOf } from '#core/commit/slices.ts'
import type { Disproof } from '#core/masking/rebuild.ts'
import type { AttestStatus, Publication } from '#ports/chain.ts'
import { heardDisproofs, keepDisproofs, leaveOut, together } from '#round/masking/disproofs.ts'
import { isMasked } from '#round/masking/masked-round.ts'
import { keepUnmasking, type Unmasked, unmask } from '#round/masking/unmask.ts'
import { INLINE_VECTOR_BYTES } from '#wire/announce.ts'
import { cutOf, isSmall } from '../custody.ts'
import type { Play, Round } from '../play.ts'
import { type NamedModel, nameModel, ownProof } from '../study.ts'
import { isOwnStep } from '../take-over.ts'
import { agreedToAttest } from './agreed.ts'
import { noteFrozen } from './frozen.ts'
import { type GatheredSum, gatherSum } from './gather.ts'
import { judge } from './judge.ts'
import type { Step } from './judgement.ts'
import { wholeSum } from './whole-sum.ts'

/** What a site says on chain of a publication. */
interface Word {
  readonly status: AttestStatus
  readonly root: Digest
  readonly cid: Digest
  readonly own: Digest
}

export interface Judged {
  readonly publication: Publication
  readonly word: Word
}

const WRONG_SUM: Word = { status: 'wrongSum', root: ZERO_DIGEST, cid: ZERO_DIGEST, own: ZERO_DIGEST }

/** Checks the published sum, takes the learner's step from it, and says on chain which model came out. */
export async function attest(play: Play, round: Round, signal: AbortSignal): Promise<void> {
  const { publication } = round.view.round
  if (publication === null) return
  await noteFrozen(play, round)
  const word = sameAs(play.judged?.publication, publication) ? (play.judged as Judged).word : await takeStep(play, round, publication, signal)
  play.judged = { publication, word }
  if (word === WRONG_SUM) play.site.tell({ kind: 'wrong-sum', run: round.run, round: round.round, publisher: publication.publisher })
  await say(play, round, word)
}

/** Returns without the bytes of sum and model: they are in the store, and of a large model they would be most of a node's memory. */
async function takeStep(play: Play, round: Round, publication: Publication, signal: AbortSignal): Promise<Word> {
  const { site } = play
  const plain = await plainSum(play, round, publication, signal)
  if (plain === null) return WRONG_SUM
  const name = stepName(round, publication.sumRoot)
  const { disproofs } = plain
  const { step, refusal, leftOut } = disproofs.length > 0 ? leaveOut(round, disproofs) : await judge(play, round, name, plain.sum)
  const at = { run: round.run, round: round.round }
  if (disproofs.length > 0) site.tell({ kind: 'false-shares', ...at, sites: disproofs.map(({ dealer }) => dealer) })
  if (refusal !== null) site.tell({ kind: 'refused-sum', ...at, why: refusal })
  for (const { sites, why } of leftOut) site.tell({ kind: 'group-left-out', ...at, sites: sitesOf(sites), why })
  play.holdings?.release()
  // Sites may judge otherwise than each other.
  const { named, status } = await nameStep(
    play,
    round,
    `${name} ${step.status} ${leftOut.map(({ sites }) => sites)} ${disproofs.map(({ dealer }) => dealer)}`,
    step,
  )
  const proof = ownProof(site, named.bytes)
  const own = await ownOf(play, round, plain, proof, signal)
  const { cid } = await site.store.put(named.bytes, named.outline, 'model', round.key, signal)
  const isOurs = site.memo.isShared !== true && (!isSmall(round.layout) || isLarge(named))
  if (isOurs || !isSmall(round.layout)) release(named.bytes)
  play.attested = { model: named.model, root: named.root, isOwn: isOurs && isOwnStep(round.base, named.model) }
  return { status, root: named.root, cid, own }
}

/** What its attestation says of itself, or where that lies with the rest. */
function ownOf(play: Play, round: Round, { unmasked, disproofs }: PlainSum, proof: Digest, signal: AbortSignal): Digest | Promise<Digest> {
  if (disproofs.length > 0) return keepDisproofs(play, round, disproofs, proof, signal)
  return unmasked === null ? proof : keepUnmasking(play, round, unmasked, proof, signal)
}

/** The published sum without its masks, or why nobody can take them off; null when it is wrong. */
async function plainSum(play: Play, round: Round, publication: Publication, signal: AbortSignal): Promise<PlainSum | null> {
  const sum = await publishedSum(play, round, publication, signal)
  if (sum === null || !isMasked(play)) return sum === null ? null : { sum, unmasked: null, disproofs: [] }
  const heard = await heardDisproofs(play, round, signal)
  const own = await unmaskedSum(play, round, publication, sum, signal).catch((error: unknown) => {
    if (heard.length === 0 || !isRotaError(error, 'ROTA-2329')) throw error
    return { sum, unmasked: null }
  })
  return { ...own, disproofs: together([...heard, ...(own.unmasked?.disproofs ?? [])]) }
}

async function unmaskedSum(
  play: Play,
  round: Round,
  publication: Publication,
  sum: Uint8Array,
  signal: AbortSignal,
): Promise<Pick<PlainSum, 'sum' | 'unmasked'>> {
  // Of a small one others have the same bytes; of a large one there is room for one.
  if (!isSmall(round.layout)) return { sum, unmasked: await unmask(play, round, sum, signal) }
  return play.site.memo.once(`unmask ${stepName(round, publication.sumRoot)}`, async () => {
    const own = sum.slice()
    return { sum: own, unmasked: await unmask(play, round, own, signal) }
  })
}

interface PlainSum {
  readonly sum: Uint8Array
  readonly unmasked: Unmasked | null
  readonly disproofs: readonly Disproof[]
}

/** Sites of one process take a small step, and name its model, once for all. A small sum may lead to a large model: that one is not remembered. */
async function nameStep(
  { site }: Play,
  round: Round,
  of: string,
  { model, status }: Step,
): Promise<{ readonly named: NamedModel; readonly status: AttestStatus }> {
  const name = (): NamedModel => nameModel(model, site)
  const key = `name ${of}`
  const named = isSmall(round.layout) ? await site.memo.once(key, async () => name()) : name()
  if (isLarge(named)) site.memo.forget(key)
  return { status, named }
}

const isLarge = ({ bytes }: NamedModel): boolean => bytes.length > INLINE_VECTOR_BYTES

const stepName = (round: Round, sumRoot: Digest): string => `${round.base.root} ${sumRoot}`

/**
 * The published sum's bytes, or null when it is not the sum of the frozen set, or its CID not the one that this sum has: the log must be
 * replayable when its publisher is gone, so every attester keeps the sum too. Where the word of custodians and the publication differ, and
 * where what they told of cannot be had, this site adds up what it doubts.
 */
async function publishedSum(play: Play, round: Round, { sumRoot, sumCid }: Publication, signal: AbortSignal): Promise<Uint8Array | null> {
  const doubted = new Set<number>()
  for (;;) {
    const gathered = await gatherSum(play, round, agreedToAttest, [...doubted], signal)
    const { ref, heard } = gathered
    const same = ref.root === sumRoot && ref.cid === sumCid
    if (!same && heard.size === 0) return null
    if (same) {
      try {
        return await wholeSum(play, round, gathered, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (heard.size === 0 || !isRotaError(error)) throw error
      }
    }
    for (const slice of same ? heard.keys() : await differing(play, round, gathered, { sumRoot, sumCid }, signal)) doubted.add(slice)
  }
}

/** Slices of which the custodians' word is not what was published; all that were heard when the publication's outline cannot be had. */
async function differing(
  play: Play,
  round: Round,
  { outline, ref, heard }: GatheredSum,
  { sumRoot, sumCid }: Pick<Publication, 'sumRoot' | 'sumCid'>,
  signal: AbortSignal,
): Promise<Iterable<number>> {
  const published = await play.site.store.outline({ ...ref, root: sumRoot, cid: sumCid }, round.key, signal).catch(() => null)
  signal.throwIfAborted()
  const found = slicesOf(outline.lengthBytes, ref.slices ?? 1)
    .filter(
      ({ slice, firstUnit, endUnit }) => heard.has(slice) && `${published?.units.slice(firstUnit, endUnit)}` !== `${outline.units.slice(firstUnit, endUnit)}`,
    )
    .map(({ slice }) => slice)
  return found.length > 0 ? found : heard.keys()
}

async function say(play: Play, round: Round, { status, root, cid, own }: Word): Promise<void> {
  const { site } = play
  const { attempt } = round.view.round
  // Whoever says that a masked sum is wrong will dispute it, now or after a restart.
  const contested = status === 'wrongSum' && isMasked(play) ? { cut: cutOf(round.layout, round.view.round) } : {}
  await site.journal.append({ kind: 'attested', run: round.run, round: round.round, attempt, status, root, cid, ...contested })
  await site.chain.attest(round.run, round.round, attempt, { root, cid }, status, own)
}

const sameAs = (a: Publication | undefined, b: Publication): boolean =>
  a !== undefined && a.attempt === b.attempt && a.publisher === b.publisher && a.sumRoot === b.sumRoot && a.sumCid === b.sumCid
