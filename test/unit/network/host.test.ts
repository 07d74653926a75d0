import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { startNetwork } from '#adapters/network/host.ts'
import { networkKey } from '#adapters/network/identity.ts'
import { peerIdOf } from '#adapters/network/peer-id.ts'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import { siteId } from '#base/ids.ts'
import { clock, quiet, seedOf, TestMembers, TestWorld, until, type WorldOptions } from './world.ts'

/**
 * given a host
 * ├── when its PeerId is asked for without libp2p, it is the one libp2p gives
 * ├── when its port is taken, its key short or its address none, an error says so
 * ├── when a member says hello, it learns version, arithmetic and clock offset; a stranger learns nothing
 * ├── when a member is removed, its open connection ends, and it does not come back
 * ├── when a member was away and is back at its address, the two are connected again
 * ├── when a member's connection breaks, it is dialled again
 * └── when it listens for WebSocket, members come in that way
 */
describe('network host', () => {
  let world = new TestWorld()
  afterEach(() => world.stop())
  const start = async (count: number, options?: WorldOptions) => {
    world = await TestWorld.of(count, options)
    return world.nodes
  }
  const soon = () => AbortSignal.timeout(3_000)
  const fails = (work: Promise<unknown>, code: ErrorCode) =>
    assert.rejects(work, (error) => isRotaError(error, code) || assert.fail(`${String(error)} is not ${code}`))
  const alone = (listen: string[], seed = seedOf(1)) =>
    startNetwork({ seed, members: new TestMembers(), clock, log: quiet, listen, versions: { software: '1', arithmetic: '0x' } })

  it('names its PeerId without libp2p', async () => {
    for (const site of [1, 2, 3]) assert.equal(peerIdOf(seedOf(site)), peerIdFromPrivateKey(await networkKey(seedOf(site))).toString())
  })

  it('says what is wrong with its settings', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await fails(alone([`/ip4/127.0.0.1/tcp/${port}`]), 'ROTA-4004')
    await new Promise((resolve) => server.close(resolve))
    await fails(alone(['127.0.0.1:4001']), 'ROTA-4008')
    await fails(alone([], new Uint8Array(31)), 'ROTA-4008')
  })

  it('says hello to members', async () => {
    const ahead = { nowMs: () => Date.now() + 600_000, sleep: clock.sleep }
    const [a, b] = await start(2, { network: (site) => (site === 1 ? { clock: ahead, versions: { software: '0.2.0', arithmetic: '0xbb' } } : {}) })
    const hello = await a!.network.hello(siteId(1), soon())
    assert.deepEqual([hello.softwareVersion, hello.arithmeticVersion], ['0.2.0', '0xbb'])
    assert.ok(Math.abs(hello.clockOffsetMs - 600_000) < 1_000 && hello.rttMs >= 0 && hello.rttMs < 1_000)
    assert.equal((await b!.network.hello(siteId(0), soon())).softwareVersion, '0.1.0')
    assert.ok(a!.network.traffic.bytesIn > 500 && a!.network.traffic.bytesOut > 500)
    await fails(a!.network.hello(siteId(7), soon()), 'ROTA-4005')
    await fails(a!.network.open(siteId(1), '/rota/unknown/1', soon()), 'ROTA-4007')
    const stranger = await world.add(9)
    stranger.members.set([...a!.members.list(), ...stranger.members.list()])
    await fails(stranger.network.hello(siteId(0), soon()), 'ROTA-4005')
  })

  it('hangs up on a member that is removed', async () => {
    const [a, b, c] = await start(3)
    a!.members.set(a!.members.list().filter((member) => member.site !== b!.site))
    await until(() => !a!.network.connected().includes(b!.site), 'it is cut off')
    await sleep(700)
    assert.deepEqual(a!.network.connected(), [c!.site])
    await fails(a!.network.hello(b!.site, soon()), 'ROTA-4005')
    await fails(b!.network.hello(a!.site, soon()), 'ROTA-4005')
    assert.equal((await b!.network.hello(c!.site, soon())).softwareVersion, '0.1.0')
  })

  it('finds a member again that was away', async () => {
    const [a, b] = await start(2)
    const list = a!.members.list()
    const listen = list[1]!.multiaddrs.map((address) => address.split('/p2p/')[0]!)
    await b!.stop()
    await until(() => a!.network.connected().length === 0, 'it is away')
    await sleep(800)
    world = Object.assign(new TestWorld({ network: () => ({ listen }) }), { nodes: world.nodes })
    const back = await world.add(1)
    back.members.set(list.map((member) => (member.site === siteId(0) ? { ...member, multiaddrs: [] } : member)))
    await until(() => a!.network.connected().includes(back.site) && back.network.connected().includes(a!.site), 'it is back: only the one who stayed can dial')
  })

  it('lets members in by WebSocket', async () => {
    const [a, b] = await start(2, { network: () => ({ listen: ['/ip4/127.0.0.1/tcp/0/ws'] }) })
    assert.match(a!.network.addresses()[0]!, /\/ws\/p2p\//)
    assert.equal((await a!.network.hello(b!.site, soon())).softwareVersion, '0.1.0')
  })
})
