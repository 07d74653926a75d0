import type { SimTime } from '#adapters/sim/time.ts'
import type { SharedHoldings } from '#round/site.ts'
import type { Holdings } from '#round/updates/holdings.ts'

/** Rounds of which somebody may still ask. */
const ROUNDS_KEPT = 4

/**
 * The updates of a round, held once for all sites of a process in which nothing goes wrong: a thousand sites would otherwise each fetch,
 * check and keep the updates of all the others, a million a round. Small updates only: of large ones each site holds other slices.
 */
export function holdTogether(time: SimTime): SharedHoldings {
  const rounds = new Map<string, { readonly holdings: Holdings; readonly waiting: Set<() => void> }>()

  function begin(make: (onHeld: () => void) => Holdings) {
    const waiting = new Set<() => void>()
    let told = false
    const tellAll = () => {
      told = false
      for (const wake of waiting) wake()
    }
    const made = make(() => {
      if (!told) time.together(0, tellAll)
      told = true
    })
    let wanted: unknown = null
    const want: Holdings['want'] = (updates, slices) => {
      if (updates === wanted) return
      wanted = updates
      made.want(updates, slices)
    }
    // Others may still be adding up when one site has left the round.
    return { holdings: { ...made, want, stop: () => undefined }, waiting }
  }

  return (name, make, onHeld) => {
    const known = rounds.get(name) ?? begin(make)
    rounds.set(name, known)
    const oldest = rounds.keys().next().value
    if (rounds.size > ROUNDS_KEPT && oldest !== undefined) rounds.delete(oldest)
    known.waiting.add(onHeld)
    return known.holdings
  }
}
