import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type DevChain, startAnvil } from '#adapters/devchain/anvil.ts'
import { jsonRpc } from '#adapters/devchain/machine.ts'
import { systemRandom } from '#adapters/host/system-host.ts'
import { lockFolder } from '#adapters/journal/folder-lock.ts'
import { drawNextNode, nextOf } from '#adapters/vault/next-keys.ts'
import { vaultPath } from '#adapters/vault/site-vault.ts'
import { withReader } from '#app/chain/chain-reader.ts'
import { createNetwork, joinNetwork } from '#app/chain/network.ts'
import { readConfig } from '#app/site/config.ts'
import { initSite, readCard } from '#app/site/init-site.ts'
import { cancelRecovery, recoverSite } from '#app/site/key-recover.ts'
import { rotateKey } from '#app/site/key-rotate.ts'
import { openSiteFolder, sitePaths } from '#app/site/site-folder.ts'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import type { SiteRecord } from '#ports/chain.ts'
import { CHEAP_KEYS } from '../../support/cheap-keys.ts'

// given a site of a network
// ├── its node's and its steward's account are put in place anew, by the steward, and the folder holds the keys that the chain names
// ├── interrupted after the keys were drawn, or after the chain has them, it is finished by doing it again
// ├── its recovery account replaces both after 48 hours, and not before; the steward can stop it
// └── while its node runs, with a wrong password, or for an account that is no member's, nothing changes

const signal = AbortSignal.timeout(110_000)
const fails = (call: Promise<unknown>, code: ErrorCode) =>
  assert.rejects(call, (error) => isRotaError(error, code) || assert.fail(`wanted ${code}: ${String(error)}`))

describe("a site's accounts", { timeout: 120_000 }, () => {
  let dir: string
  let chain: DevChain
  let folder: string
  const call = () => ({ folder, password: null, signal, stewardPassword: null, recoveryPassword: null })
  const own = async (): Promise<SiteRecord> => {
    const sites = await withReader(await readConfig(folder), signal, (reader) => reader.sites())
    return sites[0] as SiteRecord
  }
  /** Folder, card and chain name the same accounts. */
  const agree = async () => {
    const [record, { vault }, card] = await Promise.all([own(), openSiteFolder(folder, null), readCard(sitePaths(folder).card)])
    assert.deepEqual([vault.nodeAccount, card.node, card.steward], [record.node, record.node, record.steward])
    for (const file of [vaultPath(folder), sitePaths(folder).steward]) assert.equal(existsSync(nextOf(file)), false)
  }

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rota-keys-'))
    chain = await startAnvil()
    const password = { file: join(dir, 'password') }
    await writeFile(password.file, 'correct horse\n', { mode: 0o600 })
    await writeFile(join(dir, 'wrong'), 'battery staple\n', { mode: 0o600 })
    const init = (name: string) =>
      initSite({
        folder: join(dir, name),
        name,
        chain: chain.url,
        data: join(dir, 'rows.csv'),
        mapping: undefined,
        listen: [],
        announce: [],
        webPort: 0,
        password,
        stewardPassword: undefined,
        keyCost: CHEAP_KEYS,
      })
    for (const name of ['first', 'second', 'stranger']) await init(name)
    folder = join(dir, 'first')
    const { contracts } = await createNetwork({ chain: chain.url, founders: ['first', 'second'].map((name) => join(dir, name, 'site.json')) }, signal)
    for (const name of ['first', 'second']) await joinNetwork({ folder: join(dir, name), password: null, signal, contracts, wait: false }, () => undefined)
    const stranger = join(dir, 'stranger', 'rota.yaml')
    await writeFile(stranger, (await readFile(stranger, 'utf8')).replace(/contracts: ""/, `contracts: "${contracts}"`))
  })
  after(async () => {
    await chain.stop()
    await rm(dir, { recursive: true, force: true })
  })

  it('are put in place anew by the steward', async () => {
    const before = await own()
    const node = await rotateKey({ ...call(), role: 'node' })
    const steward = await rotateKey({ ...call(), role: 'steward' })
    const now = await own()
    assert.deepEqual([now.node, now.steward, now.recovery], [node.account, steward.account, before.recovery])
    assert.ok(now.node !== before.node && now.steward !== before.steward)
    assert.equal(now.peerId, before.peerId)
    await agree()
  })

  it('are put in place by doing it again, wherever it was interrupted', async () => {
    const drawn = await drawNextNode(folder, 'correct horse', systemRandom)
    assert.equal((await rotateKey({ ...call(), role: 'node' })).account, drawn)
    await agree()
    // After the chain has it: the old vault is still in its place, the new one beside it.
    const old = await readFile(vaultPath(folder), 'utf8')
    await rotateKey({ ...call(), role: 'node' })
    await writeFile(nextOf(vaultPath(folder)), await readFile(vaultPath(folder), 'utf8'))
    await writeFile(vaultPath(folder), old)
    await rotateKey({ ...call(), role: 'node' })
    await agree()
  })

  it('are replaced by the recovery account after 48 hours, unless the steward stops it', async () => {
    const before = await own()
    const started = await recoverSite(call())
    assert.equal(started.state, 'started')
    assert.equal((await recoverSite(call())).state, 'waiting')
    assert.deepEqual(await own(), before)
    await cancelRecovery(call())
    await fails(cancelRecovery(call()), 'ROTA-5212')
    await agree()

    const again = await recoverSite(call())
    assert.ok(again.state === 'started' && again.node !== started.node)
    await jsonRpc(chain.port, 'evm_increaseTime', [48 * 3600 + 60])
    await jsonRpc(chain.port, 'anvil_mine', ['0x1'])
    const finished = await recoverSite(call())
    const now = await own()
    assert.deepEqual([finished.state, now.node, now.steward, now.recovery], ['finished', again.node, again.steward, before.recovery])
    await agree()
    // Interrupted between the two files: the steward's is in its place, the vault is not.
    await writeFile(nextOf(vaultPath(folder)), await readFile(vaultPath(folder), 'utf8'))
    assert.deepEqual(await recoverSite(call()), { ...finished, readyAt: 0 })
    assert.deepEqual(await own(), now)
    await agree()
  })

  it('stay while the node runs, with a wrong password, or for a stranger', async () => {
    const before = await own()
    const lock = await lockFolder(sitePaths(folder).state)
    await fails(rotateKey({ ...call(), role: 'node' }), 'ROTA-1307')
    await fails(recoverSite(call()), 'ROTA-1307')
    await lock.release()
    await fails(rotateKey({ ...call(), role: 'node', stewardPassword: { file: join(dir, 'wrong') } }), 'ROTA-1301')
    await fails(recoverSite({ ...call(), recoveryPassword: { file: join(dir, 'wrong') } }), 'ROTA-1301')
    const stranger = { ...call(), folder: join(dir, 'stranger') }
    await fails(rotateKey({ ...stranger, role: 'steward' }), 'ROTA-1204')
    await fails(recoverSite(stranger), 'ROTA-1204')
    await fails(cancelRecovery(stranger), 'ROTA-1204')
    assert.deepEqual(await own(), before)
    await agree()
  })
})
