import type { RoundNo } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'

/** How a round ended. */
export type RoundEnd = Extract<ChainEvent, { kind: 'RoundClosed' | 'RoundRefused' | 'RoundVoid' }>

/** Kinds of events that `standingEnds` reads. */
export const END_KINDS = ['Disputed', 'RoundClosed', 'RoundRefused', 'RoundVoid'] as const

/**
 * The ends of one run's rounds that stand, in their order. A dispute after the close takes its round's end back: what the round led to is no
 * model of the run, and the same set is published again.
 * @param events of one run, in order, of END_KINDS at least
 */
export function standingEnds(events: readonly ChainEvent[]): readonly RoundEnd[] {
  const ends = new Map<RoundNo, RoundEnd>()
  for (const event of events) {
    if (event.kind === 'Disputed') ends.delete(event.round)
    else if (event.kind === 'RoundClosed' || event.kind === 'RoundRefused' || event.kind === 'RoundVoid') ends.set(event.round, event)
  }
  return [...ends.values()]
}
