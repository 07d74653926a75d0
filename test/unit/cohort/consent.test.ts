import assert from 'node:assert/strict'
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { getAddress, keccak256, solidityPacked, verifyTypedData } from 'ethers'
import { type Desk, localWithdraw, localWithdrawByTag, recordConsent } from '#adapters/cohort/consent-desk.ts'
import { ConsentStore } from '#adapters/cohort/consent-store.ts'
import { consentDomain, consentKeys, programmeId, signWithdrawal } from '#adapters/cohort/consent-tags.ts'
import { readReceipt } from '#adapters/cohort/receipt.ts'
import { cohortKey, entryOf, grantedRoot, sha256, siteTree } from '#adapters/cohort/site-trees.ts'
import { fromHex } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import { cohortEntry, proveAbsent, provePresent, verifyAbsent, verifyPresent } from '#core/commit/cohort-tree.ts'
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
    await localWithdrawByTag(d, 'cardio', second.tag)
    await assert.rejects(localWithdrawByTag(d, 'cardio', second.tag), (error) => isRotaError(error, 'ROTA-6004'))
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

describe('the cohort tree', () => {
  const tags = Array.from({ length: 21 }, (_, i) => vault.keyedDigest('test-tag', Uint8Array.of(i)))
  const tree = siteTree(vault, 'cardio', tags)
  const stranger = vault.keyedDigest('test-tag', Uint8Array.of(99))

  it('is padded to a power of two, sorted, and the same for the same members in any order', () => {
    assert.equal(tree.entries.length, 32)
    assert.deepEqual(siteTree(vault, 'cardio', [...tags].reverse()).root, tree.root)
    assert.notDeepEqual(siteTree(vault, 'cardio', tags.slice(1)).root, tree.root)
    assert.notDeepEqual(siteTree(keyed('another site'), 'cardio', tags).root, tree.root)
    assert.equal(siteTree(vault, 'cardio', []).entries.length, siteTree(vault, 'cardio', tags.slice(0, 14)).entries.length)
  })

  it('proves each member present and a stranger absent, to one who is shown the cohort key', () => {
    const key = cohortKey(vault, 'cardio')
    for (const tag of tags) {
      const entry = cohortEntry(key, fromHex(tag), sha256)
      assert.ok(verifyPresent(tree.root, entry, provePresent(tree, entry) ?? assert.fail(), sha256))
      assert.equal(proveAbsent(tree, entry), null)
    }
    const entry = entryOf(vault, 'cardio', stranger)
    const proof = proveAbsent(tree, entry) ?? assert.fail()
    assert.ok(verifyAbsent(tree.root, entry, proof, sha256))
    assert.equal(provePresent(tree, entry), null)
  })

  it('proves nothing false', () => {
    const entry = entryOf(vault, 'cardio', stranger)
    const member = entryOf(vault, 'cardio', tags[3] ?? assert.fail())
    const proof = proveAbsent(tree, entry) ?? assert.fail()
    const path = provePresent(tree, member) ?? assert.fail()
    assert.ok(!verifyPresent(tree.root, entry, { ...path, entry }, sha256))
    assert.ok(!verifyPresent(tree.root, member, { ...path, index: path.index ^ 1 }, sha256))
    assert.ok(!verifyPresent(tree.root, member, { ...path, index: path.index + 32 }, sha256))
    assert.ok(!verifyAbsent(tree.root, member, proof, sha256))
    assert.ok(!verifyAbsent(tree.root, entry, { below: proof.above, above: proof.below }, sha256))
    // Neighbours that are none: the entries around a member, with the member left out between them.
    const at = path.index
    const far = {
      below: provePresent(tree, tree.entries[at - 1] as Uint8Array) ?? assert.fail(),
      above: provePresent(tree, tree.entries[at + 1] as Uint8Array) ?? assert.fail(),
    }
    assert.ok(!verifyAbsent(tree.root, member, far, sha256))
    assert.ok(!verifyAbsent(siteTree(vault, 'cardio', tags.slice(1)).root, entry, proof, sha256))
  })

  it('of standing consents holds the entries of every cohort within it', async () => {
    const d = desk()
    const given = await recordConsent(d, 'cardio', ['Ann', 'Bob', 'Cleo'], d.folder)
    const before = await grantedRoot(vault, d.store, 'cardio')
    const all = siteTree(
      vault,
      'cardio',
      given.map((g) => g.receipt.tag),
    )
    assert.equal(before, `0x${Buffer.from(all.root).toString('hex')}`)
    await localWithdraw(d, 'cardio', 'Bob', 'consent')
    assert.notEqual(await grantedRoot(vault, d.store, 'cardio'), before)
    const bob = entryOf(vault, 'cardio', given[1]?.receipt.tag ?? assert.fail())
    const rest = siteTree(
      vault,
      'cardio',
      [given[0], given[2]].map((g) => g?.receipt.tag ?? assert.fail()),
    )
    assert.ok(verifyAbsent(rest.root, bob, proveAbsent(rest, bob) ?? assert.fail(), sha256))
  })
})
