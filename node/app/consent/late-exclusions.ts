import type { Digest, RunId } from '#base/ids.ts'

/** Somebody who is out of use at this site. */
export interface Exclusion {
  /** As cohorts name them: the tag or, under opt-out without one, the patient's digest. */
  readonly member: Digest
  /** When the desk noted it, in seconds of the clock; Infinity when it did not. */
  readonly notedAt: number
  /** Where the tag stands on chain, with chain time in seconds; null while it does not. */
  readonly onChain: { readonly block: number; readonly timestamp: number } | null
  /** A portal took the withdrawal, and promised to put it on chain. */
  readonly promised: boolean
}

/** The newest cohort that this site made in a run. */
export interface NewestCohort {
  readonly run: RunId
  readonly members: ReadonlySet<Digest>
  /** Null where the chain does not tell. */
  readonly openedAtBlock: number | null
  readonly over: boolean
}

export interface LateExclusions {
  /** In the cohort of a round that opened after the withdrawal, or for more than a day in one that does not end. */
  readonly inCohort: number
  /** Taken by a portal, and not on chain within the delay that the terms promise. */
  readonly notOnChain: number
}

const DAY_SECONDS = 86_400

/** @param now seconds of chain and of clock, which may differ @param relayDelaySeconds the longest that a relay may keep a withdrawal */
export function lateExclusions(
  exclusions: readonly Exclusion[],
  cohorts: readonly NewestCohort[],
  now: { readonly chain: number; readonly clock: number },
  relayDelaySeconds: number,
): LateExclusions {
  const isLate = ({ member, notedAt, onChain }: Exclusion): boolean => {
    const aDayAgo = now.clock - notedAt > DAY_SECONDS || (onChain !== null && now.chain - onChain.timestamp > DAY_SECONDS)
    return cohorts.some(({ members, openedAtBlock, over }) => {
      if (!members.has(member)) return false
      const openedAfter = onChain !== null && openedAtBlock !== null && openedAtBlock > onChain.block
      return openedAfter || (aDayAgo && !over)
    })
  }
  const isKept = ({ notedAt, onChain, promised }: Exclusion): boolean => promised && onChain === null && now.clock - notedAt > relayDelaySeconds
  return { inCohort: exclusions.filter(isLate).length, notOnChain: exclusions.filter(isKept).length }
}
