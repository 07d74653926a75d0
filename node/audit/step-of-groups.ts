import { has, sizeOf } from '#base/bitmap.ts'
import { concat } from '#base/bytes.ts'
import type { Bitmap } from '#base/ids.ts'
import type { FaultList } from './fault-list.ts'
import type { MaskGroup } from './masks/groups.ts'
import { sumOf } from './ring-words.ts'
import type { KnownStep } from './verify-model.ts'

/** A round in groups, without masks, and what its sums are held against. */
export interface GroupedSum {
  readonly sum: Uint8Array
  readonly groups: readonly MaskGroup[]
  readonly included: Bitmap
  readonly wordBits: 32 | 64
  /** Sites may leave groups out by votes of their own. */
  readonly mayVote: boolean
  /** The step from one sum of so many sites: refused where it is beyond the bounds; null where none follows. */
  readonly stepFrom: (sum: Uint8Array, sites: number) => KnownStep | null
  /** Whether it is the one that the round ended with. */
  readonly isResult: (step: KnownStep) => boolean
}

/**
 * The step from the groups that hold: those whose sum is inside the bounds and, where sites vote, of these any half of all or more that led to what was
 * attested. Names those that were left out. Null where no step follows; a step that is refused where too few groups hold.
 */
export function stepOfGroups(given: GroupedSum, faults: FaultList): KnownStep | null {
  const all = given.groups.map((_, group) => group)
  const sound = all.filter((group) => stepOf(given, [group])?.status !== 'refused')
  name(given, all, sound, 'its sum is beyond what updates inside the bounds add up to', faults)
  const beyond = all.filter((group) => !sound.includes(group))
  if (2 * sound.length < all.length) return stepOf(given, beyond.slice(0, 1))
  const whole = stepOf(given, sound)
  if (whole === null || !given.mayVote || given.isResult(whole)) return whole
  for (const chosen of choicesOf(sound, Math.ceil(all.length / 2))) {
    const step = stepOf(given, chosen)
    if (step === null || !given.isResult(step)) continue
    name(given, sound, chosen, 'by the vote of more than half of the sites', faults)
    return step
  }
  return whole
}

function stepOf({ sum, groups, included, wordBits, stepFrom }: GroupedSum, chosen: readonly number[]): KnownStep | null {
  const parts = chosen.map((group) => concat(new Uint8Array(SALT_BYTES), sum.subarray(groups[group]?.start, groups[group]?.end)))
  const added = sumOf(parts, wordBits)
  return (
    added &&
    stepFrom(
      added,
      chosen.reduce((sites, group) => sites + sizeOf(membersOf(groups[group], included)), 0),
    )
  )
}

const SALT_BYTES = 32

const membersOf = (group: MaskGroup | undefined, included: Bitmap): Bitmap =>
  [...(group?.sites ?? [])].reduce((set, site) => (has(included, site) ? set | (1n << BigInt(site)) : set), 0n) as Bitmap

/** Smaller and smaller parts of a set, down to so many. */
function choicesOf(set: readonly number[], fewest: number): number[][] {
  const choices = Array.from({ length: 2 ** set.length - 1 }, (_, bits) => set.filter((_, i) => ((bits >> i) & 1) === 1))
  return choices.filter(({ length }) => length >= fewest && length > 0).sort((a, b) => b.length - a.length)
}

function name({ groups }: GroupedSum, of: readonly number[], kept: readonly number[], why: string, faults: FaultList): void {
  for (const group of of)
    if (!kept.includes(group)) faults.note(`the group of site ${[...(groups[group]?.sites ?? [])].sort((a, b) => a - b).join(', ')} was left out: ${why}`)
}
