import { has } from '#base/bitmap.ts'
import type { RoundNo } from '#base/ids.ts'
import type { StudyRules } from '#ports/chain.ts'
import { type ChainTime, partsPassed } from './clock.ts'
import { isSmall } from './custody.ts'
import type { Play, Round } from './play.ts'

/** A round in which this site's disk is too full for others' large updates. */
export interface Relief {
  readonly round: RoundNo
  /** The others have not borne the updates out without it: it does so too, to the round's end. */
  readonly helps: boolean
  /** It says nothing of a slice yet unless it holds all of it: it began when the others had said what they hold. */
  readonly isPatient: boolean
}

/**
 * Whoever is not in a round and whose disk is too full leaves large updates to the other custodians of their slices: it fetches, keeps, witnesses and
 * adds up none of them. A slice stands by two of its three, who say what they hold after a third of the limit at the latest, and is added up by sites of
 * the set: as a rule nothing waits for this one. Where the round is not frozen after half of the limit, it helps: no round is lost for a disk that has
 * room left. Null: it bears its part. Small updates come inside messages.
 */
export async function reliefOf(play: Play, { layout, view: { round } }: Round, rules: StudyRules, head: ChainTime): Promise<Relief | null> {
  const { site } = play
  if (isSmall(layout) || has(round.contributed, site.id) || !(await site.diskFull())) return null
  const sixths = round.phase === 'Witnessing' ? partsPassed(rules, round, head, 6) : 0

  const helped = play.relief?.round === round.round && play.relief.helps
  return { round: round.round, helps: helped || sixths >= 3, isPatient: sixths < 5 }
}

/** Whether the others bear its part of the round. */
export const isRelieved = ({ relief }: Pick<Play, 'relief'>, { view }: Pick<Round, 'view'>): boolean =>
  relief !== null && relief.round === view.round.round && !relief.helps
