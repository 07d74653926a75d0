import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SimRandom } from '#adapters/sim/random.ts'
import { fewestShown } from '#core/consent/fewest-shown.ts'
import { restFurther, restInParts } from '#core/consent/rest-further.ts'
import { symmetricDifference } from '#core/consent/smallest-difference.ts'

// given a hospital whose patients come and go between exact runs
// ├── nobody rests in a first run, in one of the same patients, or when ten changed
// ├── when one withdraws, ten rest beside them; the others are in, and whoever rests may withdraw unseen
// ├── new patients rest until ten have come
// ├── those who train and those who test are counted each by themselves
// ├── a cohort that is too small for it, or whose groups are used up, does not rest
// └── in any history no combination of sums shows fewer than ten, and it is told again as long as nothing changes

const LEAST = 10
const named = (i: number): string => String(i).padStart(4, '0')
const range = (from: number, to: number): Set<string> => new Set(Array.from({ length: to - from }, (_, i) => named(from + i)))
const but = (of: ReadonlySet<string>, ...gone: number[]): Set<string> => new Set([...of].filter((each) => !gone.map(named).includes(each)))
const minus = (of: ReadonlySet<string>, some: ReadonlySet<string>): Set<string> => new Set([...of].filter((each) => !some.has(each)))

describe('who rests in an exact run', () => {
  const before = range(0, 100)

  it('is nobody in a first run, the same again, or when ten changed', () => {
    assert.equal(restFurther(before, [], LEAST)?.size, 0)
    assert.equal(restFurther(before, [before], LEAST)?.size, 0)
    assert.equal(restFurther(range(10, 100), [before], LEAST)?.size, 0)
  })

  it('is ten when one withdrew, and the same ten until somebody else changes', () => {
    const now = but(before, 50)
    const rest = restFurther(now, [before], LEAST) as ReadonlySet<string>
    assert.deepEqual(rest, range(0, 10))
    const used = minus(now, rest)
    assert.deepEqual(restFurther(now, [before, used], LEAST), rest)
    assert.deepEqual(restFurther(but(now, 3), [before, used], LEAST), but(rest, 3), 'one of those who rest withdraws: the cohort is the same')
    assert.deepEqual(restFurther(but(now, 60), [before, used], LEAST), range(10, 20), 'another: others rest')
  })

  it('is who is new, until ten are', () => {
    assert.deepEqual(restFurther(range(0, 109), [before], LEAST), range(100, 109))
    assert.equal(restFurther(range(0, 110), [before], LEAST)?.size, 0)
  })

  it('is told for those who train and those who test, each by themselves', () => {
    const earlier = { train: range(0, 100), test: range(100, 140) }
    assert.deepEqual(restInParts(earlier, [earlier], LEAST), [])
    assert.deepEqual(restInParts({ ...earlier, train: range(1, 100) }, [earlier], LEAST), [...range(1, 11)])
    assert.deepEqual(restInParts({ ...earlier, test: range(100, 139) }, [earlier], LEAST), null, 'a quarter of 39 is less than ten')
    // Ten changed, of whom nine only test.
    assert.equal(restInParts({ train: range(1, 100), test: range(100, 131) }, [earlier], LEAST), null)
  })

  it('is not told where a quarter would have to, or no group is large enough', () => {
    assert.equal(restFurther(range(1, 40), [range(0, 40)], LEAST), null)
    assert.equal(restFurther(range(1, 41), [range(0, 41)], LEAST)?.size, 10)
    const tens = [0, 10, 20, 30].map((from) => but(range(0, 41), ...Array.from({ length: 10 }, (_, i) => from + i)))
    assert.equal(restFurther(but(range(0, 41), 40), [range(0, 41), ...tens], LEAST), null)
  })

  it('never shows fewer than ten, in any history', (t) => {
    const random = new SimRandom('rest further')
    const [runs, worlds] = [{ resting: 0, all: 0, none: 0 }, Number(process.env.ROTA_CASES ?? 300)]
    for (let world = 0; world < worlds; world++) {
      const used: ReadonlySet<string>[] = []
      let next = random.int(40, 200)
      let here = range(0, next)
      for (let run = 0; run < 6; run++) {
        const [now, leaving, coming] = [[...here], random.int(0, 3), random.chance(0.3) ? random.int(1, 12) : 0]
        here = new Set([...now.filter(() => !random.chance(leaving / now.length)), ...range(next, next + coming)])
        next += coming
        // Another study takes some of them.
        const asked = random.chance(0.2) ? new Set([...here].filter(() => random.chance(0.8))) : here
        const rest = restFurther(asked, used, LEAST)
        runs[rest === null ? 'none' : rest.size > 0 ? 'resting' : 'all'] += 1
        if (rest === null) continue
        const cohort = minus(asked, rest)
        assert.ok(cohort.size >= 0.75 * asked.size)
        if (!used.some((each) => symmetricDifference(each, cohort) === 0)) {
          assert.ok(fewestShown(cohort, used, LEAST) >= LEAST, `world ${world}, run ${run}`)
          used.push(cohort)
        }
        assert.deepEqual(restFurther(asked, used, LEAST), rest, `world ${world}, run ${run}: told again`)
      }
    }
    t.diagnostic(JSON.stringify(runs))
    assert.ok(runs.resting > worlds && runs.all > worlds && runs.none > 0, JSON.stringify(runs))
  })
})
