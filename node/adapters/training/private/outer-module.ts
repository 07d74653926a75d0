/**
 * A WebAssembly module with one function, the inner loop of all weight gradients in private training: it adds up outer products in float64. Put together
 * here, instruction by instruction, so that what runs can be read. TensorFlow.js has no gradient of a convolution's filter for its wasm backend, and none
 * of one patient on any.
 *
 *   tile(x, xRow, xColumn, d, dRow, dColumn, rows, columns, g, gRow), all in bytes but rows and columns, which are 1 or more:
 *   g[k][j] += Σ over row, column of x[row][column][k] · d[row][column][j], for k and j from 0 to 3
 *
 * @see WebAssembly 2.0, binary format
 */
type Code = readonly number[]

const [X, X_ROW, X_COLUMN, D, D_ROW, D_COLUMN, ROWS, COLUMNS, G, G_ROW] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
const [LEFT, X_AT, D_AT, SUMS, FACTORS, SPREAD] = [10, 11, 12, 13, 21, 23]
const FOUR = [0, 1, 2, 3]
const HALVES = [0, 1]

/** Unsigned, seven bits a byte. */
const uint = (n: number): number[] => (n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...uint(n >>> 7)])
const list = (items: readonly Code[]): number[] => [...uint(items.length), ...items.flat()]
const section = (id: number, items: readonly Code[]): number[] => [id, ...uint(list(items).length), ...list(items)]
const name = (text: string): Code => [...uint(text.length), ...new TextEncoder().encode(text)]

const get = (local: number): Code => [0x20, local]
const set = (local: number): Code => [0x21, local]
const constant = (n: number): Code => [0x41, n]
const [ADD, SUBTRACT, MULTIPLY, LOOP, AGAIN, END] = [[0x6a], [0x6b], [0x6c], [0x03, 0x40], [0x0d, 0], [0x0b]] as const
const simd = (op: number): Code => [0xfd, ...uint(op)]
const [PLUS, TIMES] = [simd(240), simd(242)] as const
const load = (at: number): Code => [...simd(0), 3, ...uint(at)]
const loadInBoth = (at: number): Code => [...simd(10), 3, ...uint(at)]
const store = (at: number): Code => [...simd(11), 3, ...uint(at)]

const move = (local: number, by: number): Code => [...get(local), ...get(by), ...ADD, ...set(local)]
/** Runs `body` as often as `local` says, counting it down. */
const repeat = (local: number, body: Code): Code => [...LOOP, ...body, ...get(local), ...constant(1), ...SUBTRACT, 0x22, local, ...AGAIN, ...END]
const sum = (k: number, half: number): number => SUMS + 2 * k + half
const gradientRow = (k: number): Code => [...get(G), ...get(G_ROW), ...constant(k), ...MULTIPLY, ...ADD]

const products = (k: number): Code => [
  ...[...get(X_AT), ...loadInBoth(8 * k), ...set(SPREAD)],
  ...HALVES.flatMap((half) => [...get(sum(k, half)), ...get(SPREAD), ...get(FACTORS + half), ...TIMES, ...PLUS, ...set(sum(k, half))]),
]

const onePosition = (): Code => [
  ...HALVES.flatMap((half) => [...get(D_AT), ...load(16 * half), ...set(FACTORS + half)]),
  ...FOUR.flatMap(products),
  ...move(X_AT, X_COLUMN),
  ...move(D_AT, D_COLUMN),
]

const oneRow = (): Code => [
  ...[...get(X), ...set(X_AT), ...get(D), ...set(D_AT), ...get(COLUMNS), ...set(LEFT)],
  ...repeat(LEFT, onePosition()),
  ...move(X, X_ROW),
  ...move(D, D_ROW),
]

const tile = (): Code => [
  ...FOUR.flatMap((k) => HALVES.flatMap((half) => [...gradientRow(k), ...load(16 * half), ...set(sum(k, half))])),
  ...repeat(ROWS, oneRow()),
  ...FOUR.flatMap((k) => HALVES.flatMap((half) => [...gradientRow(k), ...get(sum(k, half)), ...store(16 * half)])),
  ...END,
]

/** With exports `memory` and `tile`. */
export function outerModule(): Uint8Array<ArrayBuffer> {
  const [i32, v128] = [0x7f, 0x7b]
  const body = [
    ...list([
      [3, i32],
      [11, v128],
    ]),
    ...tile(),
  ]
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [[0x60, 10, ...new Array<number>(10).fill(i32), 0]]),
    ...section(3, [[0]]),
    ...section(5, [[0, 1]]),
    ...section(7, [
      [...name('memory'), 2, 0],
      [...name('tile'), 0, 0],
    ]),
    ...section(10, [[...uint(body.length), ...body]]),
  ])
}
