import { concat, equalBytes, type Sha256 } from '#base/bytes.ts'

/**
 * A commitment to a set of patients that a site can open one entry at a time, for presence and for absence.
 *
 * Entries are keyed digests (32 bytes), sorted, between two sentinels 00… and ff…, padded to a power of two with dummies
 * that nobody can tell from entries without the site's key. Hashes as in RFC 6962: leaf SHA-256(00 ‖ entry), node SHA-256(01 ‖ l ‖ r).
 *
 * Absence is shown by two neighbours between which the entry would lie. Limit: that holds for a tree whose entries are
 * sorted; a site that lies about the order is caught only by opening the whole tree (`isSorted`).
 */
export interface CohortTree {
  readonly root: Uint8Array
  /** Sorted, padded, sentinels included. */
  readonly entries: readonly Uint8Array[]
  readonly levels: readonly (readonly Uint8Array[])[]
}

export interface CohortPath {
  readonly entry: Uint8Array
  readonly index: number
  /** Siblings from the leaf up. */
  readonly siblings: readonly Uint8Array[]
}

export type AbsenceProof = { readonly below: CohortPath; readonly above: CohortPath }

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)
const LOWEST = new Uint8Array(32)
const HIGHEST = new Uint8Array(32).fill(255)
/** The smallest tree: a root alone does not tell a handful of patients from none. */
const MIN_LEAVES = 16

/** @param dummy entry number i of the padding: keyed with a secret of its own, distinct for each i */
export function buildCohortTree(entries: readonly Uint8Array[], dummy: (i: number) => Uint8Array, sha256: Sha256): CohortTree {
  const size = paddedSize(entries.length + 2)
  const padding = Array.from({ length: size - entries.length - 2 }, (_, i) => dummy(i))
  const sorted = [LOWEST, ...[...entries, ...padding].sort((a, b) => Buffer.compare(a, b)), HIGHEST]
  const levels: Uint8Array[][] = [sorted.map((entry) => sha256(LEAF, entry))]
  for (let level = levels[0] as Uint8Array[]; level.length > 1; levels.push(level)) level = pairUp(level, sha256)
  return { root: levels.at(-1)?.[0] as Uint8Array, entries: sorted, levels }
}

/** @returns null when the entry is not there */
export function provePresent(tree: CohortTree, entry: Uint8Array): CohortPath | null {
  const index = lowerBound(tree.entries, entry)
  return index < tree.entries.length && equalBytes(at(tree.entries, index), entry) ? pathOf(tree, index) : null
}

/** @returns null when the entry is there, or is a sentinel */
export function proveAbsent(tree: CohortTree, entry: Uint8Array): AbsenceProof | null {
  const index = lowerBound(tree.entries, entry)
  if (index === 0 || index === tree.entries.length || equalBytes(at(tree.entries, index), entry)) return null
  return { below: pathOf(tree, index - 1), above: pathOf(tree, index) }
}

export function verifyPresent(root: Uint8Array, entry: Uint8Array, path: CohortPath, sha256: Sha256): boolean {
  return equalBytes(path.entry, entry) && equalBytes(rootOf(path, sha256), root)
}

export function verifyAbsent(root: Uint8Array, entry: Uint8Array, proof: AbsenceProof, sha256: Sha256): boolean {
  const { below, above } = proof
  const neighbours = above.index === below.index + 1 && above.siblings.length === below.siblings.length && above.index < 2 ** above.siblings.length
  const between = Buffer.compare(below.entry, entry) < 0 && Buffer.compare(entry, above.entry) < 0
  return neighbours && between && equalBytes(rootOf(below, sha256), root) && equalBytes(rootOf(above, sha256), root)
}

/** For an auditor to whom the whole tree was opened. */
export const isSorted = (entries: readonly Uint8Array[]): boolean => entries.every((entry, i) => i === 0 || Buffer.compare(at(entries, i - 1), entry) < 0)

function rootOf(path: CohortPath, sha256: Sha256): Uint8Array {
  let hash = sha256(LEAF, path.entry)
  let index = path.index
  for (const sibling of path.siblings) {
    hash = index % 2 === 0 ? sha256(NODE, hash, sibling) : sha256(NODE, sibling, hash)
    index = Math.floor(index / 2)
  }
  return index === 0 ? hash : concat()
}

function pathOf(tree: CohortTree, index: number): CohortPath {
  const siblings = tree.levels.slice(0, -1).map((level, height) => at(level, Math.floor(index / 2 ** height) ^ 1))
  return { entry: at(tree.entries, index), index, siblings }
}

const pairUp = (level: readonly Uint8Array[], sha256: Sha256): Uint8Array[] =>
  Array.from({ length: level.length / 2 }, (_, i) => sha256(NODE, at(level, 2 * i), at(level, 2 * i + 1)))

function lowerBound(sorted: readonly Uint8Array[], entry: Uint8Array): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (Buffer.compare(at(sorted, middle), entry) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function paddedSize(leaves: number): number {
  let size = MIN_LEAVES
  while (size < leaves) size *= 2
  return size
}

const at = (list: readonly Uint8Array[], i: number): Uint8Array => list[i] as Uint8Array

/** What stands for a tag in the tree: only who holds the site's cohort key can tell. */
export const cohortEntry = (key: Uint8Array, tag: Uint8Array, sha256: Sha256): Uint8Array => sha256(COHORT_ENTRY, key, tag)

const COHORT_ENTRY = Uint8Array.from('rota/cohort-entry', (c) => c.charCodeAt(0))
