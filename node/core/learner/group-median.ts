import type { Model, ModelState, ModelValue } from '../model/model.ts'
import { roomyFloats } from '../model/roomy.ts'

/**
 * The model in the middle of those that groups led to, number by number: the median, and of an even count the mean of the two in the middle. As long as fewer
 * than half of the groups are bad, each number lies between two that good groups gave. Rows are counted: those of all groups are added up.
 * @param models of one stage, one at least
 * @param before that they all followed from: rows that were counted earlier stay
 */
export function medianModel(models: readonly Model[], before: Model): Model {
  const [first] = models
  return { ...(first as Model), state: { ...medianState(models.map(({ state }) => state)), ...counted(before) } }
}

const counted = ({ state: { rows } }: Model): ModelState => (rows === undefined ? {} : { rows })

/** What counts rows. */
const COUNTS = new Set(['rows', 'n'])

function medianState(states: readonly ModelState[]): ModelState {
  const [first] = states
  return Object.fromEntries(
    Object.keys(first ?? {}).map((key) => {
      const values = states.map((state) => state[key])
      return [key, COUNTS.has(key) && values.every(isNumber) ? values.reduce((sum, n) => sum + n, 0) : medianValue(values)]
    }),
  )
}

const isNumber = (value: unknown): value is number => typeof value === 'number'
const isList = (value: unknown): value is readonly ModelValue[] => Array.isArray(value)
const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array

/** Where not even half of the groups have a number there is none; what is no number is the same in all. */
function medianValue(values: readonly (ModelValue | undefined)[]): ModelValue {
  const numbers = values.filter(isNumber)
  if (numbers.length > 0) return 2 * numbers.length > values.length ? median(numbers) : null
  const lists = values.filter(isList)
  if (lists.length > 0) return (lists[0] ?? []).map((_, i) => medianValue(lists.map((list) => list[i])))
  const weights = values.filter(isBytes)
  if (weights.length > 0) return medianWeights(weights)
  const records = values.filter((value): value is ModelState => typeof value === 'object' && value !== null)
  return records.length > 0 ? medianState(records) : (values[0] ?? null)
}

const median = (numbers: readonly number[]): number => middleOf([...numbers].sort((a, b) => a - b))

/** -0 becomes 0: a model's encoding does not keep it. */
function middleOf(sorted: readonly number[]): number {
  const half = sorted.length >> 1
  const upper = sorted[half] as number
  return (sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2) + 0
}

/** Of networks: float32, little-endian. */
function medianWeights(all: readonly Uint8Array[]): Uint8Array {
  const views = all.map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  const middle = roomyFloats((all[0] as Uint8Array).length / 4)
  const here = new Array<number>(views.length)
  for (let i = 0; i < middle.length; i++) {
    for (let g = 0; g < here.length; g++) insert(here, g, (views[g] as DataView).getFloat32(4 * i, true))
    middle[i] = middleOf(here)
  }
  return new Uint8Array(middle.buffer, middle.byteOffset, middle.byteLength)
}

/** Into the first so many, which are in order. */
function insert(sorted: number[], count: number, value: number): void {
  let at = count
  for (; at > 0 && (sorted[at - 1] as number) > value; at--) sorted[at] = sorted[at - 1] as number
  sorted[at] = value
}
