import type { ParamType } from 'ethers'

/**
 * What a view function answered: structs as objects by field name, numbers as bigint, bytes as 0x-hex. A node reads its run at each event of a round, and ethers takes
 * twenty times as long for it, since its results know each value by place and name and tell late what was wrong.
 * @throws RangeError for an answer that is cut short, or says one thing too often
 * @see https://docs.soliditylang.org/en/latest/abi-spec.html#formal-specification-of-the-encoding
 */
export function decodeResult(outputs: readonly ParamType[], raw: string): readonly unknown[] {
  const hex = raw.slice(2)
  return decodeAll(outputs, { hex, at: 0, budget: { values: MOST_REUSED * (1 + hex.length / WORD) } })
}

/** Where values are, in hex digits: `at` is where the offsets in it count from. */
interface Place {
  readonly hex: string
  readonly at: number
  readonly budget: { values: number }
}

/** Of one word, in hex digits. */
const WORD = 64
/** Offsets may lead to one place several times: no contract's do, and an endpoint that did it everywhere would fill the memory. */
const MOST_REUSED = 4

function decodeAll(types: readonly ParamType[], place: Place): unknown[] {
  place.budget.values -= types.length
  if (place.budget.values < 0) throw new RangeError('an answer says one thing too often')
  let head = place.at
  return types.map((type) => {
    const here = { ...place, at: head }
    head += isDynamic(type) ? WORD : sizeOf(type)
    return decode(type, isDynamic(type) ? { ...place, at: place.at + 2 * lengthAt(here) } : here)
  })
}

function decode(type: ParamType, place: Place): unknown {
  if (type.isArray()) {
    const isCounted = type.arrayLength === -1
    const length = isCounted ? lengthAt(place) : (type.arrayLength as number)
    const first = place.at + (isCounted ? WORD : 0)
    // As many as there is room for: each takes a word at least.
    if (first + length * WORD > place.hex.length) throw new RangeError('an array is cut short')
    return decodeAll(new Array<ParamType>(length).fill(type.arrayChildren as ParamType), { ...place, at: first })
  }
  if (type.isTuple()) {
    const fields = type.components ?? []
    const values = decodeAll(fields, place)
    return Object.fromEntries(fields.map(({ name }, i) => [name, values[i]]))
  }
  if (type.type === 'string' || type.type === 'bytes') {
    const bytes = bytesAt({ ...place, at: place.at + WORD }, lengthAt(place))
    return type.type === 'string' ? Buffer.from(bytes, 'hex').toString('utf8') : `0x${bytes}`
  }
  const word = bytesAt(place, WORD / 2)
  if (type.type === 'address') return `0x${word.slice(24)}`
  if (type.type === 'bool') return !/^0+$/.test(word)
  if (type.type.startsWith('bytes')) return `0x${word.slice(0, 2 * Number(type.type.slice(5)))}`
  if (type.type.startsWith('uint')) return BigInt(`0x${word.slice(WORD - Number(type.type.slice(4)) / 4)}`)
  throw new RangeError(`no view answers with ${type.type}`)
}

function bytesAt({ hex, at }: Place, count: number): string {
  const end = at + 2 * count
  if (end > hex.length) throw new RangeError('an answer is cut short')
  return hex.slice(at, end)
}

/** A length or an offset. Larger than any answer: then what it leads to is not there. */
const lengthAt = (place: Place): number => Number(`0x${bytesAt(place, WORD / 2)}`)

const shapes = new WeakMap<ParamType, { readonly isDynamic: boolean; readonly size: number }>()

function shapeOf(type: ParamType): { readonly isDynamic: boolean; readonly size: number } {
  const known = shapes.get(type)
  if (known !== undefined) return known
  const parts = type.isTuple()
    ? (type.components ?? [])
    : type.isArray() && type.arrayLength !== -1
      ? new Array<ParamType>(type.arrayLength as number).fill(type.arrayChildren as ParamType)
      : null
  const isOpen = type.type === 'string' || type.type === 'bytes' || (type.isArray() && type.arrayLength === -1)
  const shape = {
    isDynamic: isOpen || (parts ?? []).some(isDynamic),
    size: parts === null ? WORD : parts.reduce((sum, part) => sum + sizeOf(part), 0),
  }
  shapes.set(type, shape)
  return shape
}

const isDynamic = (type: ParamType): boolean => shapeOf(type).isDynamic
const sizeOf = (type: ParamType): number => shapeOf(type).size
