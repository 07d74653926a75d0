/**
 * Events, read once, from endpoints with habits that our own chains do not have
 * given one that refuses wide ranges, all events are found in smaller ones
 * given one that leaves block times out, they are asked for, once a block
 * given one that announces a block before its logs can be read, the reading waits for them
 * given a file that has lost what is no more in memory, that is read from the chain again
 * given a file of other events, or of none that can be understood, all is read again
 * given a file that ends long before the chain does, what is missing is asked for at once
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { id } from 'ethers'
import type { ContractName } from '#adapters/chain/abi.ts'
import { depthOf } from '#adapters/chain/depth.ts'
import { type EventFile, noEventFile } from '#adapters/chain/event-file.ts'
import { openEventLog } from '#adapters/chain/event-log.ts'
import { interfaces, type Link } from '#adapters/chain/link.ts'
import { type RawLog, RpcError } from '#adapters/chain/rpc.ts'
import { type Address, address, digest } from '#base/ids.ts'

const contractAt = (n: number): Address => address(`0x${String(n).padStart(40, '0')}`)
const addresses = Object.fromEntries(Object.keys(interfaces).map((name, i) => [name, contractAt(i + 1)])) as Record<ContractName, Address>
const hex = (n: number) => `0x${n.toString(16)}`

/** AuditEntry number `category` in block `block`. */
function logAt(block: number, category: number): RawLog {
  const { data, topics } = interfaces.AuditLog.encodeEventLog('AuditEntry', [1, category, id('subject')])
  return {
    ...{ address: addresses.AuditLog, topics, data, blockNumber: hex(block), blockHash: id(`block ${block}`), logIndex: hex(category) },
    transactionHash: id(`transaction ${category}`),
  }
}

/** An endpoint that answers from a list of logs, and takes down what it was asked. */
function endpoint(habits: { head: number; widest?: number; logs: () => readonly RawLog[] }) {
  const asked: string[] = []
  const answer = (method: string, params: readonly unknown[]): unknown => {
    asked.push(method)
    if (method === 'eth_blockNumber') return hex(habits.head)
    if (method === 'eth_getBlockByNumber') return { timestamp: hex(1_000 + Number(params[0])), hash: id(`block ${Number(params[0])}`) }
    const { fromBlock, toBlock } = (params as readonly [{ fromBlock: string; toBlock: string }])[0]
    const to = toBlock === 'latest' ? habits.head : Number(toBlock)
    if (to - Number(fromBlock) > (habits.widest ?? Number.POSITIVE_INFINITY)) throw new RpcError(method, { message: 'range too wide' })
    return habits.logs().filter((log) => Number(log.blockNumber) >= Number(fromBlock) && Number(log.blockNumber) <= to)
  }
  const nothing = () => () => {}
  const call = async <T>(method: string, params: readonly unknown[]) => answer(method, params) as T
  const rpc = { pushes: true, call, onLog: nothing, onReconnect: nothing, watch: async () => {}, stop: async () => {} }
  const link: Link = {
    rpc,
    url: 'test',
    chainId: 1n,
    genesis: digest(id('genesis')),
    addresses,
    deployedAtBlock: 5,
    depth: depthOf(rpc, 'test', 'instant', false),
    view: async () => null,
  }
  return { link, asked }
}

/** A file in memory, of a byte a line. */
const fileOf = (logs: RawLog[]): EventFile => ({
  start: 0,
  replay(take) {
    for (const [i, log] of logs.entries()) take(log, i + 1)
  },
  append(more) {
    return more.map((log) => logs.push(log))
  },
  read: (from, to) => logs.slice(from, to),
  clear: () => void logs.splice(0),
})

