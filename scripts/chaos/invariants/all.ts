import type { RunRecord } from '../record.ts'
import { closedByMajority, committedOrLogged, honestSumsAreTrue, noUpdateInTwoSums, noWrongSumClosed, oneFrozenSet } from './chain.ts'
import { falseDealersAlone } from './false-dealers.ts'
import { auditFollows, groupsAreFixed, oneSpoilsNoRound, repeatsShowTheSame, sumsOfGroupsHideEnough } from './groups.ts'
import { groupsHideEnough, masksComeOff, neverBothKinds, oneSetUnmasked, shownOncePublished } from './masked.ts'
import { missingAreTold } from './missing.ts'
import { withdrawalIsHeeded, witnessesHold } from './people.ts'
import { everybodyTakesPart, journalAgreesWithChain, nobodyNeedsAPerson, noRoundLost, sameModelEverywhere } from './sites.ts'

/** What must hold after every seed, whatever went wrong. Each gives a line for each time that it is broken. */
export const INVARIANTS = {
  oneFrozenSet,
  closedByMajority,
  noWrongSumClosed,
  honestSumsAreTrue,
  noUpdateInTwoSums,
  committedOrLogged,
  noRoundLost,
  sameModelEverywhere,
  journalAgreesWithChain,
  nobodyNeedsAPerson,
  everybodyTakesPart,
  missingAreTold,
  withdrawalIsHeeded,
  witnessesHold,
  neverBothKinds,
  oneSetUnmasked,
  shownOncePublished,
  masksComeOff,
  groupsHideEnough,
  groupsAreFixed,
  sumsOfGroupsHideEnough,
  repeatsShowTheSame,
  oneSpoilsNoRound,
  auditFollows,
  falseDealersAlone,
} as const satisfies Readonly<Record<string, (record: RunRecord) => string[]>>

export type InvariantName = keyof typeof INVARIANTS

export interface Broken {
  readonly invariant: InvariantName
  readonly what: string
}

export const brokenIn = (record: RunRecord): Broken[] =>
  (Object.keys(INVARIANTS) as InvariantName[]).flatMap((invariant) => INVARIANTS[invariant](record).map((what) => ({ invariant, what })))
