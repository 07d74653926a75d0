import { type Round, roundOf } from '#adapters/sim/chain/round.ts'
import { digestOf, sha256 } from '#adapters/sim/hash.ts'
import type { SimRandom } from '#adapters/sim/random.ts'
import { has, sitesOf } from '#base/bitmap.ts'
import { fromHex, toHex } from '#base/bytes.ts'
import { type RoundNo, type RunId, siteId } from '#base/ids.ts'
import { type DisputeEvidence, firstWrongLeaf, leafProof, sumProof } from '#core/commit/dispute.ts'
import { type DisputePart, partsOf } from '#core/commit/dispute-parts.ts'
import { leafCount } from '#core/commit/merkle.ts'
import type { Act } from './act.ts'
import { call } from './forward.ts'
import type { Scene } from './scene.ts'
import { trueSum, updateOf } from './vectors.ts'

/** A dispute of the last publication of the current round or of the last closed one; mostly in one call, at times a part of one, or spoilt. */
export function dispute(scene: Scene): Act {
  const { random } = scene
  const { run } = scene.run()
  const state = scene.sim.chain.contracts.coordinator.run(run)
  const number = state.closed !== null && random.chance(0.6) ? state.closed : random.chance(0.9) ? state.round.round : random.int(0, state.opened + 1)
  const round = roundOf(state, number as RoundNo)
  const site = random.chance(0.8) ? (random.pick(sitesOf(scene.study().approved)) ?? siteId(0)) : scene.anySite().id
  const evidence = round === undefined || round.included === 0n ? null : evidenceOf(scene, run, round)
  const parts = evidence === null ? [NONE] : partsOf(evidence, random.pick([64, 64, 1, 2]))
  const whole = parts.length === 1
  const part = random.chance(0.3) ? random.pick(parts) : nextPart(scene, `${run}/${number}/${site}/${parts.length}`, parts)
  const { done, partialSum, evidence: e } = random.chance(0.25) ? bent(random, part) : part
  // Rarely drawn where the publication stands: every eighth step that is a dispute, without a draw that others depend on.
  const leaf = scene.done.length % 8 === 0 ? e.leaves : e.leaf
  const abi = { leaf, leaves: e.leaves, contributions: toHex(e.contributions), updates: toHex(e.updates), sum: toHex(e.sum) }
  if (whole && done === 0) return call(scene, site, 'dispute', [run, number, abi])
  return call(scene, site, 'disputePart', [run, number, abi, done, toHex(partialSum)])
}

/** One after another, so that a dispute in parts comes to its end. */
function nextPart(scene: Scene, key: string, parts: readonly DisputePart[]): DisputePart {
  const i = scene.parts.get(key) ?? 0
  scene.parts.set(key, i + 1)
  return parts[i % parts.length] as DisputePart
}

function evidenceOf(scene: Scene, run: RunId, round: Round): DisputeEvidence {
  const { wordBits } = scene.sim.chain.contracts.coordinator.run(run).rules
  const truth = trueSum(scene, run, round)
  const published = scene.sums.get(round.publication?.sumRoot ?? '') ?? truth
  const leaves = leafCount(truth.length)
  const wrong = firstWrongLeaf(truth, published)
  const leaf = wrong !== null && scene.random.chance(0.9) ? wrong : scene.random.int(0, Math.min(leaves, leafCount(published.length)) - 1)
  const contributions = scene.arrivals(run, round.round)
  return {
    ...{ wordBits, leaf, leaves, contributions },
    updates: contributions.filter(({ site }) => has(round.included, site)).map(({ site }) => leafProof(updateOf(run, round.round, site), leaf, sha256)),
    sum: sumProof(published, leaf, leaves, sha256),
  }
}

const NOTHING = new Uint8Array(0)
const NONE: DisputePart = { done: 0, count: 0, partialSum: NOTHING, evidence: { leaf: 0, leaves: 1, contributions: NOTHING, updates: NOTHING, sum: NOTHING } }

/** One thing wrong with it. */
function bent(random: SimRandom, part: DisputePart): DisputePart {
  const { evidence } = part
  const flip = (bytes: Uint8Array): Uint8Array => {
    const copy = bytes.slice()
    if (copy.length > 0) copy[random.int(0, copy.length - 1)] = random.int(0, 255)
    return copy
  }
  const cut = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, Math.max(0, bytes.length - random.pick([1, 32, 33, 1024, 1088])))
  const faults: readonly (() => DisputePart)[] = [
    ...(['contributions', 'updates', 'sum'] as const).flatMap((name) => [
      () => ({ ...part, evidence: { ...evidence, [name]: flip(evidence[name]) } }),
      () => ({ ...part, evidence: { ...evidence, [name]: cut(evidence[name]) } }),
    ]),
    () => ({ ...part, evidence: { ...evidence, sum: fromHex(digestOf('sum')) } }),
    () => ({ ...part, evidence: { ...evidence, leaf: random.int(0, 4) } }),
    () => ({ ...part, evidence: { ...evidence, leaves: random.pick([0, 1, 2, 4, 2 ** 24 + 1]) } }),
    () => ({ ...part, done: random.int(1, 3) }),
    () => ({ ...part, partialSum: flip(part.partialSum.length > 0 ? part.partialSum : new Uint8Array(1024)), done: Math.max(1, part.done) }),
  ]
  return random.pick(faults)()
}