describe('event log', () => {
  it('asks for less when a range is refused', async () => {
    const logs = [7, 1_500, 24_000, 24_990].map((block, i) => logAt(block, i))
    const { link } = endpoint({ head: 25_000, widest: 1_000, logs: () => logs })
    const events = await openEventLog(link, noEventFile).read(0)
    assert.deepEqual(
      events.map(({ block }) => block),
      [7, 1_500, 24_000, 24_990],
    )
  })

  it('asks for the time of each block once, where logs leave it out', async () => {
    const logs = [logAt(8, 1), logAt(8, 2), logAt(9, 3)]
    const { link, asked } = endpoint({ head: 9, logs: () => logs })
    const kept: RawLog[] = []
    const log = openEventLog(link, fileOf(kept))
    assert.deepEqual(
      (await log.read(9)).map(({ timestamp }) => timestamp),
      [1_009],
    )
    log.touch(9)
    await log.read(0)
    assert.equal(asked.filter((method) => method === 'eth_getBlockByNumber').length, 2)
    // The times are kept with the logs.
    assert.deepEqual(
      (await openEventLog(link, fileOf(kept)).read(0)).map(({ timestamp }) => timestamp),
      [1_008, 1_008, 1_009],
    )
    assert.equal(asked.filter((method) => method === 'eth_getBlockByNumber').length, 2)
  })

  it('waits for logs that were announced early, but not for ever', async () => {
    let readable: readonly RawLog[] = [logAt(8, 1)]
    const habits = { head: 12, logs: () => readable }
    const log = openEventLog(endpoint(habits).link, noEventFile)
    assert.equal((await log.read(0)).length, 1)
    log.touch(13)
    habits.head = 13
    setTimeout(() => {
      readable = [logAt(8, 1), logAt(13, 2)]
    }, 30)
    assert.equal((await log.read(0)).length, 2)
    log.touch(20)
    assert.equal((await log.read(0)).length, 2)
  })

  it('asks for what its file lacks at once, however much that is', async () => {
    const logs = Array.from({ length: 2_000 }, (_, i) => ({ ...logAt(8 + i, i % 250), blockTimestamp: hex(1) }))
    const { link, asked } = endpoint({ head: 2_007, logs: () => logs })
    const kept = logs.slice(0, 3)
    const events = await openEventLog(link, fileOf(kept)).read(0)
    assert.deepEqual([events.length, kept.length], [2_000, 2_000])
    assert.deepEqual(asked, ['eth_blockNumber', 'eth_getLogs', 'eth_getLogs'], 'once for the gap, once for what came meanwhile')
  })

  it('asks the chain for the past that its file has lost', async () => {
    const opened = interfaces.RoundCoordinator.encodeEventLog('RoundOpened', [1, 1, 0, 0, 1, 1, id('root'), id('cid'), 0])
    const one = { ...logAt(8, 0), ...opened, address: addresses.RoundCoordinator, blockTimestamp: hex(1) }
    const logs = Array.from({ length: 7_000 }, (_, i) => ({ ...one, blockNumber: hex(8 + i) }))
    const { link, asked } = endpoint({ head: 7_007, logs: () => logs })
    const file = fileOf([])
    let lost = false
    const log = openEventLog(link, { ...file, read: (from, to) => (lost ? null : file.read(from, to)) })
    const before = await log.read(0)
    const calls = asked.length
    assert.equal(before.length, 7_000)
    assert.deepEqual([await log.read(0), asked.length], [before, calls], 'the past comes from the file')
    lost = true
    assert.equal((await log.read(7_000)).length, 8)
    assert.equal(asked.length, calls, 'the newest are in memory')
    assert.deepEqual(await log.read(0), before)
    const again = asked.length
    assert.ok(again > calls)
    assert.deepEqual([await log.read(0), asked.length], [before, again], 'and are not asked for twice')
  })

  it('reads all again when its file cannot be understood', async () => {
    let cleared = 0
    const file: EventFile = { ...fileOf([{ ...logAt(8, 1), data: '0x12' }]), clear: () => void cleared++ }
    const events = await openEventLog(endpoint({ head: 9, logs: () => [logAt(8, 1)] }).link, file).read(0)
    assert.deepEqual([events.length, cleared], [1, 1])
  })
})
