/**
 * When a block counts, and whom a node believes
 * given so many confirmations, nothing is seen or taken for done before them; a chain that goes back less far is not noticed
 * given a transaction that a reorganisation throws out, it is sent again
 * given `finalized`, it is what the chain says; where the chain refuses the word, a person is told at once
 * given no confirmations, a chain that goes back is told, and what it lost is sent again
 * given a second endpoint, nothing counts that it does not say: other views, other events, another block, another chain
 * given an endpoint whose answers cannot be used, that is said, and nothing ends
 * given a chain that makes no blocks on top, waiting for them ends
 * given one of the two that lags, what both have counts; given one that is stuck, it is named
 * given pushes that are lost, mixed up or sent twice, every event is there once, in order
 */
import assert from 'node:assert/strict'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { id } from 'ethers'
import { depthOf } from '#adapters/chain/depth.ts'
import { connectChain, type EthersChain } from '#adapters/chain/ethers-chain.ts'
import type { Rewind } from '#adapters/chain/event-log.ts'
import type { EndpointOptions } from '#adapters/chain/link.ts'
import { witnessed } from '#adapters/chain/witness-rpc.ts'
import { openWsRpc } from '#adapters/chain/ws-rpc.ts'
import { type DevChain, startAnvil } from '#adapters/devchain/anvil.ts'
import { jsonRpc } from '#adapters/devchain/machine.ts'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import { type Address, digest } from '#base/ids.ts'
import type { ChainReader } from '#ports/chain.ts'
import { type BadEndpoint, badEndpoint } from '../support/bad-endpoint.ts'
import { accountOf, deployFor, keyOf } from './ethers-world.ts'

const subject = digest(id('subject'))
const categories = async (chain: Pick<ChainReader, 'events'>) =>
  (await chain.events(0, { kinds: ['AuditEntry'] })).flatMap((event) => (event.kind === 'AuditEntry' ? [event.category] : []))
const fails = (call: Promise<unknown>, code: ErrorCode) =>
  assert.rejects(call, (error) => isRotaError(error, code) || assert.fail(`wanted ${code}: ${String(error)}`))

/** @throws Error when it does not come true within 20 s */
async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(20)) if (await look()) return
  assert.fail(`not within 20 s: ${what}`)
}

describe('finality', { timeout: 120_000 }, () => {
  let chain: DevChain
  let contracts: Address
  const opened: { stop(): Promise<void> }[] = []
  const mine = (blocks: number) => jsonRpc(chain.port, 'anvil_mine', [`0x${blocks.toString(16)}`])
  const height = async () => Number(await jsonRpc(chain.port, 'eth_blockNumber'))
  const open = async (options: Partial<EndpointOptions>, site = 0): Promise<EthersChain> => {
    const found = await connectChain({ url: chain.url, contracts, signer: keyOf(site, 'node'), ...options })
    opened.push(found)
    return found
  }

  before(async () => {
    chain = await startAnvil()
    contracts = await deployFor(chain.url, 2)
    await mine(20)
  })
  after(async () => {
    for (const each of opened) await each.stop()
    await chain.stop()
  })

  it('by confirmations waits for them, and does not notice a chain that goes back less far', async () => {
    const deep = await open({ finality: 3 })
    const flat = await open({}, 1)
    const rewinds: Rewind[] = []
    deep.onRewind((rewind) => rewinds.push(rewind))
    assert.equal((await deep.head()).number, (await height()) - 3)
    await flat.audit(1, subject)
    assert.deepEqual([await categories(flat), await categories(deep)], [[1], []])
    await mine(2)
    assert.deepEqual(await categories(deep), [])
    await mine(1)
    assert.deepEqual(await categories(deep), [1])

    let done = false
    const sent = deep.audit(2, subject).then(() => {
      done = true
    })
    await until('it is mined', async () => (await categories(flat)).length === 2)
    // The chain goes back and leaves the transaction out: three blocks on the new branch do not make it done.
    const nonce = () => jsonRpc(chain.port, 'eth_getTransactionCount', [deep.account, 'latest']).then(Number)
    const used = await nonce()
    await jsonRpc(chain.port, 'anvil_reorg', [1, []])
    assert.equal(await nonce(), used - 1)
    await mine(3)
    await until('it is sent again', async () => (await nonce()) === used)
    await mine(2)
    assert.equal(done, false)
    await mine(1)
    await sent
    assert.deepEqual([await categories(deep), rewinds], [[1, 2], []])
  })

  it("by the chain's own word follows it", async () => {
    // This chain calls a block final when 64 stand on it.
    await mine(80)
    const deep = await open({ finality: 'finalized' })
    const block = (await jsonRpc(chain.port, 'eth_getBlockByNumber', ['finalized', false])) as { number: string; hash: string }
    assert.deepEqual([(await deep.head()).number, (await deep.head()).hash], [Number(block.number), block.hash])
    const before = await categories(deep)
    const newest = await height()
    const sent = deep.audit(3, subject)
    await until('it is mined', async () => (await height()) > newest)
    assert.deepEqual(await categories(deep), before)
    await mine(80)
    await sent
    assert.equal((await categories(deep)).at(-1), 3)
  })

  it('by a word that the chain refuses is an error at once', async () => {
    const besu = await badEndpoint(chain, {
      refuse: (_, params) => (params.includes('finalized') || params.includes('safe') ? { code: -32000, message: 'Unknown block' } : undefined),
    })
    opened.push(besu)
    await fails(connectChain({ url: besu.url, contracts, signer: null, finality: 'finalized' }), 'ROTA-5013')
    const instant = await open({ url: besu.url })
    await instant.audit(4, subject)
    assert.equal(besu.did.get('refused'), 1)
  })

  it('by confirmations that never come is an error, not a wait for ever', async () => {
    const { link } = await open({})
    const top = await height()
    await assert.rejects(depthOf(link.rpc, link.url, 3, false, 300).reach(top), (error) => {
      assert.ok(isRotaError(error, 'ROTA-5017'))
      assert.deepEqual([error.details.block, error.details.at, error.details.finality], [top, top - 3, 3])
      return true
    })
  })

  it('is instant by default: a chain that goes back is told', async () => {
    const [one, other] = [await open({}), await open({}, 1)]
    await one.audit(5, subject)
    await one.audit(6, subject)
    const rewinds: Rewind[] = []
    other.onRewind((rewind) => rewinds.push(rewind))
    const from = await height()
    assert.equal((await categories(other)).at(-1), 6)
    await jsonRpc(chain.port, 'anvil_reorg', [2, []])
    // This chain takes logs back without a word.
    await until('it is told', async () => (await categories(other)) !== null && rewinds.length > 0)
    assert.equal(rewinds[0]?.from, from)
    await until('what was lost is not shown', async () => !(await categories(other)).includes(6))
    await one.audit(7, subject)
    await until('it goes on', async () => (await categories(other)).at(-1) === 7)
  })
})

