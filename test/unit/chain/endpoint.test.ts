/**
 * An endpoint of a chain
 * given one that goes away and comes back, calls wait, listeners are woken, events go on
 * given one whose chain went back, it is told, events are read anew, sending works
 * given another genesis, another id, no contracts, no endpoint, it says which
 * given a base fee, an account without means is told so, one with means sends
 * given http, reading and sending work too
 * given a cache, what was read is not asked for again; a torn line costs nothing
 * given one account in two programs, all their transactions are mined
 */
import assert from 'node:assert/strict'
import { appendFile, copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { computeAddress, id } from 'ethers'
import { connectChain } from '#adapters/chain/ethers-chain.ts'
import type { Rewind } from '#adapters/chain/event-log.ts'
import { openEndpoint } from '#adapters/chain/link.ts'
import { startAnvil } from '#adapters/devchain/anvil.ts'
import { jsonRpc } from '#adapters/devchain/machine.ts'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import { type Address, address, digest } from '#base/ids.ts'
import type { Chain } from '#ports/chain.ts'
import { accountOf, deployFor, keyOf } from '../../compliance/ethers-world.ts'

const named = (name: string) => digest(id(name))
const signer = keyOf(0, 'node')
const fails = (call: Promise<unknown>, code: ErrorCode) =>
  assert.rejects(call, (error) => isRotaError(error, code) || assert.fail(`wanted ${code}: ${String(error)}`))
const categories = async (chain: Pick<Chain, 'events'>) =>
  (await chain.events(0, { kinds: ['AuditEntry'] })).flatMap((event) => (event.kind === 'AuditEntry' ? [event.category] : []))

const woken = (chain: Pick<Chain, 'onChange'>): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('not woken within 5 s')), 5_000)
    const stop = chain.onChange(() => {
      clearTimeout(timer)
      stop()
      resolve()
    })
  })

