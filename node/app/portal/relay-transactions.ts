/** As many leave alone at once: each needs its own connection and block space. */
const MOST_ALONE = 64
/** Withdrawals of one transaction beyond that. */
const BATCH = 20

/**
 * Which of the withdrawals that are due at a relay share a transaction: none, as long as they are few. A page asks the own hospital's relay first,
 * so that whoever shares a transaction was in the same hospital as a rule, and one known patient would tell of all others in it; alone, from
 * accounts made for the purpose, those of all relays leave at the same moments and look alike. Beyond that they go in batches, for half the gas.
 */
export function inTransactions<T>(due: readonly T[]): readonly (readonly T[])[] {
  const size = due.length <= MOST_ALONE ? 1 : BATCH
  return Array.from({ length: Math.ceil(due.length / size) }, (_, i) => due.slice(i * size, (i + 1) * size))
}
