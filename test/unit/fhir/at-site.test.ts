/**
 * FHIR in and out at a site with a real record and a real chain
 * given a file of which one consent cannot be taken
 *   nothing is recorded; --dry-run shows the same; --partial takes the rest
 * given consents recorded from a file
 *   the same file again changes nothing; one that has ended withdraws, on chain too where the receipt lies here
 *   no older consent brings it back, a later one does under a new tag
 * given a record
 *   its export is R4, for its owner alone, holds no tag, and read again gives the same standings, also in an empty record
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ConsentStore } from '#adapters/cohort/consent-store.ts'
import { systemRandom } from '#adapters/host/system-host.ts'
import { readPassword } from '#adapters/vault/password.ts'
import { openVault } from '#adapters/vault/site-vault.ts'
import { exportFhir } from '#app/fhir/export-fhir.ts'
import { type FhirImportCall, importFhir } from '#app/fhir/import-fhir.ts'
import { nameDigest } from '#app/fhir/site-names.ts'
import { isRotaError } from '#base/errors.ts'
import { type Hospitals, makeHospitals } from '../../support/hospitals.ts'
import { rota } from '../cli/rota.ts'
import { checkR4 } from './r4-check.ts'
import { bundle, consent, type Loose, patient, SYSTEM, V3 } from './support.ts'

const signal = new AbortController().signal
const CSV = 'patient,age,outcome\nAnn,40,1\nBob,50,0\nCid,60,1\n'
const research = [{ system: V3, code: 'HRESCH' }]

describe('FHIR at a site', { timeout: 120_000 }, () => {
  let hospitals: Hospitals
  let folder: string
  const file = (name: string, text: string): string => {
    const path = join(hospitals.dir, name)
    writeFileSync(path, text)
    return path
  }
  const take = (text: string, change: Partial<FhirImportCall> = {}) =>
    importFhir({ folder, password: null, signal, programme: 'research', fhir: { text }, dryRun: false, partial: false, ...change })
  const told = async (text: string, change: Partial<FhirImportCall> = {}) =>
    (await take(text, change)).resources.map(({ outcome, error, reason }) => error?.code ?? `${outcome}: ${reason}`)
  async function standings(): Promise<Readonly<Record<string, string>>> {
    const vault = await openVault(folder, readPassword({ file: join(hospitals.dir, 'password') }), systemRandom)
    const store = new ConsentStore(join(folder, 'state', 'consents.log'), vault)
    const found = await store.standings('research')
    const names = new Map(['Ann', 'Bob', 'Cid', 'Eve'].map((name) => [nameDigest(vault, name), name]))
    return Object.fromEntries([...found].map(([who, { state, until }]) => [names.get(who) ?? '?', `${state}${until === undefined ? '' : ` until ${until}`}`]))
  }

  before(async () => {
    hospitals = await makeHospitals([{ name: 'north', rows: [] as never, csv: CSV }], 'outcome')
    folder = hospitals.folders[0] as string
    writeFileSync(join(folder, 'fhir.yaml'), `patient: { system: '${SYSTEM}' }\n`)
  })
  after(() => hospitals?.stop())

  const refer = (id: string, name: string, change: Loose = {}, provision?: Loose) =>
    consent({ id, patient: { reference: `Patient/${name}` }, ...change }, provision ?? { type: 'permit', purpose: research })
  const people = ['Ann', 'Bob', 'Cid', 'Eve'].map((name) => ({ resource: patient(name, name) }))
  const sound = [
    { resource: refer('a', 'Ann', {}, { type: 'permit', period: { end: '2031-12-31' } }) },
    { resource: refer('b', 'Bob', { performer: [{ reference: 'Patient/Bob' }] }) },
    { resource: refer('c', 'Cid', {}, { type: 'deny' }) },
  ]

  it('takes a file as a whole or, when told to, what is sound in it', async () => {
    const bad = { resource: refer('e', 'Eve', { modifierExtension: [{ url: 'urn:x' }] }) }
    const text = bundle([...people, ...sound, bad])
    const dry = await take(text, { dryRun: true })
    assert.deepEqual([dry.taken, dry.recorded, dry.withdrawn, dry.refused, dry.problem?.code], [false, 2, 1, 1, 'ROTA-6062'])
    assert.equal(dry.resources[3]?.path, 'Bundle.entry[7].resource.modifierExtension')
    const whole = await take(text)
    assert.deepEqual([whole.taken, whole.problem?.code, await standings(), existsSync(join(folder, 'receipts'))], [false, 'ROTA-6062', {}, false])
    const made = await take(text, { partial: true })
    assert.deepEqual([made.taken, made.problem, made.receipts.length, made.withoutRows], [true, null, 2, 0])
    assert.deepEqual(await standings(), { Ann: 'granted until 2032-01-01T00:00:00.000Z', Bob: 'granted', Cid: 'withdrawn' })
    assert.match(readFileSync(made.handover as string, 'utf8'), /^Ann,receipt-/m)
    assert.ok((made.root?.epoch ?? 0) >= 1)
  })

  it('again, it changes nothing; one that has ended withdraws, and only a later one brings it back', async () => {
    const again = await take(bundle([...people, ...sound]))
    assert.deepEqual([again.unchanged, again.taken], [3, false])
    const longer = refer('a', 'Ann', {}, { type: 'permit', period: { end: '2032-06-30' } })
    assert.deepEqual(await told(bundle([...people, { resource: longer }])), ['recorded: stands here already, until another day now'])
    const ended = await take(bundle([...people, { resource: refer('a', 'Ann', { status: 'inactive' }) }]))
    assert.deepEqual([ended.withdrawn, ended.problem], [1, null])
    assert.deepEqual((await standings()).Ann, 'withdrawn')
    const receipts = readdirSync(join(folder, 'receipts')).filter((name) => name.endsWith('.json'))
    const status = await rota([
      'consent',
      'status',
      '--folder',
      folder,
      '--receipt',
      receipts.map((name) => join(folder, 'receipts', name)).join(','),
      '--json',
    ])
    const followed = (JSON.parse(status.stdout) as { receipts: { withdrawnAtBlock: number | null }[] }).receipts
    assert.equal(followed.filter(({ withdrawnAtBlock }) => withdrawnAtBlock !== null).length, 1, 'its receipt lay here, so the chain knows')
    assert.deepEqual(await told(bundle([...people, sound[0] as never])), ['unchanged: withdrawn here since'])
    const day = new Date().toISOString().slice(0, 10)
    assert.deepEqual(await told(bundle([...people, { resource: refer('a2', 'Ann', { dateTime: day }) }])), ['ROTA-6061'])
    const later = new Date(Date.now() + 60_000).toISOString()
    assert.deepEqual(await told(bundle([...people, { resource: refer('a2', 'Ann', { dateTime: later }) }])), ['recorded: given again after a withdrawal'])
    assert.deepEqual(await standings(), { Ann: 'granted', Bob: 'granted', Cid: 'withdrawn' })
  })

  it('refuses two active ones of one patient, and one for a patient who did not come with it', async () => {
    assert.deepEqual(await told(bundle([...people, { resource: refer('x', 'Eve') }, { resource: refer('y', 'Eve', {}, { type: 'deny' }) }])), [
      'ROTA-6053',
      'ROTA-6053',
    ])
    assert.deepEqual(await told(bundle([...people, { resource: refer('x', 'Zoe') }])), ['ROTA-6052'])
    await assert.rejects(take(JSON.stringify(patient('1', '1'))), (error) => isRotaError(error, 'ROTA-6050'))
    assert.deepEqual(await told(bundle([...people, { resource: refer('x', 'Eve') }, { resource: refer('x', 'Eve', { status: 'inactive' }) }])), [
      'ROTA-6053',
      'ROTA-6053',
    ])
    assert.equal((await standings()).Eve, undefined)
  })

  it('exports R4 that gives the same standings, here and in an empty record', async () => {
    const withdrawn = [...people, { resource: refer('b', 'Bob', { status: 'entered-in-error' }) }, { resource: refer('e', 'Eve', { policy: undefined }) }]
    assert.deepEqual(await told(bundle(withdrawn)), ['withdrawn: its status is entered-in-error', 'recorded: a new consent'])
    const before = await standings()
    const out = join(hospitals.dir, 'record.json')
    const call = { folder, password: null, signal, programme: 'research' }
    const written = await exportFhir({ ...call, out, format: 'bundle' })
    assert.deepEqual([written.consents, written.pseudonyms], [4, 1], 'Eve is in the record, but not in the data')
    assert.equal(statSync(out).mode & 0o777, 0o600)
    await assert.rejects(exportFhir({ ...call, out, format: 'bundle' }), (error) => isRotaError(error, 'ROTA-1220'))
    const text = readFileSync(out, 'utf8')
    assert.ok(!/0x[0-9a-f]{64}|"Eve"/.test(text), 'no tag, no name that the data does not have')
    const resources = (JSON.parse(text) as { entry: { resource: Loose; fullUrl: string }[] }).entry
    for (const { resource } of resources) checkR4(resource)
    const targets = JSON.stringify(resources.map(({ resource }) => resource)).match(/"reference":"[^"]+"/g) ?? []
    const urls = new Set(resources.map(({ fullUrl }) => `"reference":"${fullUrl}"`))
    assert.ok(targets.length > 0 && targets.every((target) => urls.has(target)), 'every reference is in the bundle')

    const back = await take(text)
    assert.deepEqual([back.unchanged, back.refused, back.taken], [4, 0, false])
    const lines = join(hospitals.dir, 'record.ndjson')
    await exportFhir({ ...call, out: lines, format: 'ndjson' })
    rmSync(join(folder, 'state', 'consents.log'))
    const anew = await importFhir({ ...call, fhir: { file: lines }, dryRun: false, partial: true })
    assert.deepEqual([anew.recorded, anew.withdrawn, anew.refused, anew.resources.find(({ error }) => error)?.error?.code], [1, 2, 1, 'ROTA-6058'])
    const { Eve: _, ...named } = before
    assert.deepEqual(await standings(), named)
  })

  it('the commands say the same, and end with the code of what was refused', async () => {
    const fhir = file('one.ndjson', `${JSON.stringify(refer('z', 'Zoe', { status: 'active', scope: { text: 'x' } }))}\n`)
    const ran = await rota(['consent', 'import', '--folder', folder, '--programme', 'research', '--fhir', fhir])
    assert.equal(ran.code, 2)
    assert.match(`${ran.stdout}${ran.stderr}`, /ROTA-6055[\s\S]*Consent\.scope[\s\S]*Nothing was recorded[\s\S]*ROTA-6062/)
    const out = await rota(['consent', 'export', '--folder', folder, '--programme', 'research', '--fhir', '--out', join(hospitals.dir, 'cli.json')])
    assert.match(out.stdout, /keep it as you keep the patients' files/)
  })
})
