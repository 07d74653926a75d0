import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { peerIdFromString } from '@libp2p/peer-id'
import { WRONG_CLOCK_MS, watchClock } from '#app/node/clock-watch.ts'
import type { RotaError } from '#base/errors.ts'
import { siteId } from '#base/ids.ts'
import type { LogFields } from '#ports/host.ts'
import { clock, quiet, TestWorld, topic, until } from '../network/world.ts'

// given three hospitals on real libp2p hosts
// ├── when one's clock is ten minutes off its peers', ROTA-1206 at that one and at nobody else
// └── when a member sends a message whose signature does not hold, ROTA-4017 at who got it, nobody is told what it says, it costs whoever
//     brought it, and its good messages still arrive

/** What gossipsub's class holds beside its published interface. */
interface Inside {
  sendRpc(peer: string, rpc: { subscriptions: []; messages: readonly object[] }): boolean
  readonly score: { score(peer: string): number }
}

describe('three hospitals', () => {
  let world = new TestWorld()
  afterEach(() => world.stop())

  it('ROTA-1206 where the clock is ten minutes off the others, and nowhere else', async () => {
    const off = { nowMs: () => Date.now() - WRONG_CLOCK_MS - 5_000, sleep: clock.sleep }
    world = await TestWorld.of(3, { network: (site) => (site === 2 ? { clock: off } : {}) })
    const stop = new AbortController()
    const logged: LogFields[] = []
    const log = { ...quiet, error: (_: string, fields: LogFields = {}) => void logged.push(fields) }
    const soon = (site: number) => ({ nowMs: site === 2 ? off.nowMs : clock.nowMs, sleep: () => clock.sleep(10, stop.signal) })
    const firstWord = (site: number) =>
      new Promise<RotaError | null>((tell) => {
        const { network } = world.nodes[site]!
        void watchClock({ peers: network, connected: () => network.connected(), clock: soon(site), log }, tell, stop.signal)
      })
    const told = await Promise.all([0, 1, 2].map(firstWord))
    stop.abort()
    assert.deepEqual(
      told.map((error) => error?.code ?? null),
      [null, null, 'ROTA-1206'],
    )
    assert.match(told[2]?.message ?? '', /clock is -60[45] s off/)
    assert.ok(logged.length > 0 && logged.every((fields) => fields['code'] === 'ROTA-1206'))
  })

  it('hear nothing whose signature does not hold', async () => {
    const logged: LogFields[] = []
    const log = { ...quiet, warn: (event: string, fields: LogFields = {}) => void (event === 'gossip.forged' && logged.push(fields)) }
    world = await TestWorld.of(3, { log })
    const heard: string[] = []
    for (const { gossip } of world.nodes)
      await gossip.start(
        () => 'accept',
        (message, from) => heard.push(`${Buffer.from(message)} from ${from}`),
      )
    const [judge, , bad] = world.nodes
    await until(() => world.nodes.every(({ gossip }) => gossip.peers().length === 2), 'all are peers')
    const inside = bad!.pubsub() as unknown as Inside
    const message = {
      from: peerIdFromString(world.nodes[1]!.network.peerId).toMultihash().bytes,
      data: Buffer.from('I am site 1'),
      seqno: new Uint8Array(8).fill(1),
      topic,
      signature: new Uint8Array(64).fill(1),
    }
    assert.ok(inside.sendRpc(judge!.network.peerId, { subscriptions: [], messages: [message] }))
    const scores = judge!.pubsub() as unknown as Inside
    await until(() => scores.score.score(bad!.network.peerId) < 0, 'it costs who brought it')
    assert.equal(judge!.gossip.scoreOf(siteId(1)), 0, 'not who was named as its sender')
    assert.deepEqual(
      logged.map(({ code, peerId }) => [code, peerId]),
      [['ROTA-4017', bad!.network.peerId]],
    )
    assert.match(String(logged[0]?.['what']), /^a message that site 2 brought is not signed by whom it names$/)
    assert.deepEqual(heard, [])
    await bad!.gossip.publish(Buffer.from('an honest word'))
    await until(() => heard.length === 2, 'the others hear it')
    assert.deepEqual(new Set(heard), new Set(['an honest word from 2']))
  })
})