describe('answers that cannot be used', { timeout: 60_000 }, () => {
  it('are an error that may pass, whatever they are', async () => {
    const chain = await startAnvil()
    const bad = await badEndpoint(chain)
    const contracts = await deployFor(chain.url, 2)
    const node = await connectChain({ url: bad.url, contracts, signer: keyOf(0, 'node') })
    const answers: readonly [string, unknown][] = [
      ['eth_call', '0x'],
      ['eth_call', '0x1234'],
      ['eth_call', { no: 'bytes' }],
      ['eth_getBlockByNumber', null],
      ['eth_getBlockByNumber', {}],
    ]
    try {
      await node.audit(1, subject)
      for (const [method, answer] of answers) {
        bad.habits.lie = (asked) => (asked === method ? answer : undefined)
        await fails(method === 'eth_call' ? node.sites() : node.head(), 'ROTA-5016')
      }
      bad.habits.lie = () => undefined
      bad.habits.refuse = (asked) => (asked === 'eth_call' ? { code: -32603, message: 'internal error' } : undefined)
      await fails(node.sites(), 'ROTA-5016')
      bad.habits.refuse = (asked) => (asked === 'eth_getTransactionReceipt' ? { code: -32000, message: 'state is not available' } : undefined)
      await fails(node.audit(2, subject), 'ROTA-5010')
      bad.habits.refuse = () => undefined
      await node.audit(3, subject)
      assert.deepEqual([(await node.sites()).length, (await categories(node)).at(-1)], [2, 3])
      await fails(connectChain({ url: bad.url, contracts: accountOf(1, 'node'), signer: null }), 'ROTA-5006')
    } finally {
      await node.stop()
      await bad.stop()
      await chain.stop()
    }
  })
})

