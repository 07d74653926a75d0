import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { type Digest, digest } from '#base/ids.ts'
import type { Differencing } from '#ports/differencing.ts'

/*
 * given the record of a site's exact cohorts
 * ├── the first cohort may join, and the same again in any order
 * ├── another one differs from each by ten patients at least, counted both ways, or is told the smallest difference
 * └── each recorded commitment is known, also after the record was opened anew
 */

const hash = (text: string): Digest => digest(`0x${createHash('sha256').update(text).digest('hex')}`)
const patients = (from: number, to: number): Digest[] => Array.from({ length: to - from }, (_, i) => hash(`patient ${from + i}`))

export function differencingCompliance(name: string, make: () => { readonly open: () => Differencing }): void {
  describe(`differencing: ${name}`, () => {
    it('lets the first cohort join, and the same again', async () => {
      const record = make().open()
      assert.deepEqual(await record.mayJoin(patients(0, 3), []), { ok: true })
      await record.record(patients(0, 50), hash('one'), [])
      assert.deepEqual(await record.mayJoin(patients(0, 50).reverse(), []), { ok: true })
    })

    it('asks for ten patients, of each cohort', async () => {
      const record = make().open()
      await record.record(patients(0, 50), hash('one'), [])
      await record.record(patients(0, 100), hash('two'), [])
      for (const [from, to, smallest] of [
        [0, 49, 1],
        [0, 41, 9],
        [4, 105, 9],
        [0, 40, null],
        [0, 110, null],
      ] as const)
        assert.deepEqual(
          await record.mayJoin(patients(from, to), []),
          smallest === null ? { ok: true } : { ok: false, part: 'train', smallestDifference: smallest },
          `${from} to ${to}`,
        )
    })

    it('knows each commitment, also when it is opened anew', async () => {
      const { open } = make()
      const record = open()
      await record.record(patients(0, 50), hash('one'), [])
      await record.record(patients(0, 50), hash('the same in another round'), [])
      await record.record(patients(0, 90), hash('two'), [])
      const roots = new Set([hash('one'), hash('the same in another round'), hash('two')])
      for (const book of [record, open()]) assert.deepEqual(await book.roots(), roots)
      assert.equal((await open().mayJoin(patients(0, 52), [])).ok, false)
    })
  })
}
