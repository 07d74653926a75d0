/** Middle of many measurements, and how far they spread. */
export interface Figure {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** @throws RangeError of nothing */
export function figureOf(values: readonly number[]): Figure {
  if (values.length === 0) throw new RangeError('nothing was measured')
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] as number
  const middle = sorted.length / 2
  const median = sorted.length % 2 === 1 ? at(0.5) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
  return { median, low: sorted[0] as number, high: sorted.at(-1) as number }
}
