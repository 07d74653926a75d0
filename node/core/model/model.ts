/**
 * What a round starts from and ends with. Plain data: numbers, strings, booleans, null, Uint8Array, and arrays and
 * records of those, so that canonical dag-cbor (wire/model.ts) gives the same bytes everywhere.
 * Holds no run, leader or time, and no site but those of `leftOut`: the same data give the same bytes anywhere.
 */
export interface Model {
  readonly version: 1
  /** 'statistics', 'logistic/newton', 'logistic/fedavg', 'neural/fedavg', … */
  readonly learner: string
  /** 'moments', 'fit', 'evaluation', 'done' */
  readonly stage: string
  /** Rounds of a refused publication on this same base; part of the bytes, so that a repeat is a new base. */
  readonly refusals: number
  /** Of a masked round that is repeated without some sites; the next model has none. */
  readonly leftOut?: LeftOut
  /** What the learner needs for its next step and reports at its end; its shape belongs to the learner. */
  readonly state: ModelState
}

/** Sites whose shares were of another secret than they promised. */
export interface LeftOut {
  /** In ascending order. */
  readonly sites: readonly number[]
  /** Those of the base when the last of them was left out. */
  readonly refusals: number
}

export type ModelValue = number | string | boolean | null | Uint8Array | readonly ModelValue[] | { readonly [key: string]: ModelValue }
export type ModelState = { readonly [key: string]: ModelValue }
