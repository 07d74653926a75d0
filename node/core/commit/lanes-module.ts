import { utf8 } from '#base/bytes.ts'

/**
 * A WebAssembly module that hashes the nodes of a Merkle tree four at a time: in each vector of four 32-bit lanes stands the same word of four
 * messages. Put together here, instruction by instruction, so that what runs can be read.
 *
 *   memory   0: round constants (64 words) | SLOTS: four messages of two blocks, padded | HASHES: hashes of 32 bytes, in and out
 *   level(g) replaces the first 8·g hashes by the 4·g nodes H(0x01 ‖ left ‖ right) over them
 *
 * @see FIPS 180-4, section 6.2; WebAssembly 2.0, binary format
 */
export const [SLOTS, SLOT_BYTES, HASHES] = [256, 128, 1024]

type Code = readonly number[]

/** Locals: the count of groups, from where to where, of the two inner loops; then vectors. */
const [GROUPS, FROM, TO, BLOCK, ROUND] = [0, 1, 2, 3, 4]
const [STATE, WORDS, HASH, TEMP, OTHER] = [5, 13, 29, 37, 38]
const EIGHT = [0, 1, 2, 3, 4, 5, 6, 7]
const LANES = [0, 1, 2, 3]
const SIXTEEN = Array.from({ length: 16 }, (_, i) => i)

const INITIAL = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]

/** Unsigned, seven bits a byte. */
const uint = (n: number): number[] => (n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...uint(n >>> 7)])
const sint = (n: number): number[] => (n >= -64 && n < 64 ? [n & 0x7f] : [(n & 0x7f) | 0x80, ...sint(n >> 7)])
const list = (items: readonly Code[]): number[] => [...uint(items.length), ...items.flat()]
const section = (id: number, items: readonly Code[]): number[] => [id, ...uint(list(items).length), ...list(items)]

const get = (local: number): Code => [0x20, local]
const set = (local: number): Code => [0x21, local]
const i32 = (n: number): Code => [0x41, ...sint(n)]
const [ADD32, COPY, END, LOOP, AGAIN] = [[0x6a], [0xfc, 10, 0, 0], [0x0b], [0x03, 0x40], [0x0d, 0]] as const
const simd = (op: number): Code => [0xfd, ...uint(op)]
const [AND, OR, XOR, ADD, LEFT, RIGHT] = [78, 80, 81, 174, 171, 173].map(simd) as [Code, Code, Code, Code, Code, Code]
const load = (at: number): Code => [...simd(0), 0, ...uint(at)]
const loadInAll = (at: number): Code => [...simd(9), 2, ...uint(at)]
const store = (at: number): Code => [...simd(11), 0, ...uint(at)]
const shuffle = (bytes: Code): Code => [...simd(13), ...bytes]
const constantInAll = (n: number): Code => [...simd(12), ...LANES.flatMap(() => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24])]
/** Runs `body` as long as `local` + `by` is not `end`. */
const loop = (local: number, by: number, end: number, body: readonly Code[]): Code =>
  [LOOP, ...body, get(local), i32(by), ADD32, [0x22, local], i32(end), [0x47], AGAIN, END].flat()

const rotate = (x: number, by: number): Code => [...get(x), ...i32(by), ...RIGHT, ...get(x), ...i32(32 - by), ...LEFT, ...OR]
const sigma = (x: number, a: number, b: number, last: Code): Code => [...rotate(x, a), ...rotate(x, b), ...XOR, ...last, ...XOR]
const shift = (x: number, by: number): Code => [...get(x), ...i32(by), ...RIGHT]

/** Round i of 16; the eight working variables move on by one local a round. */
function round(i: number): Code {
  const [a, b, c, d, e, f, g, h] = EIGHT.map((k) => STATE + ((k + 8 - (i % 8)) % 8)) as [number, number, number, number, number, number, number, number]
  const choice = [get(f), get(g), XOR, get(e), AND, get(g), XOR]
  const majority = [get(a), get(b), AND, get(c), get(a), get(b), OR, AND, OR]
  const first = [get(h), sigma(e, 6, 11, rotate(e, 25)), ADD, ...choice, ADD, get(ROUND), loadInAll(4 * i), get(WORDS + i), ADD, ADD, set(TEMP)]
  return [...first, get(d), get(TEMP), ADD, set(d), get(TEMP), sigma(a, 2, 13, rotate(a, 22)), ADD, ...majority, ADD, set(h)].flat()
}

