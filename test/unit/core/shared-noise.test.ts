import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { learnerFor } from '#core/learner/learner-for.ts'
import { LEAST_SHARE, SharedNoise, shareSize } from '#core/learner/private/shared-noise.ts'
import { noiseInSum } from '#core/learner/private/stage.ts'
import { privateSensitivity } from '#core/learner/private/stages.ts'
import { setupOf } from '#core/learner/setup.ts'
import { generateCohort } from '#core/model/generated-cohort.ts'
import { Seeded } from '#core/model/seeded.ts'
import { CHAIN_ORDERS, lanesOfWord, laneUp } from '#core/privacy/chain-lanes.ts'
import { sharedNoiseRdp, sumGap } from '#core/privacy/discrete-gaussian.ts'
import { type PrivateProtocol, policyWords, sharesFor } from '#core/protocol/private-rounds.ts'
import type { PrivacySpec } from '#core/protocol/protocol.ts'
import { addVectors } from '#core/ring/add.ts'
import { boundUpdate } from '#core/ring/bound.ts'
import { decodeSum } from '#core/ring/decode.ts'
import { toRing } from '#core/ring/to-ring.ts'
import { newton, protocolOf, tools } from './support.ts'

/*
  Noise that several sites make together
  ├── a share is discrete Gaussian, whatever its size: counts as often as the formula says, moments of the large
  ├── any set that may survive, less any that may collude, holds the deviation that is asked for; fewer would not
  ├── what the chain charges covers a sum of shares at every order
  └── a sum of sites has just the noise that the fit counts on
*/
const CASES = Number(process.env.ROTA_CASES ?? 300)

describe('a share', () => {
  it('of a few steps is drawn as often as the formula says', () => {
    const noise = new SharedNoise(new Seeded(11), 1)
    const draws = 20_000
    const seen = new Map<bigint, number>()
    for (let i = 0; i < draws; i++) {
      const x = noise.share(2)
      seen.set(x, (seen.get(x) ?? 0) + 1)
    }
    const size = Number(shareSize(2, 1))
    const weight = (x: number): number => Math.exp((-x * x) / (2 * size * size))
    const all = Array.from({ length: 121 }, (_, i) => weight(i - 60)).reduce((sum, w) => sum + w, 0)
    let chi = 0
    for (let x = -6; x <= 6; x++) {
      const expected = (draws * weight(x)) / all
      chi += ((seen.get(BigInt(x)) ?? 0) - expected) ** 2 / expected
    }
    // 13 cells: above 41 once in ten thousand.
    assert.ok(chi < 41, `chi-square ${chi}`)
  })

  it('of many steps has the moments of a normal variable', () => {
    const noise = new SharedNoise(new Seeded(12), 4)
    const size = Number(shareSize(2 ** 40, 4))
    const draws = Float64Array.from({ length: 2_000 }, () => Number(noise.share(2 ** 40)) / size)
    const mean = (of: (x: number) => number): number => draws.reduce((sum, x) => sum + of(x), 0) / draws.length
    const root = Math.sqrt(draws.length)
    assert.ok(Math.abs(mean((x) => x)) < 4 / root)
    assert.ok(Math.abs(mean((x) => x * x) - 1) < (4 * Math.SQRT2) / root)
    assert.ok(Math.abs(mean((x) => x ** 4) - 3) < (4 * Math.sqrt(96)) / root)
  })
})

describe('shares of noise', () => {
  it('are enough for any set that may survive, less any that may collude', () => {
    const random = new Seeded(13)
    for (let n = 0; n < CASES; n++) {
      const quorum = 2 + Math.floor(random.uniform() * 98)
      const colluders = Math.floor(random.uniform() * quorum)
      const surviving = quorum + Math.floor(random.uniform() * 10)
      const deviation = 10 ** (2 + 8 * random.uniform())
      const shares = sharesFor({ quorum, privacy: { colluders } } as PrivateProtocol)
      const size = Number(shareSize(deviation, shares))
      assert.ok(size * Math.sqrt(surviving - colluders) >= deviation, `${quorum} ${colluders} ${surviving}`)
      assert.ok((size - 1) * Math.sqrt(shares) < deviation * (1 + 1e-9))
    }
  })

  it('cost no more than the chain charges, at every order', () => {
    for (const noise of [0.7, 3, 20])
      for (const shares of [1, 3, 60]) {
        const l2 = 2 ** 20
        const share = Number(shareSize(noise * l2, shares))
        const { charge } = policyWords({ noise, samplingRate: 1, steps: 1, epsilon: 90, delta: 1e-5 } as PrivacySpec)
        CHAIN_ORDERS.forEach((order, i) => {
          const rdp = sharedNoiseRdp({ noise: share, shares, coordinates: 100_000, l2 }, order)
          assert.ok(laneUp(rdp) <= (lanesOfWord(charge)[i] as number), `${noise} ${shares} ${order}`)
        })
      }
    // The least share that is taken is one whose sums miss nothing that a lane could show.
    assert.ok(sumGap(Number(LEAST_SHARE), 256) * 1e6 < 2 ** -40)
  })

  it('make just the noise that a fit counts on', async () => {
    const { sites, features, label } = generateCohort({ sites: 5, rows: 60, seed: 1 })
    const privacy: PrivacySpec = {
      unit: 'patient',
      epsilon: 8,
      delta: 1e-4,
      place: 'distributed',
      colluders: 1,
      noise: 4,
      clip: 2,
      samplingRate: 1,
      steps: 1,
      minPatients: 20,
    }
    const protocol = { ...protocolOf(newton('logistic', { maxIterations: 1 }), features, label, { maxSites: 5, quorum: 4 }), privacy }
    const learner = learnerFor(protocol, tools().sha256)
    const quiet = learnerFor({ ...protocol, privacy: { ...privacy, place: 'local', noise: 0.01 } }, tools().sha256)
    const sumOf = async (one: typeof learner, seed: number): Promise<Float64Array> => {
      const { random, signal } = tools(seed)
      const model = one.initial()
      const vectors = []
      for (const { table } of sites) vectors.push(toRing(boundUpdate(await one.contribute(model, table, { random, signal })), random.bytes(32), random))
      const sum = decodeSum(addVectors(vectors).bytes, one.layout(model), sites.length)
      return Float64Array.from({ length: sum.length }, (_, i) => sum.at(i))
    }
    const [noisy, plain] = [await sumOf(learner, 3), await sumOf(quiet, 4)]
    const setup = setupOf(protocol)
    const expected = noiseInSum(protocol, privateSensitivity(setup, protocol), { sites: 5 } as never)
    assert.ok(Math.abs(expected - 4 * 2 * Math.sqrt(5 / 3)) < 1e-9)
    const found = Math.sqrt(noisy.reduce((square, x, i) => square + (x - (plain[i] as number)) ** 2, 0) / noisy.length)
    assert.ok(Math.abs(found / expected - 1) < 4 / Math.sqrt(2 * noisy.length), `${found} ${expected}`)
  })
})
