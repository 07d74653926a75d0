/**
 * The fewest patients that sums over one more cohort would show, together with the sums over earlier ones. Whoever has sums over cohorts
 * C1 … Ck can weigh them as they like: each patient then counts with the sum of the weights of the cohorts that they were in, and those are shown
 * who do not count zero. Two cohorts show the patients in which they differ; of four, each two may differ by ten, and all four together show one.
 *
 * Patients who were in the same cohorts are shown together or not at all, so that all is said of *kinds* of patients. Kinds as large as `enough`
 * must count zero; of the combinations in which they do, and in which the new cohort has a part, the one with the fewest patients is looked for.
 * A cohort that is itself a combination of the earlier ones shows nothing new.
 *
 * Guarantee: never more than the truth. Where there are too many combinations to look at, and where a number happens to be a multiple of the
 * prime that is counted by, it is less.
 * @param enough no more is asked than whether there are fewer than these
 * @returns at most `enough`
 */
export function fewestShown(now: ReadonlySet<string>, earlier: readonly ReadonlySet<string>[], enough: number): number {
  const kinds = kindsOf([...earlier, now])
  const small = kinds.filter(({ patients }) => patients < enough)
  const large = kinds.filter(({ patients }) => patients >= enough)
  const cohorts = [...earlier.keys(), earlier.length]
  // Combinations in which no large kind counts, each as what the small kinds then count and, last, the weight of the new cohort.
  const silent = nullSpace(cohorts.map((c) => large.map((kind) => (kind.in[c] ? 1 : 0))))
  const counts = (weights: readonly number[], kind: Kind): number => modulo(weights.reduce((sum, w, c) => sum + (kind.in[c] ? w : 0), 0))
  const rows = rowBasis(silent.map((weights) => [...small.map((kind) => counts(weights, kind)), weights[earlier.length] as number]))
  return Math.min(
    enough,
    fewestIn(
      rows,
      small.map(({ patients }) => patients),
    ),
  )
}

/** Patients who were in the same of the cohorts. */
interface Kind {
  readonly in: readonly boolean[]
  readonly patients: number
}

function kindsOf(cohorts: readonly ReadonlySet<string>[]): readonly Kind[] {
  const kindOf = new Map<string, number>()
  const made: { readonly in: readonly boolean[]; patients: number }[] = [{ in: cohorts.map(() => false), patients: 0 }]
  cohorts.forEach((cohort, c) => {
    const split = new Map<number, number>()
    for (const patient of cohort) {
      const before = kindOf.get(patient) ?? 0
      const now = split.get(before) ?? made.push({ in: (made[before] as Kind).in.with(c, true), patients: 0 }) - 1
      split.set(before, now)
      kindOf.set(patient, now)
    }
  })
  for (const kind of kindOf.values()) (made[kind] as { patients: number }).patients += 1
  return made.slice(1).filter(({ patients }) => patients > 0)
}

/**
 * The fewest patients behind the kinds that a combination of the rows leaves counting, with the last column in it. One with the fewest kinds is
 * zero in as many of them as the rows allow: each such choice of kinds leaves one combination.
 */
function fewestIn(rows: readonly number[][], patients: readonly number[]): number {
  if (rows.every((row) => row.at(-1) === 0)) return Number.POSITIVE_INFINITY
  const kinds = patients.flatMap((_, k) => (rows.some((row) => row[k] !== 0) ? [k] : []))
  if (kinds.length === 0) return Number.POSITIVE_INFINITY
  // Too many to look at: as if each kind could be shown alone.
  if (choices(kinds.length, rows.length - 1) > MOST_CHOICES) return Math.min(...kinds.map((k) => patients[k] as number))
  let fewest = Number.POSITIVE_INFINITY
  for (const zero of subsets(kinds, rows.length - 1)) {
    // Kinds that depend on each other leave more than one combination; each of these is met with another choice too.
    const [weights, ...others] = nullSpace(rows.map((row) => zero.map((k) => row[k] as number)))
    if (weights === undefined || others.length > 0) continue
    const at = (k: number): number => modulo(rows.reduce((sum, row, r) => sum + modulo((weights[r] as number) * (row[k] as number)), 0))
    const shown = kinds.filter((k) => at(k) !== 0)
    if (shown.length === 0 || at(patients.length) === 0) continue
    const together = shown.reduce((sum, k) => sum + (patients[k] as number), 0)
    fewest = Math.min(fewest, together)
  }
  return fewest
}

const MOST_CHOICES = 20_000

function choices(of: number, take: number): number {
  let count = 1
  for (let i = 0; i < take && count <= MOST_CHOICES; i++) count = (count * (of - i)) / (i + 1)
  return count
}

function* subsets(items: readonly number[], size: number, from = 0): Generator<readonly number[]> {
  if (size === 0) yield []
  else for (let i = from; i <= items.length - size; i++) for (const rest of subsets(items, size - 1, i + 1)) yield [items[i] as number, ...rest]
}

/** Below 2^26, so that a product of two is exact in float64. */
const PRIME = 67_108_859

const modulo = (x: number): number => ((x % PRIME) + PRIME) % PRIME

/** Weights of the rows by which they add up to zero, as a basis. */
function nullSpace(matrix: readonly (readonly number[])[]): number[][] {
  const width = matrix[0]?.length ?? 0
  const own = matrix.map((row, i) => [...row, ...matrix.map((_, j) => (i === j ? 1 : 0))])
  eliminate(own, width)
  return own.filter((row) => row.slice(0, width).every((x) => x === 0)).map((row) => row.slice(width))
}

function rowBasis(matrix: number[][]): number[][] {
  eliminate(matrix, matrix[0]?.length ?? 0)
  return matrix.filter((row) => row.some((x) => x !== 0))
}

/** Gauss and Jordan, over the first `columns`, counted by PRIME. */
function eliminate(matrix: number[][], columns: number): void {
  let top = 0
  for (let column = 0; column < columns && top < matrix.length; column++) {
    const pivot = matrix.findIndex((row, i) => i >= top && row[column] !== 0)
    if (pivot < 0) continue
    const [lead, other] = [matrix[pivot] as number[], matrix[top] as number[]]
    matrix[top] = lead
    matrix[pivot] = other
    const scale = inverse(lead[column] as number)
    matrix.forEach((row, i) => {
      const factor = modulo((row[column] as number) * scale)
      if (i !== top && factor !== 0) for (let j = 0; j < row.length; j++) row[j] = modulo((row[j] as number) - modulo(factor * (lead[j] as number)))
    })
    top++
  }
}

/** Fermat. */
function inverse(x: number): number {
  let [result, base] = [1, modulo(x)]
  for (let power = PRIME - 2; power > 0; power = Math.floor(power / 2)) {
    if (power % 2 === 1) result = modulo(result * base)
    base = modulo(base * base)
  }
  return result
}
