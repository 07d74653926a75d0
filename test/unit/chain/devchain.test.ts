/**
 * The embedded chain
 * given a state file, blocks and contracts are there after a restart
 * given a kill without notice, at most the last interval is lost
 * given a taken port, it says why it did not start
 * given detached, it outlives its caller's interest and is stopped by its process id
 * given many that ask for a free port before any of them listens, each gets another
 * given one-second blocks with mixed mining, transactions are mined at once and time goes on without them
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectChain } from '#adapters/chain/ethers-chain.ts'
import { startAnvil, stopAnvil } from '#adapters/devchain/anvil.ts'
import { freePort, isProcessAlive, jsonRpc } from '#adapters/devchain/machine.ts'
import { isRotaError } from '#base/errors.ts'
import { deployFor, detailsOf, keyOf } from '../../compliance/ethers-world.ts'

describe('embedded chain', { timeout: 60_000 }, () => {
  let dir: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rota-devchain-'))
  })
  after(() => rm(dir, { recursive: true }))

  it('keeps its state over a restart, and over a kill', async () => {
    const stateFile = join(dir, 'state.json')
    const first = await startAnvil({ stateFile, stateIntervalSeconds: 1 })
    const contracts = await deployFor(first.url, 2)
    const before = await jsonRpc(first.port, 'eth_getBlockByNumber', ['latest', false])
    await first.stop()
    assert.equal(isProcessAlive(first.pid), false)

    const second = await startAnvil({ stateFile, stateIntervalSeconds: 1 })
    assert.deepEqual(await jsonRpc(second.port, 'eth_getBlockByNumber', ['latest', false]), before)
    await jsonRpc(second.port, 'anvil_mine', ['0x3'])
    await sleep(1_800)
    process.kill(second.pid, 'SIGKILL')
    await second.stop()

    const third = await startAnvil({ stateFile })
    try {
      assert.equal(Number(await jsonRpc(third.port, 'eth_blockNumber')), Number((before as { number: string }).number) + 3)
      const chain = await connectChain({ url: third.url, contracts, signer: keyOf(1, 'node') })
      assert.deepEqual(
        (await chain.sites()).map(({ name }) => name),
        [0, 1].map((site) => detailsOf(site).name),
      )
      await chain.audit(1, detailsOf(0).encryptionKey)
      await chain.stop()
    } finally {
      await third.stop()
    }
  })

  it('gives no port twice', async () => {
    const ports = await Promise.all(Array.from({ length: 400 }, () => freePort()))
    assert.equal(new Set(ports).size, ports.length)
  })

  it('says why it did not start', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    assert.ok(address !== null && typeof address === 'object')
    await assert.rejects(startAnvil({ port: address.port }), (error) => isRotaError(error, 'ROTA-1309'))
    server.close()
  })

  it('runs detached until it is stopped by its number', async () => {
    const chain = await startAnvil({ detached: { logFile: join(dir, 'chain.log') }, blockTimeSeconds: 1, mixedMining: true })
    try {
      const begun = performance.now()
      await deployFor(chain.url, 1)
      assert.ok(performance.now() - begun < 3_000, 'six transactions were mined at once, not one a second')
      const head = Number(await jsonRpc(chain.port, 'eth_blockNumber'))
      await sleep(1_300)
      assert.ok(Number(await jsonRpc(chain.port, 'eth_blockNumber')) > head)
    } finally {
      await stopAnvil(chain.pid)
    }
    assert.equal(isProcessAlive(chain.pid), false)
    await stopAnvil(chain.pid)
  })
})
