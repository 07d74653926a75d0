/**
 * How far byte counts are from equal ones, Pearson's chi-square with 255 degrees of freedom, in standard deviations: noise is within ±5
 * (Wilson and Hilferty's normal approximation).
 */
export function chiSquareDeviation(bytes: Uint8Array): number {
  const counts = new Float64Array(256)
  for (const byte of bytes) counts[byte]! += 1
  const expected = bytes.length / 256
  const chi = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  return (Math.cbrt(chi / 255) - (1 - 2 / (9 * 255))) / Math.sqrt(2 / (9 * 255))
}
