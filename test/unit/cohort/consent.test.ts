import assert from 'node:assert/strict'
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { getAddress, keccak256, solidityPacked, verifyTypedData } from 'ethers'
import { CohortArchive } from '#adapters/cohort/cohort-archive.ts'
import { type Desk, localWithdraw, recordConsent } from '#adapters/cohort/consent-desk.ts'
import { ConsentStore } from '#adapters/cohort/consent-store.ts'
import { readReceipt } from '#adapters/cohort/receipt.ts'
import { cohortMap, cohortSecret, grantedMap, sha256 } from '#adapters/cohort/site-maps.ts'
import { fromHex, toHex } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import { type Digest, digest, roundNo, runId } from '#base/ids.ts'
import { cohortKey } from '#core/consent/cohort-map.ts'
import { consentKeys, programmeId } from '#patient/keys.ts'
import { consentDomain } from '#patient/typed-data.ts'
import { signWithdrawal } from '#patient/withdrawal.ts'
import { keyed, tempFolder } from './support.ts'

const vault = keyed('a site')
function desk(folder = tempFolder()): Desk & { readonly file: string; readonly folder: string } {
  let drawn = 0
  const file = join(folder, 'consents.log')
  return {
    file,
    folder,
    store: new ConsentStore(file, vault),
    vault,
    clock: { nowMs: () => 1_700_000_000_000 },
    random: { bytes: (n) => sha256(Uint8Array.of(drawn++)).slice(0, n) },
  }
}

describe('a consent', () => {
  it('gives each patient a receipt from which tag and key follow', async () => {
    const d = desk()
    const given = await recordConsent(d, 'cardio', ['Ann', 'Bob'], join(d.folder, 'receipts'))
    assert.deepEqual(
      given.map((g) => g.patient),
      ['Ann', 'Bob'],
    )
    assert.equal(readdirSync(join(d.folder, 'receipts')).length, 2)
    for (const { file, receipt } of given) {
      assert.deepEqual(await readReceipt(file), receipt)
      const keys = consentKeys(fromHex(receipt.secret), 'cardio')
      assert.equal(receipt.tag, keccak256(solidityPacked(['bytes32', 'address'], [keys.blind, keys.oneTimeAddress])))
      assert.doesNotMatch(readFileSync(file, 'utf8'), /Ann|Bob/)
    }
    assert.notEqual(consentKeys(fromHex(given[0]?.receipt.secret ?? ''), 'other').tag, given[0]?.receipt.tag, 'another programme, another tag')
  })

  it('is withdrawn by a signature that the contract can check', async () => {
    const d = desk()
    const [given] = await recordConsent(d, 'cardio', ['Ann'], d.folder)
    const receipt = given?.receipt ?? assert.fail()
    const domain = consentDomain(31337n, '0x00000000000000000000000000000000000000aa')
    const signed = signWithdrawal(fromHex(receipt.secret), 'cardio', domain)
    const types = {
      Withdraw: [
        { name: 'programme', type: 'bytes32' },
        { name: 'tag', type: 'bytes32' },
      ],
    }
    const signer = verifyTypedData({ ...domain }, types, { programme: programmeId('cardio'), tag: receipt.tag }, signed.signature)
    assert.equal(signer, getAddress(signed.patientKey))
    assert.equal(signed.tag, receipt.tag)
    assert.equal(fromHex(signed.signature).length, 65)
  })

  it('is recorded once; after a withdrawal it may be given again, with a new tag', async () => {
    const d = desk()
    const first = (await recordConsent(d, 'cardio', ['Ann'], d.folder))[0]?.receipt
    await assert.rejects(recordConsent(d, 'cardio', ['Bob', 'Ann'], d.folder), (error) => isRotaError(error, 'ROTA-6003'))
    await assert.rejects(recordConsent(d, 'cardio', ['Bob', 'Bob'], d.folder), (error) => isRotaError(error, 'ROTA-6003'))
    assert.equal((await d.store.standings('cardio')).size, 1, 'nothing of a refused record stands')
    assert.equal(await localWithdraw(d, 'cardio', 'Ann', 'consent'), first?.tag)
    await assert.rejects(localWithdraw(d, 'cardio', 'Ann', 'consent'), (error) => isRotaError(error, 'ROTA-6004'))
    const second = (await recordConsent(d, 'cardio', ['Ann'], d.folder))[0]?.receipt ?? assert.fail()
    assert.notEqual(second.tag, first?.tag)
    assert.equal(await localWithdraw(d, 'cardio', 'Ann', 'consent'), second.tag)
  })

  it('need not exist for an objection under opt-out, but must under consent', async () => {
    const d = desk()
    await assert.rejects(localWithdraw(d, 'cardio', 'Ann', 'consent'), (error) => isRotaError(error, 'ROTA-6004'))
    assert.equal(await localWithdraw(d, 'cardio', 'Ann', 'opt-out'), null)
    assert.deepEqual([...(await d.store.standings('cardio')).values()], [{ state: 'withdrawn', tag: null }])
  })
})

