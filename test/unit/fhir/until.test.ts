/**
 * given a consent that was recorded with an end
 *   its rows are used up to that moment and not at it, without anybody doing anything, whatever the lawful basis
 * given an end past the year 9999, as some systems write "for ever", it has not come
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { CohortArchive } from '#adapters/cohort/cohort-archive.ts'
import { recordConsent } from '#adapters/cohort/consent-desk.ts'
import { firstEnd, hasEnded, isStanding } from '#adapters/cohort/consent-end.ts'
import { ConsentStore } from '#adapters/cohort/consent-store.ts'
import { CsvCohort } from '#adapters/cohort/csv-cohort.ts'
import { sha256 } from '#adapters/cohort/site-maps.ts'
import { HEADER, keyed, protocolWith, tempFolder, writeFile } from '../cohort/support.ts'

const END = Date.parse('2027-04-01T00:00:00Z')

test('a consent for a time ends by the clock', async () => {
  const vault = keyed('a site')
  const folder = tempFolder()
  const store = new ConsentStore(join(folder, 'consents.log'), vault)
  let drawn = 0
  const desk = { store, vault, clock: { nowMs: () => 0 }, random: { bytes: (n: number) => sha256(Uint8Array.of(drawn++)).slice(0, n) } }
  await recordConsent(desk, 'research', ['Ann', 'Bob', 'Cid'], join(folder, 'receipts'), (name) =>
    name === 'Ann' ? { until: new Date(END).toISOString() } : {},
  )
  const file = writeFile(folder, 'rows.csv', `${HEADER}\nAnn,40,120,200,1,1\nBob,50,130,210,0,0\nCid,60,140,220,1,1\n`)
  let nowMs = END - 1
  const cohort = new CsvCohort({
    ...{ file, consents: store, vault, archive: new CohortArchive(join(folder, 'cohorts.log'), vault), network: new Uint8Array(32) },
    entriesOnChain: async () => 3,
    nowMs: () => nowMs,
  })
  for (const lawfulBasis of ['consent', 'opt-out'] as const) {
    const size = async () => (await cohort.consented(protocolWith({ lawfulBasis }), new Set())).members.length
    nowMs = END - 1
    assert.equal(await size(), 3, lawfulBasis)
    nowMs = END
    assert.equal(await size(), 2, lawfulBasis)
  }
})

test('an end past the year 9999 has not come, and is the last of several', () => {
  const forEver = new Date(Date.parse('9999-12-31') + 86_400_000).toISOString()
  assert.deepEqual(
    [hasEnded(forEver, END), hasEnded(new Date(END).toISOString(), END), hasEnded(undefined, END), hasEnded(null, END)],
    [false, true, false, false],
  )
  assert.equal(firstEnd([forEver, undefined, '2027-04-01T00:00:00.000Z']), '2027-04-01T00:00:00.000Z')
  assert.equal(firstEnd([undefined]), undefined)
  assert.deepEqual([isStanding({ state: 'granted', until: forEver }, END), isStanding({ state: 'withdrawn' }, END)], [true, false])
})
