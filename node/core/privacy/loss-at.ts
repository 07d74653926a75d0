/** ln(1 − q + q·e^((2t − 1)/2σ²)): the privacy loss at the noisy sum t, without overflow or cancellation. */
export function lossAt(samplingRate: number, noise: number, t: number): number {
  const x = (2 * t - 1) / (2 * noise * noise)
  return x > 30 ? x + Math.log(samplingRate + (1 - samplingRate) * Math.exp(-x)) : Math.log1p(samplingRate * Math.expm1(x))
}