describe('a receipt', () => {
  it('that was changed is refused', async () => {
    const d = desk()
    const { file, receipt } = (await recordConsent(d, 'cardio', ['Ann'], d.folder))[0] ?? assert.fail()
    for (const text of [
      '',
      '{}',
      JSON.stringify({ ...receipt, programme: 'other' }),
      JSON.stringify({ ...receipt, secret: '00' }),
      JSON.stringify({ ...receipt, version: 2 }),
    ]) {
      writeFileSync(file, text)
      await assert.rejects(readReceipt(file), (error) => isRotaError(error, 'ROTA-6001'))
    }
    await assert.rejects(readReceipt(`${file}x`), (error) => isRotaError(error, 'ROTA-3001'))
  })
})

describe('the consent record', () => {
  it('holds no name in the clear, and opens again', async () => {
    const d = desk()
    await recordConsent(d, 'cardio', ['Ann Example'], d.folder)
    const onDisk = readFileSync(d.file, 'latin1')
    assert.doesNotMatch(onDisk, /Ann|cardio|granted/)
    assert.doesNotMatch(Buffer.from(onDisk.trim(), 'base64').toString('latin1'), /Ann|cardio|granted/)
    assert.deepEqual(await new ConsentStore(d.file, vault).standings('cardio'), await d.store.standings('cardio'))
  })

  it('sees what another process added', async () => {
    const d = desk()
    const other = { ...d, store: new ConsentStore(d.file, vault) }
    await recordConsent(d, 'cardio', ['Ann'], d.folder)
    await recordConsent(other, 'cardio', ['Bob'], d.folder)
    await Promise.all([recordConsent(d, 'cardio', ['Cleo'], d.folder), recordConsent(other, 'cardio', ['Dan'], d.folder)])
    assert.equal((await d.store.standings('cardio')).size, 4)
    assert.equal((await other.store.standings('cardio')).size, 4)
  })

  it('drops a line torn by a crash, and goes on after the whole ones', async () => {
    const d = desk()
    await recordConsent(d, 'cardio', ['Ann'], d.folder)
    appendFileSync(d.file, 'torn')
    assert.equal((await new ConsentStore(d.file, vault).standings('cardio')).size, 1)
    await recordConsent({ ...d, store: new ConsentStore(d.file, vault) }, 'cardio', ['Bob'], d.folder)
    assert.equal((await new ConsentStore(d.file, vault).standings('cardio')).size, 2)
  })

  it('opens for nobody when a line was changed, moved or left out, or with other keys', async () => {
    const d = desk()
    await recordConsent(d, 'cardio', ['Ann', 'Bob'], d.folder)
    const [a, b] = readFileSync(d.file, 'latin1').split('\n') as [string, string]
    const broken = (store: ConsentStore) => assert.rejects(store.standings('cardio'), (error) => isRotaError(error, 'ROTA-6002'))
    await broken(new ConsentStore(d.file, keyed('another site')))
    for (const text of [`${b}\n${a}\n`, `${b}\n`, `${a.slice(0, -4)}AAAA\n${b}\n`, 'x\n']) {
      writeFileSync(d.file, text)
      await broken(new ConsentStore(d.file, vault))
    }
  })
})