describe('two endpoints', { timeout: 120_000 }, () => {
  let dir: string
  let chain: DevChain
  let contracts: Address
  let liar: BadEndpoint
  const opened: { stop(): Promise<void> }[] = []
  const open = async (options: Partial<EndpointOptions>, site = 0): Promise<EthersChain> => {
    const found = await connectChain({ url: chain.url, contracts, signer: keyOf(site, 'node'), ...options })
    opened.push(found)
    return found
  }

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rota-two-'))
    chain = await startAnvil({ stateFile: join(dir, 'chain.json'), stateIntervalSeconds: 1 })
    contracts = await deployFor(chain.url, 2)
    liar = await badEndpoint(chain)
  })
  after(async () => {
    for (const each of opened) await each.stop()
    await liar.stop()
    await chain.stop()
    await rm(dir, { recursive: true })
  })

  it('must say the same of views and events', async () => {
    for (const [url, witness] of [
      [chain.url, liar.url],
      [liar.url, chain.url],
    ] as const) {
      const both = await open({ url, witness })
      const before = (await categories(both)).length
      await both.audit(1, subject)
      assert.equal((await categories(both)).length, before + 1)

      liar.habits.lie = (method, _, result) => (method === 'eth_call' ? String(result).replace(/0(?=[^0]*$)/, '1') : undefined)
      await fails(both.sites(), 'ROTA-5014')
      liar.habits.lie = (method, _, result) => (method === 'eth_getLogs' ? (result as unknown[]).slice(0, -1) : undefined)
      await both.link.rpc.call('eth_chainId', [])
      await fails(both.events(0), 'ROTA-5014')
      liar.habits.lie = () => undefined
      assert.equal((await both.sites()).length, 2)
      assert.equal((await categories(both)).length, before + 1)
    }
  })

  it('count as far as both have come; one that is stuck is named', async () => {
    const both = await open({ url: liar.url, witness: chain.url })
    const { number } = await both.head()
    const held = number
    liar.habits.lie = (method) => (method === 'eth_blockNumber' ? `0x${held.toString(16)}` : undefined)
    await jsonRpc(chain.port, 'anvil_mine', ['0x5'])
    assert.equal((await both.head()).number, held)
    const [first, second] = [openWsRpc(liar.url), openWsRpc(chain.url)]
    const impatient = witnessed({ first: { rpc: first, url: liar.url }, second: { rpc: second, url: chain.url }, stuckMs: 200 })
    opened.push(impatient)
    assert.equal(Number(await impatient.call('eth_blockNumber', [])), held)
    await sleep(250)
    await assert.rejects(impatient.call('eth_blockNumber', []), (error) => {
      assert.ok(isRotaError(error, 'ROTA-5015'))
      assert.deepEqual([error.details.url, error.details.behind], [liar.url, 5])
      return true
    })
    liar.habits.lie = () => undefined
    assert.equal((await both.head()).number, held + 5)
  })

  it('take a transaction that one of them keeps back', async () => {
    const both = await open({ url: liar.url, witness: chain.url })
    const before = (await categories(both)).length
    liar.habits.drop = () => true
    await both.audit(2, subject)
    liar.habits.drop = () => false
    assert.ok((liar.did.get('dropped') ?? 0) > 0)
    assert.equal((await categories(both)).length, before + 1)
  })

  it('of two chains are refused, of two forks disagree until one is left', async () => {
    const strange = await startAnvil()
    try {
      await fails(connectChain({ url: chain.url, witness: strange.url, contracts, signer: null }), 'ROTA-5005')
    } finally {
      await strange.stop()
    }
    await until('the state is written', async () => {
      await sleep(1_100)
      return true
    })
    await copyFile(join(dir, 'chain.json'), join(dir, 'fork.json'))
    const fork = await startAnvil({ stateFile: join(dir, 'fork.json') })
    opened.push(fork)
    const both = await open({ url: chain.url, witness: fork.url })
    const { number } = await both.head()
    // Two branches of three blocks, of different times.
    await jsonRpc(fork.port, 'evm_increaseTime', [1_000])
    await jsonRpc(fork.port, 'anvil_mine', ['0x3'])
    await jsonRpc(chain.port, 'anvil_mine', ['0x3'])
    await fails(both.head(), 'ROTA-5014')
    await fails(both.events(0), 'ROTA-5014')
    assert.equal(Number(await both.link.rpc.call('eth_blockNumber', [])), number + 3)
  })
})

describe('pushes', { timeout: 60_000 }, () => {
  for (const pushes of ['lost', 'mixed', 'twice'] as const)
    it(`that are ${pushes} leave every event once, in order`, async () => {
      const chain = await startAnvil()
      const bad = await badEndpoint(chain, { pushes })
      const contracts = await deployFor(chain.url, 2)
      const reader = await connectChain({ url: bad.url, contracts, signer: null })
      const writer = await connectChain({ url: chain.url, contracts, signer: keyOf(0, 'node') })
      try {
        await reader.events(0)
        for (const category of [1, 2, 3, 4, 5]) await writer.audit(category, subject)
        await until('all is there', async () => (await categories(reader)).join() === '1,2,3,4,5')
        assert.ok((bad.did.get(pushes) ?? 0) > 0)
      } finally {
        await reader.stop()
        await writer.stop()
        await bad.stop()
        await chain.stop()
      }
    })
})
