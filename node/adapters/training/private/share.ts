/** One layer's part of the patients' gradients in a batch. */
export interface Share {
  /** Weights of the layer. */
  readonly size: number
  /** Adds to each patient's number the squared norm of its gradient by this layer's weights. */
  addNorms(squares: Float64Array): void
  /** Adds the patients' gradients, each times its factor; a factor of 0 leaves a patient out, were its gradient infinite. */
  addClipped(factors: Float64Array, into: Float64Array): void
}
