/**
 * Shares that rebuild a secret among n members: more than two thirds.
 *
 * Fewer than this learn nothing from shares. It also keeps the honest part of the mask graph in one piece: every site that contributes shares
 * masks with at least t − 1 of the n sites that keyed (`maskGraph`). Take away k sites, colluding or dropped: each of the n − k that are left
 * still has t − 1 − k neighbours among them. A graph in which every node is joined to at least half of the others is in one piece: two nodes
 * that are not neighbours have (n − k − 1) neighbours together among n − k − 2 others, so they have one in common (after Dirac 1952). That is
 * t − 1 − k ≥ (n − k − 1) / 2, or k ≤ 2t − n − 1, which with this t is a third of n at least, rounded down.
 * While the honest part is in one piece, their words say nothing but their sum: each tree of unknown masks hides all but one total.
 * @see Bonawitz et al. 2017, Practical Secure Aggregation, section 6
 */
export const thresholdOf = (members: number): number => Math.floor((2 * members) / 3) + 1

/**
 * Sites that may collude or drop out together while the honest rest, two at least, is hidden in its sum, and of a void round altogether: in every round, also where `maskGraph` lets a
 * dealer show as many shares as may be, n − t. One more of them then has t of both its secrets. Where nothing is shown t − 1 are borne; see `thresholdOf`.
 * @param keyed sites that did, in the graph or not: all have shares
 */
export const toleratedOf = (threshold: number, keyed: number): number => Math.max(0, Math.min(threshold - 1, 2 * threshold - keyed - 1, keyed - 2))

/** A masked study has so many sites at least: among fewer the sum itself tells too much of each. */
export const FEWEST_MASKED = 5
/** And so many at most: each shares its secrets with each other one. */
export const MOST_MASKED = 100
