import type { AttestStatus, ModelRef } from '#ports/chain.ts'
import { isMajority } from './bits.ts'

/** Attestations of one publication by tuple (model root, model CID, status), in order of first arrival. */
export type Tally = readonly Count[]

export interface Count {
  readonly model: ModelRef
  readonly status: AttestStatus
  readonly sites: number
}

export function count(tally: Tally, model: ModelRef, status: AttestStatus): Tally {
  const same = (c: Count) => c.status === status && c.model.root === model.root && c.model.cid === model.cid
  if (!tally.some(same)) return [...tally, { model, status, sites: 1 }]
  return tally.map((c) => (same(c) ? { ...c, sites: c.sites + 1 } : c))
}

export const majorityOf = (tally: Tally, included: number): Count | undefined => tally.find((c) => isMajority(c.sites, included))
