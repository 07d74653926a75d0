import type { Model, ModelState, ModelValue } from '../model/model.ts'
import { roomyFloats } from '../model/roomy.ts'

/**
 * The model in the middle of those that groups led to, number by number: the median, and of an even count the mean of the two in the middle. As long as fewer
 * than half of the groups are bad, each number lies between two that good groups gave, or there is none. Rows are counted: those of all groups are added up.
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

const isNumber = (value: unknown): value is number => typeof value === 'number' && !Number.isNaN(value)
const isList = (value: unknown): value is readonly ModelValue[] => Array.isArray(value)
const isRecord = (value: unknown): value is ModelState => typeof value === 'object' && value !== null && !isList(value) && !isBytes(value)
const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array

/** Of lists and records part by part, where most groups have them; what else is no number is the same in all. */
function medianValue(values: readonly (ModelValue | undefined)[]): ModelValue {
  const isMost = ({ length }: readonly unknown[]): boolean => 2 * length > values.length
  const numbers = values.filter(isNumber)
  if (numbers.length > 0) return median(numbers, values.length)
  const lists = values.filter(isList)
  if (lists.length > 0) return isMost(lists) ? (lists[0] ?? []).map((_, i) => medianValue(values.map((list) => (isList(list) ? list[i] : null)))) : null
  const weights = values.filter(isBytes)
  if (weights.length > 0) return weights.length === values.length ? medianWeights(weights) : null
  const records = values.filter(isRecord)
  if (records.length > 0) return isMost(records) ? medianState([...records, ...Array.from({ length: values.length - records.length }, () => ({}))]) : null
  return values[0] ?? null
}

/**
 * Some groups may have no number, as of an AUC without positives, and be good ones: so there is a middle only where it is the same whether theirs would be the
 * lowest or the highest. Were they not counted, one bad group of three would be as many as the good ones.
 * @param count of groups
 */
function median(numbers: readonly number[], count: number): number | null {
  const sorted = [...numbers].sort((a, b) => a - b)
  const none = count - sorted.length
  const isSame = (place: number): boolean => sorted[place] !== undefined && sorted[place] === sorted[place - none]
  return isSame((count - 1) >> 1) && isSame(count >> 1) ? middleOf(sorted, count) : null
}

/** -0 becomes 0: a model's encoding does not keep it. */
function middleOf(sorted: readonly number[], count: number): number {
  const upper = sorted[count >> 1] as number
  return (count % 2 === 1 ? upper : ((sorted[(count >> 1) - 1] as number) + upper) / 2) + 0
}

/** Of networks: float32, little-endian. */
function medianWeights(all: readonly Uint8Array[]): Uint8Array {
  const views = all.map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  const middle = roomyFloats((all[0] as Uint8Array).length / 4)
  const here = new Array<number>(views.length)
  for (let i = 0; i < middle.length; i++) {
    for (let g = 0; g < here.length; g++) insert(here, g, (views[g] as DataView).getFloat32(4 * i, true))
    middle[i] = middleOf(here, here.length)
  }
  return new Uint8Array(middle.buffer, middle.byteOffset, middle.byteLength)
}

/** Into the first so many, which are in order. */
function insert(sorted: number[], count: number, value: number): void {
  let at = count
  for (; at > 0 && (sorted[at - 1] as number) > value; at--) sorted[at] = sorted[at - 1] as number
  sorted[at] = value
}
