import { createHash } from 'node:crypto'
import type { Sha256 } from '../../../node/base/bytes.ts'
import { digest as asDigest, siteId } from '../../../node/base/ids.ts'
import { type DisputeEvidence, firstWrongLeaf, leafProof, sumProof } from '../../../node/core/commit/dispute.ts'
import { type DisputePart, partsOf } from '../../../node/core/commit/dispute-parts.ts'
import { leafCount, merkleRoot } from '../../../node/core/commit/merkle.ts'
import { addVectors } from '../../../node/core/ring/add.ts'
import { bits, digest, type Outcome, PHASE, type Rules, type RunDriver, STATUS, World, ZERO } from './world.ts'

export const sha256: Sha256 = (...parts) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

/** Bytes that follow from a name, as random as masked vectors are. */
export function bytesOf(name: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0, block = 0; at < length; at += 32, block++)
    bytes.set(sha256(new TextEncoder().encode(`${name} ${block}`)).subarray(0, Math.min(32, length - at)), at)
  return bytes
}

/** With one bit turned. */
export function turned(bytes: Uint8Array, bit = 0): Uint8Array {
  const copy = bytes.slice()
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7))
  return copy
}

export interface Vectors {
  readonly wordBits: 32 | 64
  readonly lengthBytes: number
}

/** A masked study's run whose updates and sums are real vectors with real trees. All have keys; sites contribute in the order given. */
export class MaskedRun {
  readonly run: RunDriver
  readonly vectors: Vectors
  readonly #order = new Map<number, readonly number[]>()

  constructor(run: RunDriver, vectors: Vectors) {
    this.run = run
    this.vectors = vectors
  }

  static async open(sites: number, vectors: Vectors = { wordBits: 64, lengthBytes: 3000 }, change: Partial<Rules> = {}): Promise<MaskedRun> {
    const world = await World.deploy(sites)
    return new MaskedRun(await world.run({ mode: 1, wordBits: vectors.wordBits, ...change }), vectors)
  }

  get world(): World {
    return this.run.world
  }

  update(round: number, site: number): Uint8Array {
    return bytesOf(`update ${round} ${site}`, this.vectors.lengthBytes)
  }

  async contribute(site: number, round: number): Promise<Outcome> {
    if (!this.#order.has(round)) await this.keyAll(round)
    this.#order.set(round, [...(this.#order.get(round) ?? []), site])
    return this.run.send(site, 'contribute', round, this.root(round, site), digest(`cid ${round} ${site}`), digest('cohort'), ZERO)
  }

  /** Unless they did. */
  private async keyAll(round: number): Promise<void> {
    if ((await this.run.view()).round.phase !== BigInt(PHASE.Keying)) return
    for (const { id } of this.world.hospitals) await this.run.key(id, round)
  }

  root(round: number, site: number): string {
    return merkleRoot(this.update(round, site), sha256)
  }

  /** All contribute, in this order; the custodians (all three, when they leave one out) name the included ones. */
  async freeze(round: number, order: readonly number[], custodians: readonly number[], included: readonly number[] = order): Promise<void> {
    for (const site of order) await this.contribute(site, round)
    for (const site of custodians) await this.run.witness(site, round, bits(...included))
  }

  trueSum(round: number, included: readonly number[]): Uint8Array {
    const { wordBits } = this.vectors
    return addVectors(included.map((site) => ({ ring: true, wordBits, bytes: this.update(round, site) }))).bytes
  }

  publish(site: number, round: number, sum: Uint8Array, attempt = 0): Promise<Outcome> {
    return this.run.send(site, 'publish', round, attempt, merkleRoot(sum, sha256), digest('sum cid'))
  }

  /** A majority of the sites says that the round is closed on this model. */
  async close(round: number, sites: readonly number[], attempt = 0, status: number = STATUS.continue, label = 'model'): Promise<void> {
    for (const site of sites) await this.run.attest(site, round, status, attempt, label)
  }

  /** What a node would bring against a published sum; against a true one, of its first leaf. */
  evidence(round: number, included: readonly number[], published: Uint8Array, leaf?: number): DisputeEvidence {
    const { wordBits, lengthBytes } = this.vectors
    const at = leaf ?? firstWrongLeaf(this.trueSum(round, included), published) ?? 0
    const leaves = leafCount(lengthBytes)
    const order = this.#order.get(round) ?? []
    return {
      ...{ wordBits, leaf: at, leaves },
      contributions: order.map((site) => ({ site: siteId(site), root: asDigest(this.root(round, site)) })),
      updates: order.filter((site) => included.includes(site)).map((site) => leafProof(this.update(round, site), at, sha256)),
      sum: sumProof(published, at, leaves, sha256),
    }
  }

  dispute(site: number, round: number, evidence: DisputeEvidence): Promise<Outcome> {
    return this.send(site, round, partsOf(evidence)[0] as DisputePart)
  }

  send(site: number, round: number, { done, partialSum, evidence }: DisputePart): Promise<Outcome> {
    if (done === 0 && evidence.sum.length > 0) return this.run.send(site, 'dispute', round, evidence)
    return this.run.send(site, 'disputePart', round, evidence, done, partialSum)
  }
}
