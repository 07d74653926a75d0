import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { CohortArchive } from '#adapters/cohort/cohort-archive.ts'
import { type Desk, localWithdraw, recordConsent } from '#adapters/cohort/consent-desk.ts'
import { ConsentStore } from '#adapters/cohort/consent-store.ts'
import { CsvCohort } from '#adapters/cohort/csv-cohort.ts'
import { cohortMap, cohortSecret, sha256 } from '#adapters/cohort/site-maps.ts'
import { SimCohort } from '#adapters/sim/cohort.ts'
import { toDigest } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import { type Digest, roundNo, runId } from '#base/ids.ts'
import { cohortKey } from '#core/consent/cohort-map.ts'
import { placedBy, proveCounted } from '#core/consent/counted-map.ts'
import { HEADER, keyed, protocolWith, tempFolder } from '../unit/cohort/support.ts'
import { cohortCompliance, PATIENTS, type Ready, rowsOf } from './cohort.ts'

const csvOf = (n: number) =>
  `${HEADER},set\n${rowsOf(n)
    .map((r) => [r.id, ...r.values, r.label, r.set].join())
    .join('\n')}\n`

async function inMemory(): Promise<Ready> {
  const table = (set: string) => {
    const rows = rowsOf(PATIENTS).filter((r) => r.set === set)
    return {
      columns: ['age', 'sbp', 'chol', 'sex'],
      rows: rows.length,
      values: Float64Array.from(rows.flatMap((r) => r.values)),
      label: Float64Array.from(rows, (r) => r.label),
    }
  }
  return { cohort: new SimCohort('one', { train: table('train'), test: table('test') }), protocol: protocolWith() }
}

const vault = keyed('a site')
const network = sha256(Uint8Array.of(7))
function site(text: string, onChain?: () => Promise<number>) {
  const folder = tempFolder()
  const file = join(folder, 'patients.csv')
  writeFileSync(file, text)
  const store = new ConsentStore(join(folder, 'consents.log'), vault)
  let drawn = 0
  const desk: Desk = { store, vault, clock: { nowMs: () => 0 }, random: { bytes: (n) => sha256(Uint8Array.of(drawn++, 1)).slice(0, n) } }
  const archive = new CohortArchive(join(folder, 'cohorts.log'), vault)
  return {
    folder,
    file,
    desk,
    archive,
    cohort: new CsvCohort({ file, consents: store, vault, archive, network, entriesOnChain: onChain ?? (() => store.size()) }),
  }
}

async function fromFile(): Promise<Ready> {
  const { desk, folder, cohort } = site(csvOf(PATIENTS))
  await recordConsent(
    desk,
    'research',
    rowsOf(PATIENTS).map((r) => r.id),
    folder,
  )
  return { cohort, protocol: protocolWith({ lawfulBasis: 'consent' }) }
}

cohortCompliance('in memory', inMemory)
cohortCompliance('a CSV file', fromFile)

