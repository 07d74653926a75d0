import { bitmapOf, has } from '#base/bitmap.ts'
import { fromHex } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import { type Disproof, isDisproved } from '#core/masking/rebuild.ts'
import { withoutSites } from '#core/model/refuse.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { Judgement } from '#round/steps/judgement.ts'
import { decodeDisproofs, encodeDisproofs } from '#wire/masking/disproofs.ts'
import type { Play, Round } from '../play.ts'
import { within } from '../within.ts'
import { type MaskedRound, maskedOf } from './masked-round.ts'
import { ownRelease } from './release.ts'
import { inputOf } from './unmask.ts'

/** Whoever refuses a sum keeps the reason; who keeps it to itself is not waited for. */
const FETCH_MS = 5_000

/**
 * What sites of the frozen set disproved, this one too, by the refusals of this round that stand on chain, each looked at here. A dealer may give shares of which some rebuild its
 * secret and others do not, and its own to some sites alone: once one honest site has found it, all do.
 */
export async function heardDisproofs(play: Play, round: Round, signal: AbortSignal): Promise<readonly Disproof[]> {
  const { site } = play
  const { included, openedAtBlock } = round.view.round
  const events = await site.chain.events(openedAtBlock, { run: round.run, kinds: ['Attested'] })
  const refusals = events.filter((e): e is Refusal => e.kind === 'Attested' && e.round === round.round && e.status === 'refused' && has(included, e.site))
  const masked = maskedOf(play, round)
  await Promise.all(refusals.filter(({ own }) => !masked.heard.has(own)).map((e) => hear(play, round, masked, e, signal)))
  return [...masked.heard.values()].flat()
}

type Refusal = Extract<ChainEvent, { kind: 'Attested' }>

/** What cannot be had is asked for again at the next publication. */
async function hear(play: Play, round: Round, masked: MaskedRound, { own, site: from }: Refusal, signal: AbortSignal): Promise<void> {
  const { site } = play
  try {
    // What they are held against is fetched within the same time.
    const { all, right } = await within(site, FETCH_MS, signal, async (limited) => {
      const sealed = await site.store.getPlain(own, limited, [from])
      const { survivors, disproofs } = decodeDisproofs(site.vault.open(sealed, round.key))
      const input = inputOf(play, round, masked, limited, [from])
      const mine = survivors === input.survivors ? together(disproofs) : []
      const verdicts = await Promise.all(mine.map((disproof) => isDisproved(input, disproof)))
      return { all: disproofs, right: mine.filter((_, i) => verdicts[i]) }
    })
    // Of a parcel that is not here yet another look may say otherwise.
    if (right.length === all.length) masked.heard.set(own, right)
  } catch (error) {
    signal.throwIfAborted()
    // A sum refused for what stands in it leaves something else there.
    if (!isRotaError(error)) throw error
  }
}

/** The base stays, and is repeated by all of the set but those. */
export function leaveOut({ base }: Round, disproofs: readonly Disproof[]): Judgement {
  const sites = bitmapOf(disproofs.map(({ dealer }) => dealer))
  return { step: { model: withoutSites(base.model, sites), status: 'refused' }, refusal: null, leftOut: [] }
}

/** One of each dealer. */
export const together = (disproofs: readonly Disproof[]): readonly Disproof[] =>
  [...new Map(disproofs.map((each) => [each.dealer, each])).values()].sort((a, b) => a.dealer - b.dealer)

/** Keeps the reason for whoever was not there. @returns what the attestation says: where it lies */
export async function keepDisproofs(play: Play, round: Round, disproofs: readonly Disproof[], proof: Digest, signal: AbortSignal): Promise<Digest> {
  const { site } = play
  const bytes = encodeDisproofs({ site: site.id, proof: fromHex(proof), survivors: round.view.round.included, disproofs, release: ownRelease(play, round) })
  return site.store.putPlain(site.vault.seal(bytes, round.key), signal)
}
