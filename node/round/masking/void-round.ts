import { sizeOf } from '#base/bitmap.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import type { Bitmap } from '#base/ids.ts'
import { checkSurvivors } from '#core/masking/graph.ts'
import type { Play } from '../play.ts'
import type { MaskedRound } from './masked-round.ts'

/** Why a set's masks stay on, whoever answers; null where they do not. */
export function whyMasked({ graph, terms }: Pick<MaskedRound, 'graph' | 'terms'>, survivors: Bitmap): RotaError | null {
  try {
    checkSurvivors(graph, terms, survivors)
    return null
  } catch (error) {
    if (isRotaError(error)) return error
    throw error
  }
}

/** Operators hear once of a round why it comes to nothing. */
export function tellOfMasks({ site }: Pick<Play, 'site'>, masked: MaskedRound, { code, message }: RotaError): void {
  const { run, round } = masked
  if (!masked.isVoidTold) site.tell({ kind: 'cannot-unmask', run, round, code, message })
  masked.isVoidTold = true
}

/** Of a round that is over: fewer keyed or contributed than unmask a sum, so that the chain froze no set. */
export async function tellOfVoid(play: Pick<Play, 'site' | 'run'>, masked: MaskedRound): Promise<void> {
  if (masked.isVoidTold) return
  const events = await play.site.chain.events(masked.openedAtBlock, { run: play.run, kinds: ['Keyed', 'Contributed', 'Frozen', 'RoundVoid'] })
  const ofRound = events.filter((event) => 'round' in event && event.round === masked.round)
  const end = ofRound.find((event) => event.kind === 'RoundVoid')
  if (end?.kind !== 'RoundVoid' || ofRound.some(({ kind }) => kind === 'Frozen')) return
  const left = ofRound.filter(({ kind }) => kind === (end.phase === 'Keying' ? 'Keyed' : 'Contributed')).length
  const { members, threshold } = masked.terms
  if (left < threshold) tellOfMasks(play, masked, new RotaError('ROTA-2327', { left, members: sizeOf(members), threshold }))
}
