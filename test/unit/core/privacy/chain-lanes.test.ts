import assert from 'node:assert/strict'
import process from 'node:process'
import { describe, it } from 'node:test'
import { isRotaError } from '#base/errors.ts'
import { Seeded } from '#core/model/seeded.ts'
import {
  addWord,
  CHAIN_ORDERS,
  epsilonOfWord,
  FULL_LANE,
  isWithin,
  LANE_UNIT,
  lanesOfWord,
  limitWord,
  rdpWord,
  wordOfLanes,
} from '#core/privacy/chain-lanes.ts'
import { rdpOf } from '#core/privacy/rdp.ts'
import { rdpEpsilon } from '#core/privacy/rdp-epsilon.ts'

/*
 * privacy on chain
 * ├── given random charges
 * │   ├── it adds lanes as numbers would add, and a full lane stays full
 * │   ├── it is within the limit exactly when some lane is
 * │   └── it never counts less than RDP in floats, and at most one unit a charge more
 * ├── given charges up to a limit
 * │   └── it stops before RDP at the same orders is beyond epsilon, and close to it
 * └── given a limit that lanes cannot hold
 *     └── it is refused
 */
const CASES = Number(process.env.ROTA_PRIVACY_CASES ?? 300)

function draws(seed: number) {
  const random = new Seeded(seed)
  const pick = (low: number, high: number): number => low * (high / low) ** random.uniform()
  const lane = (): number => Math.min(FULL_LANE, Math.floor(pick(1, 2 ** 32)) - 1)
  return { pick, lanes: () => CHAIN_ORDERS.map(lane) }
}

describe('lanes of a word', () => {
  it('come back as they went in, the first one lowest', () => {
    const { lanes } = draws(1)
    for (let i = 0; i < CASES; i++) {
      const some = lanes()
      assert.deepEqual(lanesOfWord(wordOfLanes(some)), some)
    }
    assert.equal(wordOfLanes([1, 2, 0, 0, 0, 0, 0, 0]), 0x2_00000001n)
    assert.ok(wordOfLanes(CHAIN_ORDERS.map(() => FULL_LANE)) < 1n << 256n)
  })

  it('add as numbers do, and full ones stay full', () => {
    const { lanes } = draws(2)
    for (let i = 0; i < CASES; i++) {
      const [a, b] = [lanes(), lanes()]
      const expected = a.map((lane, j) => Math.min(FULL_LANE, lane + (b[j] as number)))
      assert.deepEqual(lanesOfWord(addWord(wordOfLanes(a), wordOfLanes(b))), expected)
    }
  })

  it('are within a limit exactly when one of them is', () => {
    const { lanes } = draws(3)
    for (let i = 0; i < CASES; i++) {
      const [spent, limit] = [lanes(), lanes().map((lane) => (i % 2 === 0 ? lane : Math.floor(lane / 2 ** 20)))]
      assert.equal(
        isWithin(wordOfLanes(spent), wordOfLanes(limit)),
        spent.some((lane, j) => lane <= (limit[j] as number)),
      )
    }
  })
})

