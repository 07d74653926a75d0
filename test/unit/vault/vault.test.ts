/**
 * Vault
 * given a new folder, when a vault is made, it opens with its password and gives the same keys
 * given another password or a changed byte, it does not open (ROTA-1301), and tells no key
 * given a file that is no vault, it says so (ROTA-1302); an existing one is never overwritten (ROTA-1303)
 * given a bundle of wraps, members and readers unwrap; strangers, other contexts and changed wraps do not
 */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { systemRandom } from '#adapters/host/system-host.ts'
import { readPassword } from '#adapters/vault/password.ts'
import { createReader } from '#adapters/vault/reader.ts'
import { accountAddress, createAccount, createVault, openAccount, openVault, vaultAddresses, vaultPath } from '#adapters/vault/site-vault.ts'
import { utf8 } from '#base/bytes.ts'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import { PREVIOUS_BYTES, WRAP_BYTES } from '#wire/epoch-bundle.ts'

const fails = (call: Promise<unknown> | (() => unknown), code: ErrorCode) => {
  const check = (error: unknown) => {
    assert.ok(isRotaError(error, code), `wanted ${code}: ${String(error)}`)
    return true
  }
  return typeof call === 'function' ? Promise.resolve(assert.throws(call, check)) : assert.rejects(call, check)
}

describe('vault', () => {
  let dir: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rota-vault-'))
  })
  after(() => rm(dir, { recursive: true }))
  const folder = () => mkdtemp(join(dir, 'site-'))

  it('opens with its password, in less than a third of a second, and gives the same keys', async () => {
    const site = await folder()
    const made = await createVault(site, 'correct horse', systemRandom)
    const begun = performance.now()
    const opened = await openVault(site, 'correct horse', systemRandom)
    const took = performance.now() - begun
    assert.ok(took < 1_000, `took ${took} ms; 300 on an idle machine`)
    assert.deepEqual(
      [opened.nodeAccount, opened.encryptionKey, opened.nodeKey, opened.peerSeed],
      [made.nodeAccount, made.encryptionKey, made.nodeKey, made.peerSeed],
    )
    assert.equal(opened.keyedDigest('patient', utf8('a')), made.keyedDigest('patient', utf8('a')))
    assert.deepEqual(await vaultAddresses(site), { nodeAccount: made.nodeAccount, encryptionKey: made.encryptionKey })
    assert.equal((await stat(vaultPath(site))).mode & 0o777, 0o600)
    assert.deepEqual(await readdir(site), ['vault.json'])
    const text = await readFile(vaultPath(site), 'utf8')
    assert.ok(!text.includes(made.nodeKey.slice(2)))
  })

  it('does not open with another password, nor after a change', async () => {
    const site = await folder()
    await createVault(site, 'right', systemRandom)
    await fails(openVault(site, 'wrong', systemRandom), 'ROTA-1301')
    const file = JSON.parse(await readFile(vaultPath(site), 'utf8'))
    const other = await createVault(await folder(), 'right', systemRandom)
    await writeFile(vaultPath(site), JSON.stringify({ ...file, public: { ...file.public, node: other.nodeAccount } }))
    await fails(openVault(site, 'right', systemRandom), 'ROTA-1301')
  })

  it('says what is wrong with a file, and overwrites none', async () => {
    const site = await folder()
    await fails(openVault(site, 'x', systemRandom), 'ROTA-1302')
    for (const content of ['', '{}', '{"rota":"vault","version":1}', '{"rota":"vault","version":9}', '{"rota":"reader","version":1}']) {
      await writeFile(vaultPath(site), content)
      await fails(openVault(site, 'x', systemRandom), 'ROTA-1302')
    }
    await fails(createVault(site, 'x', systemRandom), 'ROTA-1303')
    await fails(createVault(join(dir, 'nowhere'), 'x', systemRandom), 'ROTA-1306')
  })

  it('keeps accounts of stewards in files of their own', async () => {
    const file = join(await folder(), 'steward.json')
    const made = await createAccount(file, 'pass', systemRandom)
    assert.deepEqual(await openAccount(file, 'pass'), made)
    assert.equal(await accountAddress(file), made.address)
    await fails(openAccount(file, 'no'), 'ROTA-1301')
  })

  it('wraps an epoch key to members and readers, and to nobody else', async () => {
    const [a, b, stranger] = await Promise.all([1, 2, 3].map(async () => createVault(await folder(), 'p', systemRandom)))
    assert.ok(a && b && stranger)
    const file = join(await folder(), 'reader.json')
    const reader = await createReader(file, 'audit', systemRandom)
    const key = systemRandom.bytes(32)
    const context = utf8('chain 7041, study 1, epoch 0')
    const wraps = a.wrap(key, [b.encryptionKey, reader.encryptionKey, a.encryptionKey], context)
    assert.ok(wraps.every(({ wrap }) => wrap.length === WRAP_BYTES))
    assert.deepEqual(b.unwrap(wraps, context), key)
    assert.deepEqual(a.unwrap(wraps, context), key)
    assert.deepEqual(reader.unwrap(wraps, context), key)
    await fails(() => stranger.unwrap(wraps, context), 'ROTA-1312')
    await fails(() => b.unwrap(wraps, utf8('chain 7041, study 2, epoch 0')), 'ROTA-1312')
    for (const at of [0, 40, 60, 91]) {
      const changed = wraps.map(({ recipient, wrap }) => ({ recipient, wrap: wrap.map((byte, i) => (i === at ? byte ^ 1 : byte)) }))
      await fails(() => b.unwrap(changed, context), 'ROTA-1312')
    }
    // A public key of low order gives no secret at all.
    const zero = wraps.map(({ recipient, wrap }) => ({ recipient, wrap: wrap.map((byte, i) => (i < 32 ? 0 : byte)) }))
    await fails(() => b.unwrap(zero, context), 'ROTA-1312')
    // One bad wrap for us does not hide a good one.
    assert.deepEqual(b.unwrap([{ recipient: wraps[0]?.recipient as Uint8Array, wrap: new Uint8Array(WRAP_BYTES) }, ...wraps], context), key)
  })

  it('seals the epoch before under the new key', async () => {
    const vault = await createVault(await folder(), 'p', systemRandom)
    const [before, now] = [systemRandom.bytes(32), systemRandom.bytes(32)]
    const sealed = vault.seal(before, now)
    assert.equal(sealed.length, PREVIOUS_BYTES)
    assert.deepEqual(vault.open(sealed, now), before)
    await fails(() => vault.open(sealed, before), 'ROTA-1313')
    await fails(() => vault.open(sealed.subarray(0, 20), now), 'ROTA-1313')
  })

  it('keeps purposes and parts of keyed digests apart', async () => {
    const vault = await createVault(await folder(), 'p', systemRandom)
    const other = await createVault(await folder(), 'p', systemRandom)
    const digests = [
      vault.keyedDigest('a', utf8('bc')),
      vault.keyedDigest('ab', utf8('c')),
      vault.keyedDigest('a', utf8('b'), utf8('c')),
      other.keyedDigest('a', utf8('bc')),
    ]
    assert.equal(new Set(digests).size, 4)
  })

  it('takes a password from a file or file descriptor alone', async () => {
    const file = join(await folder(), 'password')
    await writeFile(file, 'first line\r\nsecond\n')
    assert.equal(readPassword({ file }), 'first line')
    await writeFile(file, '\n')
    await fails(() => readPassword({ file }), 'ROTA-1308')
    await fails(() => readPassword({ file: join(dir, 'none') }), 'ROTA-1308')
    await fails(() => readPassword({ fd: 987 }), 'ROTA-1308')
  })
})
