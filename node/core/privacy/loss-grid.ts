import { lossAt } from './loss-at.ts'

/**
 * The privacy loss of one step on a grid. With t the noisy sum of the one patient, P = N(0, σ²) without and Q = (1 − q)·P + q·N(1, σ²) with
 * that patient, the loss is y(t) = ln(dQ/dP) = ln(1 − q + q·e^((2t − 1)/2σ²)).
 *
 * What falls between two grid points goes to both, so that its mass under P and under Q stays. That pair on the grid is at least as easy
 * to tell apart as (P, Q), for one step and for any composition: bounds from it are upper bounds, and its error falls with the square of the mesh.
 * @see Doroshenko, Ghazi, Kamath, Kumar, Manurangsi 2022, "Connect the dots", arXiv:2207.04380, section 4
 */
export interface LossGrid {
  readonly mesh: number
  /** Grid point of the first entry: the loss there is first × mesh. */
  readonly first: number
  /** Mass under Q by loss: the patient is removed. */
  readonly removed: Float64Array
  /** Mass under P at the same points: the patient is added, with the loss of opposite sign. */
  readonly added: Float64Array
}

/** Mass at either end, |t| beyond `reach` standard deviations, is left out: at most e^(-reach²/2) in all, for the caller to add to delta. */
export function lossGrid(samplingRate: number, noise: number, mesh: number, reach: number): LossGrid {
  const step = new Step(samplingRate, noise)
  const [from, to] = [-reach * noise, 1 + reach * noise]
  const first = Math.floor(lossAt(samplingRate, noise, from) / mesh)
  const last = Math.ceil(lossAt(samplingRate, noise, to) / mesh)
  const removed = new Float64Array(last - first + 1)
  const [toUpper, toLower] = [-1 / Math.expm1(-mesh), 1 / Math.expm1(mesh)]
  let low = step.edge(first * mesh)
  for (let i = first; i < last; i++) {
    const high = step.edge((i + 1) * mesh)
    const { aboveLow, belowHigh } = step.between(low, high, Math.max(from, low.t), Math.min(to, high.t))
    removed[i - first] = (removed[i - first] as number) + belowHigh * toLower
    removed[i + 1 - first] = aboveLow * toUpper
    low = high
  }
  return { mesh, first, removed, added: removed.map((mass, i) => mass * Math.exp(-(first + i) * mesh)) }
}

/** A grid point and where the loss takes its value; t is -Infinity where the loss never falls as low. */
interface Edge {
  readonly t: number
  readonly loss: number
}

class Step {
  readonly #q: number
  readonly #noise: number
  readonly #variance: number

  constructor(samplingRate: number, noise: number) {
    this.#q = samplingRate
    this.#noise = noise
    this.#variance = noise * noise
  }

  edge(loss: number): Edge {
    const ratio = loss > 30 ? loss - Math.log(this.#q) : Math.log1p(Math.expm1(loss) / this.#q)
    return { t: Number.isNaN(ratio) ? Number.NEGATIVE_INFINITY : this.#variance * ratio + 0.5, loss }
  }

  /** ∫ (dQ − e^low dP) and ∫ (e^high dP − dQ) over [from, to], which lies between the edges: both integrands are positive, so no digits are lost. */
  between(low: Edge, high: Edge, from: number, to: number): { aboveLow: number; belowHigh: number } {
    const sums = { aboveLow: 0, belowHigh: 0 }
    if (!(to > from)) return sums
    const roughness = (to - from) * ((Math.max(Math.abs(from), Math.abs(to)) + 1) / this.#variance + 1 / this.#noise)
    const rule = roughness < 1e-3 ? GAUSS_2 : GAUSS_5
    const panels = Math.ceil(roughness / 0.5)
    const width = (to - from) / panels
    for (let panel = 0; panel < panels; panel++) {
      for (const [node, weight] of rule) {
        const t = from + (panel + node) * width
        sums.aboveLow += weight * width * this.#above(low, t)
        sums.belowHigh += weight * width * this.#below(high, t)
      }
    }
    return sums
  }

  /** q·φ(t)·e^((2t' − 1)/2σ²)·(e^((t − t')/σ²) − 1): the ratio at t less that at the edge t', times P's density. */
  #above({ t: edge, loss }: Edge, t: number): number {
    const steps = (t - edge) / this.#variance
    if (steps > 1) {
      // Far from the edge, or no edge at all: nothing cancels.
      const atEdge = Math.expm1(loss) + this.#q
      return this.#q * this.#density(t - 1) - atEdge * this.#density(t)
    }
    return this.#q * this.#tilted(edge, t) * Math.expm1(steps)
  }

  #below({ t: edge }: Edge, t: number): number {
    return -this.#q * this.#tilted(edge, t) * Math.expm1((t - edge) / this.#variance)
  }

  #tilted(edge: number, t: number): number {
    return Math.exp((2 * edge - 1 - t * t) / (2 * this.#variance)) / (this.#noise * Math.sqrt(2 * Math.PI))
  }

  #density(x: number): number {
    return Math.exp((-x * x) / (2 * this.#variance)) / (this.#noise * Math.sqrt(2 * Math.PI))
  }
}

type Rule = readonly (readonly [node: number, weight: number])[]

/** Gauss-Legendre on [0, 1] (Abramowitz, Stegun, table 25.4). */
const GAUSS_2: Rule = [
  [0.21132486540518713, 0.5],
  [0.7886751345948129, 0.5],
]
const GAUSS_5: Rule = [
  [0.046910077030668, 0.11846344252809454],
  [0.23076534494715845, 0.23931433524968324],
  [0.5, 0.28444444444444444],
  [0.7692346550528415, 0.23931433524968324],
  [0.953089922969332, 0.11846344252809454],
]
