import { equalBytes, type Sha256 } from '#base/bytes.ts'
import {
  type Branch,
  bitOf,
  buildKeyedMap,
  EMPTY,
  hashOf,
  type Join,
  KEY_BITS,
  type KeyedMap,
  leafHash,
  type MapEntry,
  type MapProof,
  sharesPrefix,
} from './keyed-map.ts'

/**
 * A keyed map (`keyed-map.ts`) whose nodes commit to how many entries lie on either side, so that every entry has a place, 0 to count − 1 from left to
 * right, that can be shown:
 *
 *   leaf = H(0x00 ‖ key ‖ value), counts 1      node = H(0x02 ‖ left ‖ right ‖ left's count ‖ right's count), counts both      EMPTY counts 0
 *
 * Guarantee, whatever the one who made the root put into it: each place has at most one entry that can be shown, and each entry that can be shown has one
 * place. By induction from the leaves: below a node of count c at most c entries have a way whose counts add up, those on the left with the first places.
 * So a place drawn evenly meets each entry with the same chance 1 / count. It does not matter that keys can be chosen: entries that are crowded under one
 * prefix, where a drawn *key* would hardly ever fall, take up as many places as any others; and entries that a count leaves out can be shown by nobody,
 * not to the holder of a receipt either.
 * @see keyed-map.ts; Chalkias, Lewi, Mohassel, Nikolaenko, "Distributed Auditing Proofs of Liabilities", 2020, for why both counts are hashed, not their sum
 */
export interface CountedProof extends MapProof {
  /** Of entries below each sibling. */
  readonly counts: readonly number[]
}

/** Where a shown key stands, or would stand, among how many. */
export interface Placed {
  readonly present: boolean
  readonly place: number
  readonly count: number
}

const NODE = Uint8Array.of(2)
const MOST = 2 ** 32 - 1

/** @param entries with distinct keys, in any order */
export const buildCountedMap = (entries: readonly MapEntry[], sha256: Sha256): KeyedMap => buildKeyedMap(entries, sha256, join)

const join: Join = (left, right, sha256) => nodeHash(hashOf(left), sizeOf(left), hashOf(right), sizeOf(right), sha256)

const sizeOf = (branch: Branch): number => (branch === null ? 0 : 'left' in branch ? branch.size : 1)

function nodeHash(left: Uint8Array, leftCount: number, right: Uint8Array, rightCount: number, sha256: Sha256): Uint8Array {
  const counts = new Uint8Array(8)
  const view = new DataView(counts.buffer)
  view.setUint32(0, leftCount)
  view.setUint32(4, rightCount)
  return sha256(NODE, left, right, counts)
}

export const proveCounted = (map: KeyedMap, key: Uint8Array): CountedProof => proveWay(map, (_, depth) => bitOf(key, depth))

/** @param place from 0, below the map's size */
export function provePlace(map: KeyedMap, place: number): CountedProof & { readonly end: MapEntry } {
  let before = 0
  const proof = proveWay(map, (left) => {
    const right = place >= before + sizeOf(left)
    if (right) before += sizeOf(left)
    return right
  })
  if (proof.end === null || place < 0 || place >= map.size) throw new RangeError(`a map of ${map.size} entries has no place ${place}`)
  return { ...proof, end: proof.end }
}

function proveWay({ tree }: KeyedMap, goesRight: (left: Branch, depth: number) => boolean): CountedProof {
  const [siblings, counts]: [Uint8Array[], number[]] = [[], []]
  let here = tree
  for (let depth = 0; here !== null && 'left' in here; depth++) {
    const right = goesRight(here.left, depth)
    const sibling: Branch = right ? here.left : here.right
    siblings.push(hashOf(sibling))
    counts.push(sizeOf(sibling))
    here = right ? here.right : here.left
  }
  return { end: here === null ? null : here.entry, siblings, counts }
}

/** Whether a key is present, and its place; null: the proof does not lead to the root, or its counts do not. */
export function placedBy(root: Uint8Array, key: Uint8Array, { end, siblings, counts }: CountedProof, sha256: Sha256): Placed | null {
  const depth = siblings.length
  if (key.length !== 32 || depth > KEY_BITS || counts.length !== depth) return null
  if (!siblings.every((sibling, d) => isSide(sibling, counts[d] as number))) return null
  if (end !== null && !(end.value.length === 32 && end.key.length === 32 && sharesPrefix(end.key, key, depth))) return null
  let hash = end === null ? EMPTY : leafHash(end, sha256)
  let [place, count] = [0, end === null ? 0 : 1]
  for (let d = depth - 1; d >= 0; d--) {
    const [sibling, beside] = [siblings[d] as Uint8Array, counts[d] as number]
    const right = bitOf(key, d)
    hash = right ? nodeHash(sibling, beside, hash, count, sha256) : nodeHash(hash, count, sibling, beside, sha256)
    if (right) place += beside
    count += beside
    if (count > MOST) return null
  }
  return equalBytes(hash, root) ? { present: end !== null && equalBytes(end.key, key), place, count } : null
}

/** Nothing counts 0, and nothing else does. */
const isSide = (sibling: Uint8Array, count: number): boolean =>
  sibling.length === 32 && Number.isInteger(count) && count >= 0 && count <= MOST && (count === 0) === equalBytes(sibling, EMPTY)
