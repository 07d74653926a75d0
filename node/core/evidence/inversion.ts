/** A change of a dense layer that comes first in a network: kernel of inputs × units, row-major, and bias, as a site sent them. */
export interface FirstLayerChange {
  readonly inputs: number
  readonly units: number
  readonly kernel: ArrayLike<number>
  readonly bias: ArrayLike<number>
}

/**
 * The rows that a change of the first layer shows by a division: of one row x, each unit's kernel changes by x times what its bias changes by. Of
 * several rows a unit shows their mean, weighted by how much each moved it; a unit that one row alone moved shows that row.
 * @returns one guess per unit whose bias moved, in units of the (standardised) inputs, the most moved first
 * @see Phong et al. 2018, IEEE TIFS 13(5), section 3; Geiping et al. 2020, arXiv:2003.14053, proposition 3.1
 */
export function rowsShown({ inputs, units, kernel, bias }: FirstLayerChange): readonly Float64Array[] {
  const moved = Array.from({ length: units }, (_, unit) => unit)
    .filter((unit) => bias[unit] !== 0)
    .sort((a, b) => Math.abs(bias[b] as number) - Math.abs(bias[a] as number))
  return moved.map((unit) => Float64Array.from({ length: inputs }, (_, input) => (kernel[input * units + unit] as number) / (bias[unit] as number)))
}

/** Pearson's; 0 where one of both does not vary. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const n = Math.min(a.length, b.length)
  let [sumA, sumB] = [0, 0]
  for (let i = 0; i < n; i++) {
    sumA += a[i] as number
    sumB += b[i] as number
  }
  let [ab, aa, bb] = [0, 0, 0]
  for (let i = 0; i < n; i++) {
    const [x, y] = [(a[i] as number) - sumA / n, (b[i] as number) - sumB / n]
    ab += x * y
    aa += x * x
    bb += y * y
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0
}
