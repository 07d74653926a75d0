import { has } from '#base/bitmap.ts'
import { concat } from '#base/bytes.ts'
import type { FaultList } from './fault-list.ts'
import type { MaskGroup } from './masks/groups.ts'
import type { KnownModel } from './round-input.ts'
import type { GroupedSum } from './step-of-groups.ts'
import type { KnownStep } from './verify-model.ts'

type Model = KnownModel['model']
type Value = Model['state'][string]

/**
 * The step of a study in groups: that of each group alone, and number by number the middle of them. A group beyond the bounds, or whose step is of another kind than
 * most, is named and left out; where half of all are, the base is kept. Null where no step follows.
 */
export function medianOfGroups(
  { sum, groups, included, stepFrom }: Omit<GroupedSum, 'mayVote' | 'isResult' | 'wordBits'>,
  base: Model,
  faults: FaultList,
): KnownStep | null {
  const steps = groups.map(({ sites, start, end }) =>
    stepFrom(concat(new Uint8Array(32), sum.subarray(start, end)), [...sites].filter((site) => has(included, site)).length),
  )
  const kindOf = (step: KnownStep | null): string => `${step?.status} ${step?.model.stage}`
  if (steps.includes(null)) return null
  const kept = steps.map((step) => step?.status !== 'refused' && 2 * steps.filter((other) => kindOf(other) === kindOf(step)).length > steps.length)
  const [first, ...others] = steps.filter((step, i): step is KnownStep => step !== null && kept[i] === true)
  const isOut = (i: number): boolean => (first === undefined ? steps[i]?.status === 'refused' : !kept[i])
  for (const [i, group] of groups.entries()) if (isOut(i)) faults.note(leftOut(group))
  if (first === undefined) return { model: { ...base, refusals: base.refusals + 1 }, status: 'refused' }
  const state = middleState([first, ...others].map(({ model }) => model.state))
  // Rows are counted once, by the first stage that does.
  const { rows = state.rows } = base.state
  return { model: { ...first.model, state: rows === undefined ? state : { ...state, rows } }, status: first.status }
}

const leftOut = ({ sites }: MaskGroup): string =>
  `the group of site ${[...sites].sort((a, b) => a - b).join(', ')} was left out: its sum is beyond what updates inside the bounds add up to`

function middleState(states: readonly Model['state'][]): Model['state'] {
  const state: Record<string, Value> = {}
  for (const key of Object.keys(states[0] ?? {})) {
    const values = states.map((each) => each[key] as Value)
    const counts = (key === 'rows' || key === 'n') && values.every((value) => typeof value === 'number')
    state[key] = counts ? values.reduce<number>((total, value) => total + (value as number), 0) : middle(values)
  }
  return state
}

/**
 * Numbers by their rank, lists and records part by part where most have them, float32 weights one by one, anything else as the first has it. A number that some
 * lack is there where its rank does not depend on what theirs would be.
 */
function middle(values: readonly Value[]): Value {
  const numbers = values.filter((value) => typeof value === 'number' && !Number.isNaN(value))
  if (numbers.length > 0) return rankedWith(numbers as readonly number[], values.length - numbers.length)
  const present = values.filter((value) => value !== null && typeof value === 'object')
  const [first] = present
  if (first === undefined) return values[0] ?? null
  if (first instanceof Uint8Array) return present.length === values.length ? middleWeights(present as Uint8Array[]) : null
  if (2 * present.length <= values.length) return null
  if (Array.isArray(first)) return first.map((_, i) => middle(values.map((value) => (Array.isArray(value) ? (value[i] as Value) : null))))
  return middleState([...present, ...new Array(values.length - present.length).fill({})] as Model['state'][])
}

/** Of numbers beside so many that may be anything: the rank is looked at with all of these below, and with all above. */
function rankedWith(numbers: readonly number[], unknown: number): number | null {
  const unknowns = (as: number): number[] => new Array<number>(unknown).fill(as)
  const [low, high] = [-Infinity, Infinity].map((as) => Float64Array.from([...numbers, ...unknowns(as)]).sort()) as [Float64Array, Float64Array]
  const last = low.length - 1
  const isSure = [Math.floor(last / 2), Math.ceil(last / 2)].every((at) => low[at] === high[at])
  return isSure ? ranked(low) : null
}

/** -0 is written as 0. */
function ranked(sorted: ArrayLike<number>): number {
  const low = sorted[Math.ceil(sorted.length / 2) - 1] as number
  const high = sorted[Math.floor(sorted.length / 2)] as number
  return low === high ? high + 0 : (low + high) / 2 + 0
}

function middleWeights(weights: readonly Uint8Array[]): Uint8Array {
  const views = weights.map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length))
  const bytes = new Uint8Array(weights[0]?.length ?? 0)
  const out = new DataView(bytes.buffer)
  const column = new Float64Array(views.length)
  for (let at = 0; at < bytes.length; at += 4) {
    for (const [i, view] of views.entries()) column[i] = view.getFloat32(at, true)
    out.setFloat32(at, ranked(column.sort()), true)
  }
  return bytes
}
