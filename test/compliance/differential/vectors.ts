import { createHash } from 'node:crypto'
import type { Round } from '#adapters/sim/chain/round.ts'
import { sha256 } from '#adapters/sim/hash.ts'
import type { SimRandom } from '#adapters/sim/random.ts'
import { sitesOf } from '#base/bitmap.ts'
import type { Digest, RoundNo, RunId, SiteId } from '#base/ids.ts'
import { merkleRoot } from '#core/commit/merkle.ts'
import { addVectors } from '#core/ring/add.ts'
import type { Scene } from './scene.ts'

/** Bytes of a run's vectors: one leaf, or a few. */
const lengthOf = (run: RunId): number => [64, 2048, 2504][run % 3] as number

/** A site's update: bytes that follow from where it belongs. */
export function updateOf(run: RunId, round: RoundNo, site: SiteId): Uint8Array {
  const bytes = new Uint8Array(lengthOf(run))
  for (let at = 0; at < bytes.length; at += 32)
    bytes.set(
      createHash('sha256')
        .update(`${run}/${round}/${site}/${at}`)
        .digest()
        .subarray(0, Math.min(32, bytes.length - at)),
      at,
    )
  return bytes
}

export const updateRoot = (run: RunId, round: RoundNo, site: SiteId): Digest => merkleRoot(updateOf(run, round, site), sha256)

/** The true sum of the frozen set, or one that is wrong in a bit or in its length. Known by its root from now on. */
export function publishedRoot(scene: Scene, run: RunId, round: Round): Digest {
  const { random } = scene
  const truth = trueSum(scene, run, round)
  const bytes = random.chance(0.4) ? truth : spoilt(random, truth)
  const root = merkleRoot(bytes, sha256)
  scene.sums.set(root, bytes)
  return root
}

function spoilt(random: SimRandom, truth: Uint8Array): Uint8Array {
  if (random.chance(0.3)) {
    const other = new Uint8Array(random.int(1, truth.length + 1500))
    other.set(truth.subarray(0, other.length))
    return other
  }
  const copy = truth.slice()
  const at = random.int(0, copy.length - 1)
  copy[at] = (copy[at] as number) ^ (1 << random.int(0, 7))
  return copy
}

export function trueSum(scene: Scene, run: RunId, round: Round): Uint8Array {
  const { wordBits } = scene.sim.chain.contracts.coordinator.run(run).rules
  return addVectors(sitesOf(round.included).map((site) => ({ ring: true, wordBits, bytes: updateOf(run, round.round, site) }))).bytes
}