describe('charges', () => {
  // From 60-digit decimal arithmetic: the sum over k of C(α, k)(1 − q)^(α − k) q^k e^((k² − k)/2σ²), not from this code.
  it('are those of long arithmetic, rounded up, and limits rounded down', () => {
    const exact = [836850.519, 1406464.773, 2162043.106, 5253615.312, 78417952.061, 199864888.395, 438444124.753, 849902453.066]
    const lanes = lanesOfWord(rdpWord([{ samplingRate: 0.1, noise: 1.2, steps: 5 }]))
    assert.ok(
      lanes.every((lane, i) => lane >= (exact[i] as number) && lane <= (exact[i] as number) * (1 + 1e-9) + 1),
      lanes.join(),
    )
    assert.deepEqual(lanesOfWord(limitWord(3, 1e-5)), [0, 0, 0, 20771675, 34929985, 40122757, 44383755, 47003323])
    assert.equal(limitWord(3, 1e-5), 0x2cd36bb02a53e0b026439850214fd41013cf35b000000000000000000000000n)
  })

  it('never count less than RDP in floats, and at most a unit more each', () => {
    const { pick } = draws(4)
    for (let i = 0; i < CASES / 6; i++) {
      let word = 0n
      const charged = Array.from({ length: 8 }, () => ({ samplingRate: pick(1e-3, 1), noise: pick(0.5, 20), steps: Math.round(pick(1, 100)) }))
      for (const one of charged) word = addWord(word, rdpWord([one]))
      lanesOfWord(word).forEach((lane, j) => {
        const rdp = rdpOf(charged, CHAIN_ORDERS[j] as number)
        assert.ok(lane === FULL_LANE || lane >= rdp * LANE_UNIT, `order ${CHAIN_ORDERS[j]}: ${lane} < ${rdp * LANE_UNIT}`)
        assert.ok(lane <= rdp * LANE_UNIT * (1 + 2e-9) + 8, `order ${CHAIN_ORDERS[j]}: ${lane} > ${rdp * LANE_UNIT} + 8`)
      })
      const delta = pick(1e-9, 1e-3)
      const onChain = epsilonOfWord(word, delta)
      assert.ok(onChain === Number.POSITIVE_INFINITY || onChain >= rdpEpsilon(charged, delta, CHAIN_ORDERS).epsilon)
    }
  })

  it('stop before RDP at the same orders is beyond epsilon, and close to it', () => {
    const { pick } = draws(5)
    for (let i = 0; i < CASES / 6; i++) {
      const [epsilon, delta] = [pick(1, 20), pick(1e-8, 1e-4)]
      const round = { samplingRate: pick(5e-3, 0.2), noise: pick(0.8, 4), steps: Math.round(pick(1, 20)) }
      const [charge, limit] = [rdpWord([round]), limitWord(epsilon, delta)]
      let [spent, rounds] = [0n, 0]
      for (let next = addWord(spent, charge); isWithin(next, limit) && rounds < 5000; next = addWord(spent, charge)) {
        spent = next
        rounds += 1
      }
      const after = (count: number): number => rdpEpsilon([{ ...round, steps: round.steps * Math.max(1, count) }], delta, CHAIN_ORDERS).epsilon
      if (rounds > 0) assert.ok(after(rounds) <= epsilon, `${rounds} rounds cost ${after(rounds)} > ${epsilon}`)
      if (rounds > 0) assert.ok(epsilonOfWord(spent, delta) <= epsilon * (1 + 1e-6))
      if (rounds < 5000) assert.ok(after(Math.ceil(rounds * 1.0001) + 1) > epsilon * (1 - 1e-4), `one more than ${rounds} would have been within ${epsilon}`)
    }
  })

  it('are never free', () => {
    assert.deepEqual(
      lanesOfWord(rdpWord([{ samplingRate: 1e-6, noise: 1e6, steps: 1 }])),
      CHAIN_ORDERS.map(() => 1),
    )
    assert.equal(epsilonOfWord(0n, 1e-5), 0)
    assert.equal(isWithin(0n, limitWord(1, 1e-5)), true)
    assert.equal(epsilonOfWord(wordOfLanes(CHAIN_ORDERS.map(() => FULL_LANE)), 1e-5), Number.POSITIVE_INFINITY)
  })
})

describe('limits', () => {
  it('have no lane for orders whose conversion alone costs more', () => {
    const lanes = lanesOfWord(limitWord(1, 1e-6))
    assert.equal(lanes[0], 0)
    assert.ok((lanes.at(-1) as number) > 0)
    assert.equal(isWithin(wordOfLanes(CHAIN_ORDERS.map(() => FULL_LANE)), limitWord(100, 1e-3)), false)
  })

  it('are refused where lanes cannot hold them', () => {
    for (const [epsilon, delta] of [
      [101, 1e-5],
      [0.05, 1e-9],
    ] as const)
      assert.throws(
        () => limitWord(epsilon, delta),
        (error) => isRotaError(error, 'ROTA-2360'),
      )
  })
})
