/** An update of a cohort whose property is known: made of rows that the attacker has, by the same training. */
export interface KnownUpdate {
  readonly values: ArrayLike<number>
  readonly has: boolean
}

/**
 * Tells from an update whether its cohort has a property (more men than women, say) that the study is not about: by the distance of the update to
 * the mean update of cohorts with and without, each coordinate by its own spread. Small cohorts show more, since their mean is less of an average.
 * @param known at least one of each kind, all as long as the updates
 * @returns a score per update, above 0 where it is nearer to cohorts that have it
 * @see Ateniese et al. 2015, arXiv:1306.4447, for the idea; the classifier is Fisher's with a diagonal covariance
 */
export function propertyScores(known: readonly KnownUpdate[], updates: readonly ArrayLike<number>[]): number[] {
  const having = known.filter(({ has }) => has)
  const lacking = known.filter(({ has }) => !has)
  const size = known[0]?.values.length ?? 0
  const weights = new Float64Array(size)
  let middle = 0
  for (let i = 0; i < size; i++) {
    const [a, b] = [momentsOf(having, i), momentsOf(lacking, i)]
    const spread = (a.squares + b.squares) / Math.max(1, known.length - 2)
    // A coordinate that never varies tells nothing, whatever it is.
    const weight = spread > 0 ? (a.mean - b.mean) / spread : 0
    weights[i] = weight
    middle += (weight * (a.mean + b.mean)) / 2
  }
  return updates.map((update) => weights.reduce((sum, weight, i) => sum + weight * (update[i] as number), -middle))
}

function momentsOf(group: readonly KnownUpdate[], i: number): { readonly mean: number; readonly squares: number } {
  const mean = group.reduce((sum, { values }) => sum + (values[i] as number), 0) / Math.max(1, group.length)
  return { mean, squares: group.reduce((sum, { values }) => sum + ((values[i] as number) - mean) ** 2, 0) }
}
