import type { ContractName } from './abi.ts'
import { interfaces } from './link.ts'
import type { RawLog } from './rpc.ts'
import type { Struct } from './views.ts'

/** An event of the contracts, its values by name: numbers of up to 48 bits as number, longer ones as bigint, bytes as 0x-hex. */
export interface NamedFields {
  readonly name: string
  readonly fields: Struct
}

interface Field {
  readonly name: string
  readonly indexed: boolean
  /** Of 64 digits of hex. */
  readonly read: (word: string) => unknown
}

interface Shape {
  readonly name: string
  readonly fields: readonly Field[]
  /** Digits of hex after 0x, without the tail. */
  readonly dataLength: number
  /** Takes the last value of the event out of what comes after the words, where it is one of no fixed length. */
  readonly tail: { readonly name: string; readonly read: (text: string) => unknown } | null
  readonly topics: number
}

/**
 * Takes a log apart; null for an event that the contract does not have. Each value of our events is one word, but for the last one of a few,
 * so that it is cut out of the text: ethers hashes every event's name again at each log and takes a quarter of a millisecond, and a site that was away for a hundred
 * rounds reads two thousand.
 * @throws TypeError when the log is shorter or longer than its event is
 */
export function fieldsOf(contract: ContractName, { topics, data }: Pick<RawLog, 'topics' | 'data'>): NamedFields | null {
  const shape = shapesOf(contract).get(topics[0] ?? '')
  if (shape === undefined) return null
  const { tail, dataLength } = shape
  const fits = tail === null ? data.length === dataLength + 2 : data.length >= dataLength + 2 + WORD
  if (topics.length !== shape.topics || !fits) throw new TypeError(`a log of ${shape.name} has another length`)
  const fields: Record<string, unknown> = {}
  let topic = 1
  let at = 2
  for (const { name, indexed, read } of shape.fields) {
    fields[name] = read(indexed ? wordOf(topics[topic++]) : data.slice(at, at + WORD))
    if (!indexed) at += WORD
  }
  if (tail !== null) {
    // The last word says where the tail begins: right after it.
    if (numberIn(data.slice(at - WORD, at).slice(-12)) * 2 !== dataLength) throw new TypeError(`a log of ${shape.name} has a gap`)
    fields[tail.name] = tail.read(data.slice(at))
  }
  return { name: shape.name, fields }
}

const WORD = 64
const wordOf = (topic: string | undefined): string => (topic ?? '').slice(2)

const known = new Map<ContractName, ReadonlyMap<string, Shape>>()

/** A contract's events by their first topic. */
function shapesOf(contract: ContractName): ReadonlyMap<string, Shape> {
  const made = known.get(contract)
  if (made !== undefined) return made
  const shapes = new Map<string, Shape>()
  interfaces[contract].forEachEvent(({ name, topicHash, inputs }) => {
    const last = inputs.at(-1)
    const read = last === undefined ? undefined : TAILS[last.type]
    const tail = last === undefined || read === undefined ? null : { name: last.name, read }
    const fields = inputs.map((input) => ({
      name: input.name,
      indexed: input.indexed === true,
      read: input.name === tail?.name ? () => null : readerOf(input.type),
    }))
    const topics = 1 + fields.filter(({ indexed }) => indexed).length
    shapes.set(topicHash, { name, fields, topics, tail, dataLength: WORD * (fields.length + 1 - topics) })
  })
  known.set(contract, shapes)
  return shapes
}

/** Values of no fixed length: first how many, then they themselves, in whole words. @throws TypeError when it is shorter or longer than it says */
const TAILS: Readonly<Record<string, (text: string) => unknown>> = {
  bytes: (text) => `0x${counted(text, 2)}`,
  'bytes32[]': (text) => (counted(text, WORD).match(/.{64}/g) ?? []).map((word) => `0x${word}`),
}

/** @param digits of one of them */
function counted(text: string, digits: number): string {
  const length = numberIn(text.slice(0, WORD).slice(-12)) * digits
  if (text.length !== WORD + Math.ceil(length / WORD) * WORD) throw new TypeError('a log has a value of another length')
  return text.slice(WORD, WORD + length)
}

/** @throws TypeError for a type that does not fill one word: none of our events has one, which a test sees to */
function readerOf(type: string): Field['read'] {
  if (type === 'bytes32') return (word) => `0x${word}`
  if (type === 'address') return (word) => `0x${word.slice(24)}`
  if (type === 'bool') return (word) => word.endsWith('1')
  const bits = /^uint(\d+)$/.exec(type)?.[1]
  if (bits === undefined) throw new TypeError(`an event has a value of type ${type}`)
  // As the compiler of the contracts does, only as many bits are read as the type has.
  const digits = Number(bits) / 4
  return digits <= 12 ? (word) => numberIn(word.slice(-digits)) : (word) => BigInt(`0x${word.slice(-digits)}`)
}

/** @throws TypeError when it is no number in hex */
function numberIn(digits: string): number {
  const value = Number(`0x${digits}`)
  if (Number.isNaN(value)) throw new TypeError('a log holds no hex')
  return value
}
