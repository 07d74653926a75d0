import { has } from '#base/bitmap.ts'
import { fromHex, toDigest } from '#base/bytes.ts'
import { type Bitmap, type Digest, type RoundNo, type RunId, type SiteId, siteId, ZERO_DIGEST } from '#base/ids.ts'
import { placeOf } from '#core/commit/dispute.ts'
import type { EvidenceBytes } from '#core/commit/dispute-parts.ts'
import { LEAF_BYTES } from '#core/commit/merkle.ts'
import { addVectors } from '#core/ring/add.ts'
import { sha256 } from '../hash.ts'
import { accumulate } from './accumulator.ts'
import { countOf } from './bits.ts'
import { revert } from './call.ts'

/** What the coordinator knows of a disputed publication. */
export interface Facts {
  readonly run: RunId
  readonly round: RoundNo
  readonly wordBits: 32 | 64
  readonly accumulator: Digest
  readonly included: Bitmap
  readonly sumRoot: Digest
  /** Of the partial sum that the disputing site left. */
  readonly kept: Digest
}

interface Contribution {
  readonly site: SiteId
  readonly root: Digest
}

const CONTRIBUTION_BYTES = 33
const HASH_BYTES = 32
const MOST_LEAVES = 2 ** 24
const NO_SITE = 65_535

/** LeafJudge.sol: zero when the published sum is wrong at the leaf, else the digest of the partial sum to go on from. */
export function weigh(facts: Facts, evidence: EvidenceBytes, done: number, partialSum: Uint8Array): Digest {
  const { run, round } = facts
  const { leaf, leaves, updates, sum } = evidence
  if (leaf >= leaves || leaves > MOST_LEAVES) revert('RoundCoordinator_LeafOutside', { leaf, leaves })
  const contributions = contributionsIn(facts, evidence.contributions)
  const resumed = done > 0
  if (resumed && (partialSum.length !== LEAF_BYTES || keptDigest(facts, evidence, done, partialSum) !== facts.kept))
    revert('RoundCoordinator_OtherPartialSum', { run, round, done })
  const place = placeOf(leaf, leaves)
  const stride = LEAF_BYTES + HASH_BYTES * place.length
  const missing = countOf(facts.included) - done
  const count = Math.floor(updates.length / stride)
  const fits = sum.length === 0 ? count > 0 && count <= missing : count === missing
  if (!fits || updates.length % stride !== 0) revert('RoundCoordinator_WrongUpdates', { run, round, bytes_: updates.length, wanted: missing * stride })
  const sites = contributions.filter(({ site }) => has(facts.included, site)).slice(done, done + count)
  const added = [...(resumed ? [partialSum] : []), ...sites.map((from, i) => leafOf(from, updates.subarray(i * stride, (i + 1) * stride), place))]
  const total = addVectors(added.map((bytes) => ({ ring: true, wordBits: facts.wordBits, bytes }))).bytes
  if (sum.length === 0) return keptDigest(facts, evidence, done + count, total)
  checkSum(facts, leaf, sum, place, leafHash(total))
  return ZERO_DIGEST
}

function contributionsIn({ run, round, accumulator }: Facts, list: Uint8Array): Contribution[] {
  const contributions = Array.from({ length: Math.floor(list.length / CONTRIBUTION_BYTES) }, (_, i) => {
    const one = list.subarray(i * CONTRIBUTION_BYTES, (i + 1) * CONTRIBUTION_BYTES)
    return { site: siteId(one[0] as number), root: toDigest(one.subarray(1)) }
  })
  const found = contributions.reduce((chain, { site, root }) => accumulate(chain, site, root), ZERO_DIGEST)
  if (list.length % CONTRIBUTION_BYTES !== 0 || found !== accumulator) revert('RoundCoordinator_WrongContributions', { run, round, accumulator })
  return contributions
}

/** The leaf of one update, when its path leads to the root that its site committed to. */
function leafOf({ site, root }: Contribution, update: Uint8Array, place: string): Uint8Array {
  const leaf = update.slice(0, LEAF_BYTES)
  if (rootOver(leafHash(leaf), update.subarray(LEAF_BYTES), place) !== root) revert('RoundCoordinator_WrongPath', { site })
  return leaf
}

/** Reverts unless something else than the true leaf lies in the published tree. */
function checkSum({ run, round, sumRoot }: Facts, leaf: number, sum: Uint8Array, place: string, trueLeaf: Digest): void {
  if (sum.length === HASH_BYTES * (1 + place.length)) {
    const found = toDigest(sum.subarray(0, HASH_BYTES))
    if (rootOver(found, sum.subarray(HASH_BYTES), place) !== sumRoot) revert('RoundCoordinator_WrongPath', { site: NO_SITE })
    if (found === trueLeaf) revert('RoundCoordinator_TrueLeaf', { run, round, leaf })
    return
  }
  const levels = (sum.length - LEAF_BYTES) / HASH_BYTES
  const above = levels >= 0 && levels < place.length && Number.isInteger(levels)
  if (!above || rootOver(leafHash(sum.subarray(0, LEAF_BYTES)), sum.subarray(LEAF_BYTES), place.slice(0, levels)) !== sumRoot)
    revert('RoundCoordinator_WrongPath', { site: NO_SITE })
}

const leafHash = (leaf: Uint8Array): Digest => toDigest(sha256(Uint8Array.of(0), leaf))

/** Siblings lie from below; the place is told from the root. */
function rootOver(hash: Digest, siblings: Uint8Array, place: string): Digest {
  return [...place].reverse().reduce<Digest>((here, side, level) => {
    const sibling = siblings.subarray(level * HASH_BYTES, (level + 1) * HASH_BYTES)
    const [left, right] = side === 'R' ? [sibling, fromHex(here)] : [fromHex(here), sibling]
    return toDigest(sha256(Uint8Array.of(1), left, right))
  }, hash)
}

/** As good as the contract's, which hashes with keccak: nobody but it reads the word. */
function keptDigest({ round }: Facts, { leaf, leaves }: EvidenceBytes, done: number, partialSum: Uint8Array): Digest {
  return toDigest(sha256(new Uint8Array(Uint32Array.of(round, leaf, leaves, done).buffer), partialSum))
}