describe('endpoint of a chain', { timeout: 60_000 }, () => {
  let dir: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rota-endpoint-'))
  })
  after(() => rm(dir, { recursive: true }))

  it('may go away and come back', async () => {
    const stateFile = join(dir, 'away.json')
    let devChain = await startAnvil({ stateFile })
    const contracts = await deployFor(devChain.url, 2)
    const chain = await connectChain({ url: devChain.url, contracts, signer })
    const other = await connectChain({ url: devChain.url, contracts, signer: keyOf(1, 'node') })
    try {
      await chain.audit(1, named('before'))
      assert.deepEqual(await categories(chain), [1])
      await devChain.stop()
      const back = woken(chain)
      const waiting = [chain.audit(2, named('while away')), chain.sites()] as const
      devChain = await startAnvil({ stateFile, port: devChain.port })
      await back
      await waiting[0]
      assert.equal((await waiting[1]).length, 2)
      const told = woken(chain)
      await other.audit(3, named('after'))
      await told
      assert.deepEqual(await categories(chain), [1, 2, 3])
    } finally {
      await chain.stop()
      await other.stop()
      await devChain.stop()
    }
  })

  it('may have lost its last blocks', async () => {
    const stateFile = join(dir, 'rewind.json')
    let devChain = await startAnvil({ stateFile })
    const contracts = await deployFor(devChain.url, 2)
    const cacheDir = join(dir, 'rewind-cache')
    const open = () => connectChain({ url: devChain.url, contracts, signer, cacheDir })
    let chain = await open()
    await chain.audit(1, named('stays'))
    await chain.stop()
    await devChain.stop()
    await copyFile(stateFile, `${stateFile}.old`)
    devChain = await startAnvil({ stateFile, port: devChain.port })
    chain = await open()
    const rewinds: Rewind[] = []
    chain.onRewind((rewind) => rewinds.push(rewind))
    try {
      await chain.audit(2, named('is lost'))
      await chain.audit(3, named('is lost'))
      assert.deepEqual(await categories(chain), [1, 2, 3])
      const { number } = await chain.head()
      await devChain.stop()
      await copyFile(`${stateFile}.old`, stateFile)
      const back = woken(chain)
      devChain = await startAnvil({ stateFile, port: devChain.port })
      await back
      assert.deepEqual(rewinds, [{ from: number, to: number - 2 }])
      assert.deepEqual(await categories(chain), [1])
      await chain.audit(4, named('goes on'))
      assert.deepEqual(await categories(chain), [1, 4])
      // A node that was not running when it happened learns it when it starts.
      await chain.stop()
      await devChain.stop()
      await copyFile(`${stateFile}.old`, stateFile)
      devChain = await startAnvil({ stateFile, port: devChain.port })
      chain = await open()
      const late: Rewind[] = []
      chain.onRewind((rewind) => late.push(rewind))
      assert.equal(late.length, 1)
    } finally {
      await chain.stop()
      await devChain.stop()
    }
  })

  it('is refused when it is another chain, or has not our contracts', async () => {
    const first = await startAnvil()
    const contracts = await deployFor(first.url, 2)
    const cacheDir = join(dir, 'genesis-cache')
    const known = await connectChain({ url: first.url, contracts, signer, cacheDir })
    const { genesis, link } = known
    await fails(connectChain({ url: first.url, contracts, signer, chainId: 1n }), 'ROTA-5004')
    await fails(connectChain({ url: first.url, contracts: link.addresses.SiteRegistry, signer }), 'ROTA-5006')
    await fails(connectChain({ url: first.url, contracts: accountOf(1, 'node'), signer: null }), 'ROTA-5006')
    await known.stop()
    await first.stop()
    // The same deployer gives the same addresses: only the first block tells the two chains apart.
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    const second = await startAnvil({ port: first.port })
    try {
      assert.equal(await deployFor(second.url, 2), contracts)
      await fails(connectChain({ url: second.url, contracts, signer, genesis }), 'ROTA-5005')
      await fails(connectChain({ url: second.url, contracts, signer, cacheDir }), 'ROTA-5005')
    } finally {
      await second.stop()
    }
    await fails(openEndpoint({ url: second.url, callLimitMs: 300 }), 'ROTA-5001')
    await fails(openEndpoint({ url: second.httpUrl, callLimitMs: 300 }), 'ROTA-5001')
    await fails(openEndpoint({ url: 'ftp://chain' }), 'ROTA-5008')
    await assert.rejects(openEndpoint({ url: second.url, signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' })
  })

  it('may ask fees', async () => {
    const devChain = await startAnvil({ baseFee: 1_000_000_000 })
    const fund = (account: Address) => jsonRpc(devChain.port, 'anvil_setBalance', [account, '0xde0b6b3a7640000'])
    try {
      await fails(deployFor(devChain.url, 1), 'ROTA-5009')
      await fund(address(computeAddress(id('deployer'))))
      const contracts = await deployFor(devChain.url, 1)
      const chain = await connectChain({ url: devChain.url, contracts, signer })
      await fails(chain.audit(1, named('poor')), 'ROTA-5009')
      await fund(chain.account)
      await Promise.all([1, 2, 3].map((category) => chain.audit(category, named('rich'))))
      assert.deepEqual(await categories(chain), [1, 2, 3])
      await chain.stop()
    } finally {
      await devChain.stop()
    }
  })

  it('may speak http alone, may be shared, and is not asked twice', async () => {
    const devChain = await startAnvil()
    const contracts = await deployFor(devChain.url, 2)
    const cacheDir = join(dir, 'cache')
    const writers = await Promise.all([1, 2].map(() => connectChain({ url: devChain.url, contracts, signer })))
    const reader = await connectChain({ url: devChain.httpUrl, contracts, signer: null, cacheDir })
    try {
      const told = woken(reader)
      // Two programs with one account: each finds the other's numbers taken, and all is mined.
      await Promise.all(writers.flatMap((chain, program) => [1, 2, 3].map((i) => chain.audit(10 * program + i, named('shared')))))
      await told
      assert.deepEqual(
        (await categories(reader)).sort((a, b) => a - b),
        [1, 2, 3, 11, 12, 13],
      )
      assert.ok(!('audit' in reader))
      const overHttp = await connectChain({ url: devChain.httpUrl, contracts, signer: keyOf(1, 'node') })
      await overHttp.audit(20, named('http'))
      assert.equal((await categories(overHttp)).at(-1), 20)
      await overHttp.stop()
      const before = await categories(reader)
      await reader.stop()

      const [file] = await readdir(cacheDir)
      const cached = join(cacheDir, file as string)
      const lines = (await readFile(cached, 'utf8')).split('\n').length
      await appendFile(cached, '{"address":"0xtorn')
      const again = await connectChain({ url: devChain.url, contracts, signer: null, cacheDir })
      assert.deepEqual(await categories(again), before)
      assert.equal((await readFile(cached, 'utf8')).split('\n').length, lines)
      await again.stop()
    } finally {
      await Promise.all(writers.map((chain) => chain.stop()))
      await reader.stop()
      await devChain.stop()
    }
  })
})
