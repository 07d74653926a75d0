import { isRotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import type { ChainEvent, Phase } from '#ports/chain.ts'
import type { Play, Round } from '../play.ts'

type Began = Extract<ChainEvent, { kind: 'PhaseBegan' | 'ContributingExtended' }>

/** The block in which a masked round's phase began, or began anew, by its hash, as the log has it now: a call that names it is refused on another history. Undefined while the log does not reach so far. */
export async function phaseBegan(
  { site }: Pick<Play, 'site'>,
  { run, round, view }: Pick<Round, 'run' | 'round' | 'view'>,
  phase: Phase,
): Promise<Digest | undefined> {
  const events = await site.chain.events(view.round.openedAtBlock, { run, kinds: ['PhaseBegan', 'ContributingExtended'] })
  const isOf = (e: ChainEvent): e is Began =>
    (e.kind === 'PhaseBegan' && e.phase === phase && e.round === round) || (e.kind === 'ContributingExtended' && phase === 'Contributing' && e.round === round)
  return events.findLast(isOf)?.began
}

/** A chain that was started from a file may have forgotten the hashes of its blocks; its log has them. Then the call is made for any history. @param known asked for again */
export async function onHistory(hash: Digest | undefined, known: () => Promise<Digest | undefined>, call: (hash?: Digest) => Promise<void>): Promise<void> {
  await call(hash).catch(async (error: unknown) => {
    if (!isRotaError(error, 'ROTA-5130') || hash === undefined || (await known()) !== hash) throw error
    await call()
  })
}
