import { expect } from 'chai'
import type { Contract } from 'ethers'
import { accumulate } from '../../node/adapters/sim/chain/accumulator.ts'
import { SimRandom } from '../../node/adapters/sim/random.ts'
import { siteId, ZERO_DIGEST } from '../../node/base/ids.ts'
import { firstWrongLeaf, leafProof, sumProof } from '../../node/core/commit/dispute.ts'
import { partsOf } from '../../node/core/commit/dispute-parts.ts'
import { leafCount, merkleRoot } from '../../node/core/commit/merkle.ts'
import { addVectors } from '../../node/core/ring/add.ts'
import { refused } from './support/expect.ts'
import { bytesOf, sha256, turned } from './support/masked.ts'
import { bits, ethers, read } from './support/world.ts'

const CASES = 60

describe('LeafJudge, with evidence as nodes make it', () => {
  let judge: Contract

  before(async () => {
    judge = (await ethers.deployContract('LeafJudge')) as unknown as Contract
  })

  /** Some sites with vectors of one length, of whom one was left out. */
  function scene(random: SimRandom) {
    const wordBits = random.pick([32, 64] as const)
    const length = (random.int(1, 90) * random.pick([8, 1024, 1024])) as number
    const order = Array.from({ length: random.int(1, 7) }, (_, i) => ({ i, at: random.int(0, 1000) })).sort((a, b) => a.at - b.at)
    const updates = order.map(({ i }) => ({ site: siteId(3 * i + 1), bytes: bytesOf(`${random.int(0, 2 ** 31)}`, length) }))
    const included = updates.length === 1 ? updates : updates.filter((_, i) => i !== 1)
    const contributions = updates.map(({ site, bytes }) => ({ site, root: merkleRoot(bytes, sha256) }))
    const sum = addVectors(included.map(({ bytes }) => ({ ring: true, wordBits, bytes }))).bytes
    const facts = (published: Uint8Array) => ({
      ...{ run: 1, round: 1, wordBits, kept: ZERO_DIGEST, sumRoot: merkleRoot(published, sha256) },
      accumulator: contributions.reduce((chain, { site, root }) => accumulate(chain, site, root), ZERO_DIGEST),
      included: bits(...included.map(({ site }) => site)),
    })
    const weigh = (published: Uint8Array, leaf: number) => {
      const leaves = leafCount(length)
      const proofs = included.map(({ bytes }) => leafProof(bytes, leaf, sha256))
      const [part] = partsOf({ wordBits, leaf, leaves, contributions, updates: proofs, sum: sumProof(published, leaf, leaves, sha256) })
      return read(judge, 'weigh', facts(published), part?.evidence, 0, '0x')
    }
    return { length, sum, weigh }
  }

  /** A sum that is wrong in a bit, in many, or in its length. */
  function wrongSum(random: SimRandom, sum: Uint8Array): Uint8Array {
    const kind = random.int(0, 3)
    if (kind === 0) return turned(sum, random.int(0, 8 * sum.length - 1))
    if (kind === 1) return bytesOf('another', sum.length)
    const other = bytesOf('another', random.int(1, 2 * sum.length + 2048))
    if (kind === 2) other.set(sum.subarray(0, other.length))
    return other
  }

  it('strikes a wrong sum, never a true one, in all cases', async function () {
    // Some seconds; much more where every branch tells of itself (npm run coverage).
    this.timeout(300_000)
    for (let i = 0; i < CASES; i++) {
      const random = new SimRandom(`judge ${i}`)
      const { length, sum, weigh } = scene(random)
      expect(firstWrongLeaf(sum, sum), `case ${i}`).to.equal(null)
      await refused(weigh(sum, random.int(0, leafCount(length) - 1)), judge, 'RoundCoordinator_TrueLeaf')
      const wrong = wrongSum(random, sum)
      const leaf = firstWrongLeaf(sum, wrong)
      if (leaf === null) expect(merkleRoot(wrong, sha256), `case ${i}`).to.equal(merkleRoot(sum, sha256))
      else expect(await weigh(wrong, leaf), `case ${i}`).to.equal(ZERO_DIGEST)
    }
  })
})
