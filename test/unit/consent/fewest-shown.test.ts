import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SimRandom } from '#adapters/sim/random.ts'
import { fewestShown } from '#core/consent/fewest-shown.ts'

// given cohorts whose sums are known
// ├── one alone, or one that is known already, shows nothing less than all of it
// ├── two show those in which they differ
// ├── four of which each two differ by ten show one patient together
// ├── cohorts that only shrink show no less than each step
// ├── what earlier ones show by themselves is not the new one's
// └── of small worlds, it finds what trying all weights finds

const range = (...spans: readonly (readonly [number, number])[]): ReadonlySet<string> =>
  new Set(spans.flatMap(([from, to]) => Array.from({ length: to - from }, (_, i) => String(from + i))))

const ENOUGH = 10

describe('the fewest patients that sums show together', () => {
  it('is all of a first cohort, and nobody of one that is known', () => {
    assert.equal(fewestShown(range([0, 100]), [], ENOUGH), 10)
    assert.equal(fewestShown(range([0, 4]), [], ENOUGH), 4)
    assert.equal(fewestShown(range([0, 4]), [range([0, 4])], ENOUGH), 10)
  })

  it('is those in whom two differ', () => {
    const cases: readonly (readonly [readonly [number, number], number])[] = [
      [[0, 99], 1],
      [[0, 91], 9],
      [[0, 90], 10],
      [[5, 104], 9],
      [[5, 105], 10],
      [[500, 600], 10],
    ]
    for (const [span, shown] of cases) assert.equal(fewestShown(range(span), [range([0, 100])], ENOUGH), shown, String(span))
  })

  it('is one of four cohorts of which each two differ by ten', () => {
    const all = range([0, 100])
    const earlier = [all, range([11, 100]), range([0, 11], [22, 100])]
    // Without 1 to 21: the first two lack 0 to 21 between them, so that this one shows patient 0.
    const last = range([0, 1], [22, 100])
    assert.equal(fewestShown(last, earlier, ENOUGH), 1)
    for (const one of earlier) assert.equal(fewestShown(last, [one], ENOUGH), 10, 'each two alone show enough')
  })

  it('is never less than a step where cohorts only shrink', () => {
    const shrinking = Array.from({ length: 30 }, (_, i) => range([10 * i, 1_000]))
    shrinking.forEach((cohort, i) => {
      assert.equal(fewestShown(cohort, shrinking.slice(0, i), ENOUGH), 10)
    })
  })

  it('leaves out what earlier ones show without it', () => {
    assert.equal(fewestShown(range([500, 600]), [range([0, 100]), range([0, 95])], ENOUGH), 10)
    assert.equal(fewestShown(range([0, 90]), [range([0, 100]), range([0, 95])], ENOUGH), 5)
  })

  it('is what trying all small weights finds', () => {
    const random = new SimRandom('fewest shown')
    let less = 0
    for (let world = 0; world < 150; world++) {
      const cohorts = Array.from({ length: random.int(2, 4) }, () => new Set(Array.from({ length: 24 }, (_, i) => String(i)).filter(() => random.chance(0.7))))
      const [now, ...earlier] = cohorts as [Set<string>, ...Set<string>[]]
      const tried = fewestByTrying(now, earlier, 8)
      assert.equal(fewestShown(now, earlier, 8), tried, `world ${world}`)
      if (tried < 8) less += 1
    }
    assert.ok(less > 10, `${less} worlds show fewer`)
  })
})

/** With all weights from -3 to 3: of cohorts of 0 and 1 as few as these, the combinations that count need no larger ones. */
function fewestByTrying(now: ReadonlySet<string>, earlier: readonly ReadonlySet<string>[], enough: number): number {
  const weights = [-3, -2, -1, 0, 1, 2, 3]
  const patients = [...new Set([...now, ...earlier.flatMap((cohort) => [...cohort])])]
  let combinations: number[][] = [[]]
  for (const _ of earlier) combinations = combinations.flatMap((c) => weights.map((w) => [...c, w]))
  let fewest = enough
  for (const own of [1, 2, 3])
    for (const combination of combinations) {
      const shown = patients.filter((p) => combination.reduce((sum, w, c) => sum + (earlier[c]?.has(p) ? w : 0), now.has(p) ? own : 0) !== 0).length
      if (shown > 0) fewest = Math.min(fewest, shown)
    }
  return fewest
}
