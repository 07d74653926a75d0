import type { Cost } from '#adapters/vault/sealed-file.ts'

/** Of keystores that dozens of processes open: a guess at a password of the tests may be cheap. */
export const CHEAP_KEYS: Cost = { n: 16, r: 8, p: 1 }
