/**
 * RDP of discrete Gaussian noise: whole numbers x with probability proportional to e^(−x²/2σ²), in units of the grid, added to whole numbers
 * that one patient moves by `sensitivity` (L2). Never more than that of the continuous Gaussian, α·Δ²/2σ², and equal to it for whole α·Δ.
 * @see Canonne, Kamath, Steinke 2020, "The discrete Gaussian for differential privacy", arXiv:2004.00010, theorem 14
 */
export const discreteGaussianRdp = (noise: number, sensitivity: number, order: number): number => (order * sensitivity * sensitivity) / (2 * noise * noise)

/**
 * The same for one coordinate, exactly: completing the square in Σ p(x − Δ)^α·p(x)^(1 − α) leaves α·Δ²/2σ² and the ratio of two theta sums.
 * @param sensitivity a whole number
 */
export function discreteGaussianRdpExactly(noise: number, sensitivity: number, order: number): number {
  const ratio = thetaSum(noise, order * sensitivity) / thetaSum(noise, 0)
  return discreteGaussianRdp(noise, sensitivity, order) + Math.log(ratio) / (order - 1)
}

/** Σ e^(−(x − a)²/2σ²) over all whole x. */
function thetaSum(noise: number, shift: number): number {
  const centre = Math.round(shift)
  const reach = Math.ceil(10 * noise) + 1
  let sum = 0
  for (let x = centre - reach; x <= centre + reach; x++) sum += Math.exp(-((x - shift) ** 2) / (2 * noise * noise))
  return sum
}

export interface NoiseShares {
  /** Standard deviation of one site's share, in units of the grid. */
  readonly noise: number
  /** Shares that are in the sum for sure: the smallest set that may survive, less those who may collude. */
  readonly shares: number
  /** Coordinates of the vector. */
  readonly coordinates: number
  /** How far one patient moves the sum, in units of the grid: L2, and L1 where it is known (√coordinates × L2 otherwise). */
  readonly l2: number
  readonly l1?: number
}

/**
 * RDP of a sum of discrete Gaussian shares. Such a sum is not quite discrete Gaussian itself; what is missing is at most τ a coordinate, which is
 * below 1e-15 from a share of 2 grid steps on and must be counted below that.
 * @see Kairouz, Liu, Steinke 2021, "The distributed discrete Gaussian mechanism for federated learning with secure aggregation", arXiv:2102.06387, theorem 1
 */
export function sharedNoiseRdp({ noise, shares, coordinates, l2, l1 }: NoiseShares, order: number): number {
  const central = noise * Math.sqrt(shares)
  const [d2, d1] = [l2 / central, (l1 ?? l2 * Math.sqrt(coordinates)) / central]
  const tau = sumGap(noise, shares)
  return Math.min(
    (order / 2) * d2 * d2 + tau * coordinates,
    (order / 2) * (d2 * d2 + 2 * d1 * tau + tau * tau * coordinates),
    (order / 2) * (d2 + Math.sqrt(coordinates) * tau) ** 2,
  )
}

/** τ = 10 Σ_{k = 1}^{n − 1} e^(−2π²σ²k/(k + 1)): how far a sum of n shares may be from discrete Gaussian, a coordinate. */
export function sumGap(noise: number, shares: number): number {
  let sum = 0
  for (let k = 1; k < shares; k++) sum += Math.exp((-2 * Math.PI * Math.PI * noise * noise * k) / (k + 1))
  return 10 * sum
}
