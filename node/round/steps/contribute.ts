import { isRotaError, RotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import { giveMemoryBack } from '#base/large-memory.ts'
import { outlineOf } from '#core/commit/outline.ts'
import { boundUpdate } from '#core/ring/bound.ts'
import { SALT_BYTES } from '#core/ring/layout.ts'
import { intoRing } from '#core/ring/to-ring.ts'
import type { BoundedUpdate, RingVector } from '#core/ring/vectors.ts'
import type { AbstainReason } from '#ports/chain.ts'
import type { ConsentedCohort } from '#ports/cohort.ts'
import { maskedWith, maskVector } from '#round/masking/mask-vector.ts'
import { isMasked } from '#round/masking/masked-round.ts'
import { onHistory, phaseBegan } from '#round/masking/phase-began.ts'
import { offerAhead, secretsAhead } from '#round/masking/said.ts'
import { cutOf, slicesToAdd } from '../custody.ts'
import type { Play, Round } from '../play.ts'
import { restsPatients } from '../study.ts'
import { trainingFor, useUp } from '../training.ts'
import { announce } from './announce.ts'
import { claimCohort, whyNot } from './eligible.ts'
import { restingBeside, usedCohort } from './used-cohort.ts'
import { whileAwaited } from './while-awaited.ts'
import { isStill, withdrawnTags } from './withdrawn.ts'

/** consented cohort → contribute → bound → fixed point → (mask) → encrypt, put → journal → commit root on chain, announce. */
export async function contribute(play: Play, round: Round, signal: AbortSignal): Promise<void> {
  const { site, study } = play
  if (await site.diskFull()) return abstain(play, round, 'noDisk', textOf(new RotaError('ROTA-5513')))
  const opening = await openingOf(play, round)
  const patients = await consentedCohort(play)
  if (!('table' in patients)) return abstain(play, round, patients.reason, patients.detail)
  // Of an exact run the cohort is frozen: one that changed since this site looked is no reason to go on with another. Where others halt for it, it
  // stays in until they do, with a cohort that the rule allows beside the first: whoever were missing then would be seen. (A record that was restored
  // from an old copy finds the first again by the chain, and this one once a later run begins with it.)
  const changed = study.exact && play.committed !== null && !isStill(patients, play.committed)
  if (changed && !restsPatients(study)) return site.chain.halt(round.run, 'cohortChanged')
  const refusal = await whyNot(play, patients)
  if (refusal !== null) return abstain(play, round, refusal.reason, refusal.detail)

  const made = await ringVector(play, round, patients, signal)
  if ('reason' in made) return abstain(play, round, made.reason, made.detail)
  const { ring, trainMs } = made
  const { bytes } = maskVector(play, round, ring)
  const outline = outlineOf(bytes, site.sha256)
  const { root } = outline
  const { cid } = await site.store.put(bytes, outline, 'update', round.key, signal, cutOf(round.layout, round.view.round))

  if (slicesToAdd(round.layout, round.view.round, site.id).length > 0) play.holdings?.offer(root, bytes)

  const cohort = { run: round.run, round: round.round, root: patients.rootIn(round.run, round.round) }
  const late = study.exact ? await claimCohort(site, patients, cohort, changed) : null
  // Another run took a cohort meanwhile: where patients may rest, others do, and nobody sees it.
  if (late !== null) return restsPatients(study) ? undefined : abstain(play, round, late.reason, late.detail)
  await site.cohort.remember(patients, study.protocol, cohort.run, cohort.round)
  play.committed ??= cohort
  const at = { run: round.run, round: round.round }
  const contributed = { kind: 'contributed', ...at, base: round.base.root, root, cid, cohortRoot: cohort.root, ...maskedWith(play) } as const
  await site.journal.append(contributed, ...secretsAhead(play))
  await send(play, round, { root, cid, cohortRoot: cohort.root }, opening)
  const resting = restingBeside(patients)
  if (resting > 0) site.host.log.info('cohort.rests', { ...at, count: resting })
  site.tell({
    kind: 'contributed',
    run: round.run,
    round: round.round,
    bytes: outline.lengthBytes,
    trainMs,
    backend: site.trainer?.backend ?? null,
    resting,
  })
}

/**
 * What the journal says was contributed, sent again: the same bytes, never a second vector for one round. And not at all once its cohort is
 * another: a patient may have withdrawn since, and a chain that went back may have opened the round anew after that.
 */
export async function contributeAgain(play: Play, round: Round): Promise<void> {
  const entry = play.site.journal
    .entries()
    .findLast((e) => e.kind === 'contributed' && e.run === round.run && e.round === round.round && e.base === round.base.root)
  if (entry?.kind !== 'contributed') return
  const opening = await openingOf(play, round)
  const patients = await consentedCohort(play)
  if (!('table' in patients)) return abstain(play, round, patients.reason, patients.detail)
  if (!isStill(patients, { ...entry, root: entry.cohortRoot }))
    return abstain(play, round, restsPatients(play.study) ? 'unspecified' : 'cohortChanged', 'the cohort of the update that was lost on its way is another now')
  if (maskedWith(play).neighbours !== entry.neighbours)
    return abstain(play, round, 'unspecified', 'the update that was lost on its way has masks that other sites do not have any more')
  await send(play, round, entry, opening)
}

/** Ends the others' waiting: the site is not in this round, and says why. */
export async function abstain(play: Play, round: Round, reason: AbstainReason, detail: string): Promise<void> {
  const { site } = play
  await site.journal.append({ kind: 'abstained', run: round.run, round: round.round, reason })
  await site.chain.abstain(round.run, round.round, reason)
  site.tell({ kind: 'abstained', run: round.run, round: round.round, reason, detail })
}

export async function abstainAgain(play: Play, round: Round): Promise<void> {
  const entry = play.site.journal.entries().find((e) => e.kind === 'abstained' && e.run === round.run && e.round === round.round)
  if (entry?.kind === 'abstained') await play.site.chain.abstain(round.run, round.round, entry.reason as AbstainReason)
}

/**
 * The block in which the round opened, as the log has it now: to be asked for before the withdrawn tags are, so that these are all that stand up to
 * it. Undefined while the log does not reach so far. Of a masked round that in which Contributing began: so no update is taken whose masks follow from other keys.
 */
async function openingOf(play: Play, { run, round, view }: Round): Promise<Digest | undefined> {
  const { site } = play
  if (isMasked(play)) return phaseBegan(play, { run, round, view }, 'Contributing')
  const events = await site.chain.events(view.round.openedAtBlock, { run, kinds: ['RoundOpened'] })
  const opened = events.find((e) => e.kind === 'RoundOpened' && e.round === round)
  return opened?.kind === 'RoundOpened' ? opened.opening : undefined
}

async function send(play: Play, round: Round, named: { root: Digest; cid: Digest; cohortRoot: Digest }, opening: Digest | undefined): Promise<void> {
  const { root, cid } = named
  const update = { kind: 'update', run: round.run, round: round.round, attempt: round.view.round.attempt, root, cid } as const
  // Along with the update of a masked round go its keys for the next.
  const announced = announce(play.site, update, isMasked(play) ? offerAhead(play) : [])
  await onHistory(
    opening,
    () => openingOf(play, round),
    (of) => play.site.chain.contribute(round.run, round.round, named.root, named.cid, named.cohortRoot, of),
  )
  await announced
}

/** Why this site is not in the round; `detail` stays at the site. */
export interface Refusal {
  readonly reason: AbstainReason
  readonly detail: string
}

/** A mistake in the site's data keeps this site out of the round and nobody else; its text stays at the site. */
export async function consentedCohort(play: Play): Promise<ConsentedCohort | Refusal> {
  const withdrawn = await withdrawnTags(play)
  try {
    return await usedCohort(play, await play.site.cohort.consented(play.study.protocol, withdrawn))
  } catch (error) {
    if (!(error instanceof RotaError)) throw error
    return { reason: 'dataError', detail: `${error.code} ${error.message}` }
  }
}

interface Vector {
  readonly ring: RingVector
  readonly trainMs: number
}

/** The update in fixed point. What it was made of is gone when it returns: of a large model each form of it is 40 MB. */
async function ringVector(play: Play, round: Round, patients: ConsentedCohort, signal: AbortSignal): Promise<Vector | Refusal> {
  const { random } = play.site.host
  const trained = await boundedUpdate(play, round, patients, signal)
  if ('reason' in trained) return trained
  const { bounded, trainMs } = trained
  const ring = intoRing(bounded, random.bytes(SALT_BYTES), random)
  if (bounded.kind === 'neural' && bounded.delta.buffer !== ring.bytes.buffer) giveMemoryBack(bounded.delta.buffer)
  return { ring, trainMs }
}

/** Numbers that cannot be sent keep this site out of this round, and no more: its node goes on in its other studies. */
async function boundedUpdate(
  play: Play,
  round: Round,
  { table }: ConsentedCohort,
  signal: AbortSignal,
): Promise<{ readonly bounded: BoundedUpdate; readonly trainMs: number } | Refusal> {
  try {
    const training = await trainingFor(play, round, table, signal)
    const { update, ms } = useUp(play, round, training, await whileAwaited(play, round, signal, training.done))
    return { bounded: boundUpdate(update), trainMs: ms }
  } catch (error) {
    if (!isRotaError(error) || error.reaction === 'retry' || error.reaction === 'ignore') throw error
    return { reason: 'dataError', detail: textOf(error) }
  }
}

const textOf = (error: RotaError): string => `${error.code} ${error.message}. ${error.remedy}`
