import { equalBytes, type Sha256 } from '#base/bytes.ts'

/**
 * A commitment to a map from keys to values (32 bytes each) that can be opened one key at a time, for presence and for absence.
 *
 * A sparse Merkle tree: at depth d a key goes left where its bit d (most significant first) is 0. A subtree of one entry is that
 * entry's leaf, a subtree of none is EMPTY, so that a proof is as long as the key's prefix is shared with others.
 *
 *   leaf = H(0x00 ‖ key ‖ value)      node = H(0x01 ‖ left ‖ right)      EMPTY = 32 zero bytes
 *
 * One root has one answer for each key: the way to a key is fixed by its bits, so nobody who made the root, by whatever order or
 * padding, can show a key both present and absent, or with two values.
 * @see Dahlberg, Pulls, Peeters, "Efficient Sparse Merkle Trees", NordSec 2016; RFC 6962, section 2.1, for leaf and node prefixes
 */
export interface KeyedMap {
  readonly root: Uint8Array
  readonly tree: Branch
  readonly size: number
}

export interface MapEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** What lies at the end of a key's way, and the siblings beside the way, from the root down. */
export interface MapProof {
  /** The key's own entry; another's, which lies where the key would; null: nothing does. */
  readonly end: MapEntry | null
  readonly siblings: readonly Uint8Array[]
}

/** What a proof shows of a key; null: nothing, it does not lead to the root. */
export type Shown = { readonly present: true; readonly value: Uint8Array } | { readonly present: false } | null

export type Branch = null | { readonly hash: Uint8Array; readonly entry: MapEntry } | Fork

interface Fork {
  readonly hash: Uint8Array
  readonly left: Branch
  readonly right: Branch
  /** Entries below. */
  readonly size: number
}

/** What the hash of a fork is taken over: `counted-map.ts` has another. */
export type Join = (left: Branch, right: Branch, sha256: Sha256) => Uint8Array

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)
export const EMPTY = new Uint8Array(32)
export const KEY_BITS = 256

const join: Join = (left, right, sha256) => sha256(NODE, hashOf(left), hashOf(right))

/** @param entries with distinct keys, in any order */
export function buildKeyedMap(entries: readonly MapEntry[], sha256: Sha256, joined: Join = join): KeyedMap {
  const sorted = sortByKey(entries)
  const subtree = (from: number, to: number, depth: number): Branch => {
    if (from === to) return null
    if (depth > KEY_BITS) throw new RangeError('two entries of a keyed map have one key')
    if (to - from === 1) {
      const entry = sorted[from] as MapEntry
      return { hash: leafHash(entry, sha256), entry }
    }
    const middle = firstRight(sorted, from, to, depth)
    const left = subtree(from, middle, depth + 1)
    const right = subtree(middle, to, depth + 1)
    return { hash: joined(left, right, sha256), left, right, size: to - from }
  }
  const tree = subtree(0, sorted.length, 0)
  return { root: hashOf(tree), tree, size: entries.length }
}

export function proveKey({ tree }: KeyedMap, key: Uint8Array): MapProof {
  const siblings: Uint8Array[] = []
  let here = tree
  for (let depth = 0; here !== null && 'left' in here; depth++) {
    const right = bitOf(key, depth)
    siblings.push(hashOf(right ? here.left : here.right))
    here = right ? here.right : here.left
  }
  return { end: here === null ? null : here.entry, siblings }
}

export function shownBy(root: Uint8Array, key: Uint8Array, { end, siblings }: MapProof, sha256: Sha256): Shown {
  const depth = siblings.length
  if (key.length !== 32 || depth > KEY_BITS || !siblings.every((sibling) => sibling.length === 32)) return null
  if (end !== null && !(end.value.length === 32 && end.key.length === 32 && sharesPrefix(end.key, key, depth))) return null
  let hash = end === null ? EMPTY : leafHash(end, sha256)
  for (let d = depth - 1; d >= 0; d--) {
    const sibling = siblings[d] as Uint8Array
    hash = bitOf(key, d) ? sha256(NODE, sibling, hash) : sha256(NODE, hash, sibling)
  }
  if (!equalBytes(hash, root)) return null
  return end !== null && equalBytes(end.key, key) ? { present: true, value: end.value } : { present: false }
}

/** Where the keys with bit `depth` set begin; those before share their first bits, so they are sorted by this one. */
function firstRight(sorted: readonly MapEntry[], from: number, to: number, depth: number): number {
  let [low, high] = [from, to]
  while (low < high) {
    const middle = (low + high) >> 1
    if (bitOf((sorted[middle] as MapEntry).key, depth)) high = middle
    else low = middle + 1
  }
  return low
}

export const hashOf = (branch: Branch): Uint8Array => branch?.hash ?? EMPTY
export const leafHash = ({ key, value }: MapEntry, sha256: Sha256): Uint8Array => sha256(LEAF, key, value)
export const bitOf = (key: Uint8Array, depth: number): boolean => (((key[depth >> 3] as number) >> (7 - (depth & 7))) & 1) === 1

export function sharesPrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  for (let depth = 0; depth < bits; depth++) if (bitOf(a, depth) !== bitOf(b, depth)) return false
  return true
}

/**
 * By numbers of a key's first 32 bits and the entry's place, which sort ten times as fast as bytes do. Keys are hashes: few begin alike,
 * and these are put in order by themselves.
 */
function sortByKey(entries: readonly MapEntry[]): readonly MapEntry[] {
  if (entries.length > PLACES) return [...entries].sort((a, b) => compareKeys(a.key, b.key))
  const ranks = Float64Array.from(entries, ({ key }, i) => firstBits(key) * PLACES + i).sort()
  const sorted = Array.from(ranks, (rank) => entries[rank % PLACES] as MapEntry)
  for (let from = 0, to = 0; from < sorted.length; from = to) {
    const bits = firstBits((sorted[from] as MapEntry).key)
    while (to < sorted.length && firstBits((sorted[to] as MapEntry).key) === bits) to++
    if (to - from === 1) continue
    const alike = sorted.slice(from, to).sort((a, b) => compareKeys(a.key, b.key))
    for (const [i, entry] of alike.entries()) sorted[from + i] = entry
  }
  return sorted
}

/** With 32 bits more they are whole numbers below 2^53. */
const PLACES = 2 ** 21
const firstBits = (key: Uint8Array): number => (key[0] as number) * 2 ** 24 + (((key[1] as number) << 16) | ((key[2] as number) << 8) | (key[3] as number))

function compareKeys(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return 0
}