function nextWord(i: number): Code {
  const word = (ahead: number): number => WORDS + ((i + ahead) % 16)
  const [near, far] = [sigma(word(1), 7, 18, shift(word(1), 3)), sigma(word(14), 17, 19, shift(word(14), 10))]
  return [get(word(0)), near, ADD, get(word(9)), ADD, far, ADD, set(word(0))].flat()
}

/** Four words of each of four messages: from message by message to word by word, or back. */
function transpose(v: number): Code {
  const pick = (one: number, other: number, order: Code, to: number): Code => [...get(one), ...get(other), ...shuffle(order), ...set(to)]
  const words = (...order: number[]): Code => order.flatMap((word) => LANES.map((byte) => 4 * word + byte))
  const [low, high, lowHalf, highHalf] = [words(0, 4, 1, 5), words(2, 6, 3, 7), words(0, 1, 4, 5), words(2, 3, 6, 7)]
  const crossed = [pick(v, v + 1, low, TEMP), pick(v + 2, v + 3, low, OTHER), pick(v, v + 1, high, v), pick(v + 2, v + 3, high, v + 3)]
  return [...crossed, pick(v, v + 3, lowHalf, v + 2), pick(v, v + 3, highHalf, v + 3), pick(TEMP, OTHER, lowHalf, v), pick(TEMP, OTHER, highHalf, v + 1)].flat()
}

const swapBytes = (v: number): Code => [...get(v), ...get(v), ...shuffle(LANES.flatMap((word) => [3, 2, 1, 0].map((byte) => 4 * word + byte)))]

const readWords = (): Code =>
  LANES.flatMap((quarter) => {
    const v = WORDS + 4 * quarter
    const loads = LANES.map((lane) => [...get(BLOCK), ...load(SLOTS + lane * SLOT_BYTES + 16 * quarter), ...set(v + lane)])
    return [...loads, transpose(v), ...LANES.map((word) => [...swapBytes(v + word), ...set(v + word)])].flat()
  })

const rounds = (): Code => [
  ...EIGHT.flatMap((i) => [...get(HASH + i), ...set(STATE + i)]),
  ...[i32(0), set(ROUND)].flat(),
  ...SIXTEEN.flatMap(round),
  ...[i32(64), set(ROUND)].flat(),
  ...loop(
    ROUND,
    64,
    256,
    SIXTEEN.map((i) => [...nextWord(i), ...round(i)]),
  ),
  ...EIGHT.flatMap((i) => [...get(HASH + i), ...get(STATE + i), ...ADD, ...set(HASH + i)]),
]

const gather = (): Code => LANES.flatMap((lane) => [i32(SLOTS + lane * SLOT_BYTES + 1), get(FROM), i32(64 * lane), ADD32, i32(64), COPY].flat())

const writeHashes = (): Code =>
  [0, 4].flatMap((half) => [
    ...transpose(HASH + half),
    ...LANES.flatMap((lane) => [...get(TO), ...swapBytes(HASH + half + lane), ...store(32 * lane + 4 * half)]),
  ])

const level = (): Code => [
  ...[i32(HASHES), set(FROM), i32(HASHES), set(TO)].flat(),
  ...loop(GROUPS, -1, 0, [
    gather(),
    INITIAL.flatMap((word, i) => [...constantInAll(word), ...set(HASH + i)]),
    [i32(0), set(BLOCK)].flat(),
    loop(BLOCK, 64, SLOT_BYTES, [readWords(), rounds()]),
    writeHashes(),
    [get(FROM), i32(256), ADD32, set(FROM), get(TO), i32(128), ADD32, set(TO)].flat(),
  ]),
  ...END,
]

const name = (text: string): Code => [...uint(text.length), ...utf8(text)]

/** With exports `memory` and `level`. */
export function lanesModule(): Uint8Array {
  const body = [
    ...list([
      [4, 0x7f],
      [34, 0x7b],
    ]),
    ...level(),
  ]
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [[0x60, 1, 0x7f, 0]]),
    ...section(3, [[0]]),
    ...section(5, [[0, 1]]),
    ...section(7, [
      [...name('memory'), 2, 0],
      [...name('level'), 0, 0],
    ]),
    ...section(10, [[...uint(body.length), ...body]]),
  ])
}
