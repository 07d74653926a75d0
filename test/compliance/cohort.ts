import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Digest, roundNo, runId } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { Cohort, ConsentedCohort } from '#ports/cohort.ts'

/** A cohort of the patients of `rowsOf(PATIENTS)`, each with a consent, and a protocol that they fit. */
export interface Ready {
  readonly cohort: Cohort
  readonly protocol: Protocol
}

export const PATIENTS = 30
const one = runId(1)
const told = ({ table, patients, tags, rootIn }: ConsentedCohort) => ({ table, patients, tags, root: rootIn(one, roundNo(1)) })
export const rowsOf = (n: number) =>
  Array.from({ length: n }, (_, i) => ({
    id: `patient-${i}`,
    values: [40 + i, 100 + i, 150 + 5 * i, i % 2],
    label: i % 3 === 0 ? 1 : 0,
    set: i % 5 === 0 ? 'test' : 'train',
  }))

/**
 * given a cohort and no withdrawal, it gives every patient, in tables that fit the protocol
 * ├── asked again, it gives the same root, digests and bytes
 * ├── the same patients have another root in every round
 * ├── when tags are withdrawn on chain, their rows, digests and tags are gone, and the root is another
 * ├── when all are withdrawn, the tables are empty
 * ├── without some who consent, it is what it would be had they withdrawn
 * └── tags are sorted, one tag and one digest per patient, and no tag is a digest
 */
export function cohortCompliance(name: string, ready: () => Promise<Ready>): void {
  describe(`cohort: ${name}`, () => {
    it('gives every patient, in tables that fit', async () => {
      const { cohort, protocol } = await ready()
      const { table, patients, tags } = await cohort.consented(protocol, new Set())
      assert.deepEqual([table.train.rows, table.test.rows, patients.length, tags.length], [24, 6, PATIENTS, PATIENTS])
      for (const t of [table.train, table.test]) {
        assert.deepEqual(t.columns, ['age', 'sbp', 'chol', 'sex'])
        assert.deepEqual([t.values.length, t.label.length], [t.rows * 4, t.rows])
      }
      assert.deepEqual([...table.train.values.slice(0, 4)], rowsOf(2)[1]?.values)
    })

    it('gives the same again', async () => {
      const { cohort, protocol } = await ready()
      const [a, b] = [await cohort.consented(protocol, new Set()), await cohort.consented(protocol, new Set())]
      assert.deepEqual(told(a), told(b))
    })

    it('commits to the same patients otherwise in every round', async () => {
      const { cohort, protocol } = await ready()
      const { rootIn } = await cohort.consented(protocol, new Set())
      const roots = [rootIn(one, roundNo(1)), rootIn(one, roundNo(2)), rootIn(runId(2), roundNo(1))]
      assert.equal(new Set(roots).size, 3)
      assert.equal(rootIn(one, roundNo(1)), roots[0])
    })

    it('leaves out who withdrew on chain', async () => {
      const { cohort, protocol } = await ready()
      const all = await cohort.consented(protocol, new Set())
      const gone = new Set([all.tags[3] as Digest, all.tags[20] as Digest])
      const rest = await cohort.consented(protocol, gone)
      assert.equal(rest.table.train.rows + rest.table.test.rows, PATIENTS - 2)
      assert.equal(rest.patients.length, PATIENTS - 2)
      assert.ok(rest.patients.every((p) => all.patients.includes(p)))
      assert.deepEqual(
        rest.tags,
        all.tags.filter((tag) => !gone.has(tag)),
      )
      assert.notEqual(rest.rootIn(one, roundNo(1)), all.rootIn(one, roundNo(1)))
      assert.deepEqual(told(await cohort.consented(protocol, new Set())), told(all))
    })

    it('is empty when all withdrew', async () => {
      const { cohort, protocol } = await ready()
      const all = await cohort.consented(protocol, new Set())
      const none = await cohort.consented(protocol, new Set(all.tags))
      assert.deepEqual([none.table.train.rows, none.table.test.rows, none.patients, none.tags], [0, 0, [], []])
    })

    it('is the same without somebody as if they had withdrawn', async () => {
      const { cohort, protocol } = await ready()
      const all = await cohort.consented(protocol, new Set())
      const fewer = await cohort.consented(protocol, new Set([all.tags[3] as Digest, all.tags[20] as Digest]))
      const resting = new Set(all.patients.filter((patient) => !fewer.patients.includes(patient)))
      assert.deepEqual(told(all.without(resting)), told(fewer))
      const [next] = fewer.patients as [Digest]
      assert.deepEqual(told(all.without(resting).without(new Set([next]))), told(all.without(new Set([...resting, next]))))
      assert.deepEqual(told(all.without(new Set())), told(all))
    })

    it('sorts tags, and has one tag and one digest per patient', async () => {
      const { cohort, protocol } = await ready()
      const { tags, patients } = await cohort.consented(protocol, new Set())
      assert.deepEqual(tags, [...new Set(tags)].sort())
      assert.equal(new Set(patients).size, PATIENTS)
      assert.ok(tags.every((tag) => !patients.includes(tag)))
    })
  })
}