describe('cohort from a file, its own', () => {
  it('takes nobody without a consent, everybody under opt-out', async () => {
    const { cohort, desk, folder } = site(csvOf(PATIENTS))
    await recordConsent(desk, 'research', ['patient-1', 'patient-2', 'nobody-here'], folder)
    await recordConsent(desk, 'other programme', ['patient-3'], folder)
    const consent = await cohort.consented(protocolWith({ lawfulBasis: 'consent' }), new Set())
    assert.deepEqual([consent.patients.length, consent.tags.length], [2, 2])
    const optOut = await cohort.consented(protocolWith(), new Set())
    assert.deepEqual([optOut.patients.length, optOut.tags.length, optOut.members.length], [PATIENTS, 2, PATIENTS])
  })

  it('stops at once when the desk withdraws a patient, with or without a receipt, also from another process', async () => {
    const { cohort, desk, folder } = site(csvOf(PATIENTS))
    await recordConsent(desk, 'research', ['patient-1'], folder)
    assert.equal((await cohort.consented(protocolWith(), new Set())).patients.length, PATIENTS)
    const elsewhere = { ...desk, store: new ConsentStore(join(folder, 'consents.log'), vault) }
    await localWithdraw(elsewhere, 'research', 'patient-1', 'opt-out')
    await localWithdraw(elsewhere, 'research', 'patient-2', 'opt-out')
    assert.equal((await cohort.consented(protocolWith(), new Set())).patients.length, PATIENTS - 2)
  })

  it('takes a patient back with a new consent, and the old tag stays dead', async () => {
    const { cohort, desk, folder } = site(csvOf(PATIENTS))
    const protocol = protocolWith({ lawfulBasis: 'consent' })
    const first = (await recordConsent(desk, 'research', ['patient-1'], folder))[0]?.receipt.tag as Digest
    await localWithdraw(desk, 'research', 'patient-1', 'consent')
    assert.equal((await cohort.consented(protocol, new Set([first]))).patients.length, 0)
    const second = (await recordConsent(desk, 'research', ['patient-1'], folder))[0]?.receipt.tag as Digest
    assert.deepEqual((await cohort.consented(protocol, new Set([first]))).tags, [second])
  })

  it('counts a consent once its root stands on chain, and a withdrawal at once', async () => {
    let onChain = 0
    const { cohort, desk, folder } = site(csvOf(PATIENTS), async () => onChain)
    const protocol = protocolWith({ lawfulBasis: 'consent' })
    const used = async () => (await cohort.consented(protocol, new Set())).patients.length
    await recordConsent(desk, 'research', ['patient-1', 'patient-2'], folder)
    assert.equal(await used(), 0)
    onChain = 2
    assert.equal(await used(), 2)
    await localWithdraw(desk, 'research', 'patient-1', 'consent')
    assert.equal(await used(), 1)
    await recordConsent(desk, 'research', ['patient-1'], folder)
    assert.equal(await used(), 1)
    onChain = 4
    assert.equal(await used(), 2)
  })

  it('counts no consent after the terms that it was given under, nor anybody after the newest', async () => {
    const { file, desk, folder, archive } = site(csvOf(PATIENTS))
    const until = (day: string) => () => ({ until: `${day}T00:00:00.000Z` })
    await recordConsent(desk, 'research', ['patient-1'], folder, until('2030-01-02'))
    await recordConsent(desk, 'research', ['patient-2'], folder, until('2040-01-02'))
    await recordConsent(desk, 'research', ['patient-3'], folder)
    const used = async (lawfulBasis: 'consent' | 'opt-out', day: string) => {
      const times = { nowMs: () => Date.parse(`${day}T00:00:00Z`), expiryOf: async () => '2035-01-01T00:00:00.000Z' }
      const cohort = new CsvCohort({ file, consents: desk.store, vault, archive, network, entriesOnChain: () => desk.store.size(), ...times })
      return (await cohort.consented(protocolWith({ lawfulBasis }), new Set())).patients.length
    }
    assert.deepEqual([await used('consent', '2030-01-01'), await used('consent', '2030-01-02'), await used('consent', '2035-01-01')], [3, 2, 1])
    assert.deepEqual(
      [await used('opt-out', '2029-01-01'), await used('opt-out', '2031-01-01'), await used('opt-out', '2035-01-01')],
      [PATIENTS, PATIENTS - 1, 1],
    )
  })

  it('reads the file again when it changed', async () => {
    const { cohort, file } = site(csvOf(PATIENTS))
    const before = await cohort.consented(protocolWith(), new Set())
    writeFileSync(file, csvOf(PATIENTS + 5))
    const after = await cohort.consented(protocolWith(), new Set())
    assert.equal(after.patients.length, PATIENTS + 5)
    assert.ok(before.patients.every((p) => after.patients.includes(p)))
  })

  it('names a patient that changed from training to testing differently', async () => {
    const { cohort, file } = site(csvOf(PATIENTS))
    const before = new Set((await cohort.consented(protocolWith(), new Set())).patients)
    writeFileSync(file, csvOf(PATIENTS).replace(/^(patient-1,.*),train$/m, '$1,test'))
    const after = (await cohort.consented(protocolWith(), new Set())).patients
    assert.equal(after.filter((p) => !before.has(p)).length, 1)
  })

  it('proves that a withdrawn tag is not in the cohort whose root it gave', async () => {
    const { cohort, desk, folder } = site(csvOf(PATIENTS))
    const protocol = protocolWith({ lawfulBasis: 'consent' })
    const given = await recordConsent(
      desk,
      'research',
      rowsOf(20).map((r) => r.id),
      folder,
    )
    const gone = given[4]?.receipt.tag as Digest
    const place = { network, run: runId(3), round: roundNo(4) }
    const { members, rootIn } = await cohort.consented(protocol, new Set([gone]))
    const map = cohortMap(vault, 'research', members, place)
    assert.equal(toDigest(map.root), rootIn(place.run, place.round))
    const [absent, present] = [gone, given[5]?.receipt.tag as Digest].map((tag) => cohortKey(cohortSecret(vault, 'research', tag), place, sha256))
    assert.equal(placedBy(map.root, absent as Uint8Array, proveCounted(map, absent as Uint8Array), sha256)?.present, false)
    assert.equal(placedBy(map.root, present as Uint8Array, proveCounted(map, present as Uint8Array), sha256)?.present, true)
  })

  it('makes other roots in another network', async () => {
    const { cohort, file, desk, archive } = site(csvOf(PATIENTS))
    const elsewhere = new CsvCohort({ file, consents: desk.store, vault, archive, network: sha256(Uint8Array.of(8)), entriesOnChain: async () => 0 })
    const [a, b] = await Promise.all([cohort, elsewhere].map((each) => each.consented(protocolWith(), new Set())))
    assert.notEqual(a?.rootIn(runId(1), roundNo(1)), b?.rootIn(runId(1), roundNo(1)))
  })

  it('remembers who was in a round, whatever becomes of file and consents', async () => {
    const { cohort, archive, desk, file } = site(csvOf(PATIENTS))
    const protocol = protocolWith()
    const first = await cohort.consented(protocol, new Set())
    await cohort.remember(first, protocol, runId(1), roundNo(1))
    await cohort.remember(first, protocol, runId(1), roundNo(2))
    await localWithdraw(desk, 'research', 'patient-1', 'opt-out')
    const second = await cohort.consented(protocol, new Set())
    await cohort.remember(second, protocol, runId(1), roundNo(3))
    writeFileSync(file, csvOf(2))
    const kept = await new CohortArchive(join(file, '../cohorts.log'), vault).cohorts({ run: runId(1) })
    assert.deepEqual(
      kept.map(({ round, root, members }) => [round, root, members]),
      [1, 2, 3].map((n) => {
        const { rootIn, members } = n < 3 ? first : second
        return [n, rootIn(runId(1), roundNo(n)), members]
      }),
    )
    assert.deepEqual(await archive.cohorts({ programme: 'another' }), [])
  })

  it('throws the catalogue error of a bad file, every time', async () => {
    const { cohort, file } = site(csvOf(PATIENTS).replace('100', '1000'))
    for (let i = 0; i < 2; i++) await assert.rejects(cohort.consented(protocolWith(), new Set()), (error) => isRotaError(error, 'ROTA-3005'))
    writeFileSync(file, csvOf(PATIENTS))
    assert.equal((await cohort.consented(protocolWith(), new Set())).patients.length, PATIENTS)
  })
})