describe("a site's maps", () => {
  const tags = Array.from({ length: 21 }, (_, i) => vault.keyedDigest('test-tag', Uint8Array.of(i)))
  const place = { network: sha256(Uint8Array.of(1)), run: runId(1), round: roundNo(1) }

  it('are padded to a power of two, so that a handful of patients looks like none', () => {
    assert.deepEqual(
      [0, 1, 16, 17, 21].map((n) => cohortMap(vault, 'cardio', tags.slice(0, n), place).size),
      [16, 16, 16, 32, 32],
    )
    assert.equal(grantedMap(vault, 'cardio', tags, 1).size, 32)
  })

  it('have one root for the same members in any order, and another for each site, programme, network, round and epoch', () => {
    const root = (change: Partial<typeof place> = {}, of = tags, by = vault, programme = 'cardio') =>
      toHex(cohortMap(by, programme, of, { ...place, ...change }).root)
    assert.equal(root({}, [...tags].reverse()), root())
    const others = [
      root({}, tags.slice(1)),
      root({ network: sha256(Uint8Array.of(2)) }),
      root({ run: runId(2) }),
      root({ round: roundNo(2) }),
      root({}, tags, keyed('another site')),
      root({}, tags, vault, 'other'),
    ]
    assert.equal(new Set([...others, root()]).size, 7)
    const granted = [grantedMap(vault, 'cardio', tags, 1), grantedMap(vault, 'cardio', tags, 2), grantedMap(vault, 'cardio', tags.slice(1), 1)]
    assert.equal(new Set(granted.map((map) => toHex(map.root))).size, 3)
  })

  it('have nothing in common from round to round, whoever is in them', () => {
    const keysOf = (round: number) => tags.map((tag) => toHex(cohortKey(cohortSecret(vault, 'cardio', tag), { ...place, round: roundNo(round) }, sha256)))
    assert.equal(new Set([...keysOf(1), ...keysOf(2), ...tags]).size, 3 * tags.length)
  })
})

describe('the archive of cohorts', () => {
  const at = (run: number, round: number, root: string, members: readonly Digest[]) => ({
    ...{ programme: 'cardio', run: runId(run), round: roundNo(round) },
    ...{ root: digest(`0x${root.repeat(64)}`), members },
  })
  const some = Array.from({ length: 5 }, (_, i) => vault.keyedDigest('test-tag', Uint8Array.of(i))).sort()

  it('gives back each cohort of runs that are played side by side, more than it keeps in memory', async () => {
    const file = join(tempFolder(), 'cohorts.log')
    const all = Array.from({ length: 30 }, (_, i) => at(1 + (i % 6), 1 + Math.floor(i / 6), (i % 10).toString(16), some.slice(i % 3, 5 - (i % 2))))
    for (const [i, cohort] of all.entries()) await (i % 7 === 3 ? new CohortArchive(file, vault) : shared(file)).rememberCohort(cohort)
    const kept = await new CohortArchive(file, vault).cohorts({ programme: 'cardio' })
    assert.deepEqual(kept, all)
  })

  it('writes a cohort once, and no name or tag in the clear', async () => {
    const file = join(tempFolder(), 'cohorts.log')
    const archive = new CohortArchive(file, vault)
    for (let i = 0; i < 3; i++) await archive.rememberCohort(at(1, 1, 'a', some))
    await archive.rememberGrants({ programme: 'cardio', epoch: 1, root: some[0] as Digest, recordEntries: 9 })
    assert.equal(readFileSync(file, 'latin1').trim().split('\n').length, 2)
    assert.doesNotMatch(readFileSync(file, 'latin1'), /cardio|cohort/)
    assert.deepEqual(await archive.grants('cardio'), [{ kind: 'granted', programme: 'cardio', epoch: 1, root: some[0], recordEntries: 9 }])
    await assert.rejects(new CohortArchive(file, keyed('another site')).grants('cardio'), (error) => isRotaError(error, 'ROTA-6002'))
  })

  it('begins anew where an older copy was put in its place', async () => {
    const file = join(tempFolder(), 'cohorts.log')
    const archive = new CohortArchive(file, vault)
    await archive.rememberCohort(at(1, 1, 'a', some))
    const old = readFileSync(file)
    await archive.rememberCohort(at(1, 2, 'b', some.slice(1)))
    writeFileSync(file, old)
    await archive.rememberCohort(at(1, 3, 'c', some.slice(2)))
    assert.deepEqual(
      (await archive.cohorts({ run: runId(1) })).map(({ round, members }) => [round, members]),
      [
        [1, some],
        [3, some.slice(2)],
      ],
    )
  })
})

const archives = new Map<string, CohortArchive>()
function shared(file: string): CohortArchive {
  const archive = archives.get(file) ?? new CohortArchive(file, vault)
  archives.set(file, archive)
  return archive
}
