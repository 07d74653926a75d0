import type { Table } from '#core/model/table.ts'
import type { Setup } from '../setup.ts'
import type { Patients } from './units.ts'

/** What of a protocol private learners need. */
export type PrivateSetup = Pick<Setup, 'names' | 'middle' | 'half' | 'labelMiddle' | 'labelHalf' | 'fractionBits'>

/** x over its range, in [-1, 1]; NaN stays. A value beyond is moved to the edge: bounds on a row's part must hold whatever stands in it. */
export function mapped(x: number, middle: number, half: number): number {
  const u = (x - middle) / half
  return u > 1 ? 1 : u < -1 ? -1 : u
}

/** [1, u…] of row i. */
export function designRow({ names, middle, half }: PrivateSetup, table: Table, i: number, into: Float64Array): void {
  const p = names.length
  into[0] = 1
  for (let j = 0; j < p; j++) into[1 + j] = mapped(table.values[i * p + j] as number, middle[j] as number, half[j] as number)
}

/** Calls `add` with each patient's vector: what `row` added to it over the patient's rows. */
export function eachPatient(patients: Patients, length: number, row: (i: number, into: Float64Array) => void, add: (vector: Float64Array) => void): void {
  const vector = new Float64Array(length)
  for (let p = 0; p < patients.count; p++) {
    vector.fill(0)
    for (let k = patients.starts[p] as number; k < (patients.starts[p + 1] as number); k++) row(patients.order[k] as number, vector)
    add(vector)
  }
}

/** Entries of a symmetric matrix, upper triangle by rows. */
export const triangle = (size: number): number => (size * (size + 1)) / 2

/**
 * Adds weight · z zᵀ as its upper triangle, entries off the diagonal times √2: the vector's norm is then the matrix's Frobenius norm, weight · ‖z‖². Noise of
 * one deviation s on all entries is deviation s on the diagonal and s/√2 off it.
 */
export function addSquare(z: Float64Array, weight: number, into: Float64Array, at: number): void {
  let i = at
  for (let j = 0; j < z.length; j++) {
    const one = weight * (z[j] as number)
    into[i] = (into[i++] as number) + one * (z[j] as number)
    for (let k = j + 1; k < z.length; k++) into[i] = (into[i++] as number) + Math.SQRT2 * one * (z[k] as number)
  }
}

/** The matrix, row-major. */
export function squareFrom(values: (i: number) => number, at: number, size: number): Float64Array {
  const out = new Float64Array(size * size)
  let i = at
  for (let j = 0; j < size; j++) {
    for (let k = j; k < size; k++) {
      const value = k === j ? values(i++) : values(i++) / Math.SQRT2
      out[j * size + k] = value
      out[k * size + j] = value
    }
  }
  return out
}

export function norm(z: Float64Array): number {
  let square = 0
  for (const x of z) square += x * x
  return Math.sqrt(square)
}
