/**
 * A canary between real hosts
 * given one site with a port and two that only dial out
 * ├── every way between two members is measured both ways through the block protocol, direct or relayed, and nothing is left in any store
 * ├── a site that never answers, answers rubbish, ends the stream, or does not know the protocol is one row, and the others stand
 * ├── a site answers with its own numbers: training rounded up, once for all who ask within a minute, never a count
 * ├── a site that has not approved, lacks the protocol, has too few rows, data that do not fit, or plays a run says so, and is not in the round
 * └── a stranger is not answered
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { askQuestion, serveQuestions } from '#adapters/network/questions.ts'
import type { CanaryReport } from '#app/canary/canary.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import { digest, type SiteId, siteId, studyId } from '#base/ids.ts'
import { CANARY_LIMIT_BYTES, CANARY_PROTOCOL, decodeAnswer, encodeQuestion } from '#wire/canary.ts'
import { generatedStudy } from '../../support/studies.ts'
import { CanaryWorld, PROTOCOL_DIGEST, rowOf } from './canary-world.ts'
import type { TestNode } from './world.ts'

describe('a canary between real hosts', { timeout: 60_000 }, () => {
  let world: CanaryWorld

  before(async () => {
    world = await CanaryWorld.of(generatedStudy({ sites: 3, rows: 60 }), { network: (site) => (site === 0 ? {} : { listen: [] }) })
  })
  after(() => world.stop())

  it('measures the ways between members, direct or relayed, and leaves nothing behind', async () => {
    const report = await world.canaryAt(1)
    assert.deepEqual(
      report.rows.map(({ name, here, problem, route }) => [name, here, problem, route]),
      [
        ['Cleveland', false, null, 'direct'],
        ['Budapest', true, null, null],
        ['Basel', false, null, 'relayed'],
      ],
    )
    for (const { here, rttMs, clockOffsetMs } of report.rows)
      assert.ok(here ? rttMs === null : (rttMs as number) >= 0 && Math.abs(clockOffsetMs as number) < 1_000)
    assert.deepEqual(
      report.ways.map(({ from, to, route }) => [from, to, route]),
      [
        [0, 1, 'direct'],
        [0, 2, 'direct'],
        [1, 0, 'direct'],
        [1, 2, 'relayed'],
        [2, 0, 'direct'],
        [2, 1, 'relayed'],
      ],
    )
    assert.ok(
      report.ways.every(({ bytesPerSecond, rttMs }) => (bytesPerSecond as number) > 10_000 && (rttMs as number) >= 0),
      JSON.stringify(report.ways),
    )
    assert.deepEqual([report.round?.included, report.round?.closed, report.round?.faults], [[0, 1, 2], true, []])
    assert.deepEqual([report.unanswered, report.able, report.minSites], [[], 3, 3])
    assert.ok(report.limits.every(({ needsSeconds, proposed, now }) => needsSeconds !== null && needsSeconds < now.seconds && proposed.blocks >= 19))
    await world.closeDesks()
    assert.deepEqual(await world.left(), [])
    await world.afresh()
  })

  it('tells its own training rounded up, once for all who ask, and no count', async () => {
    await world.afresh()
    const before = world.asked[0] ?? 0
    const [a, b] = [await world.canaryAt(1), await world.canaryAt(2)]
    assert.deepEqual([rowOf(a, 'Cleveland').trainSeconds, rowOf(b, 'Cleveland').trainSeconds], [1, 1])
    const once = (world.asked[0] ?? 0) - before
    assert.ok(once > 3 && once < 60, `${once} repetitions`)
    assert.ok((rowOf(a, 'Budapest').trainSeconds as number) < 1, 'its own it knows exactly')
    assert.deepEqual(
      [rowOf(a, 'Cleveland').sameArithmetic, rowOf(a, 'Cleveland').whyNot, (rowOf(a, 'Cleveland').readBytesPerSecond as number) > 0],
      [true, '', true],
    )
    // The rows are 60 and 48 of them train rows: no such number is in what was said.
    const question = encodeQuestion({ kind: 'site', study: studyId(1), protocolDigest: PROTOCOL_DIGEST })
    const [node0, node1] = world.hosts.nodes as [TestNode, TestNode]
    const times = world.asked[0]
    const other = encodeQuestion({ kind: 'site', study: studyId(1), protocolDigest: digest(`0x${'78'.repeat(32)}`) })
    const unknown = decodeAnswer(await askQuestion(node1.network, node0.site, CANARY_PROTOCOL, CANARY_LIMIT_BYTES, other, world.signal))
    assert.deepEqual([unknown.kind === 'site' && unknown.whyNot, world.asked[0]], ['otherProtocol', times], 'and nothing was measured for it')
    const said = decodeAnswer(await askQuestion(node1.network, node0.site, CANARY_PROTOCOL, CANARY_LIMIT_BYTES, question, world.signal))
    assert.deepEqual(Object.keys(said).sort(), [
      'arithmetic',
      'backend',
      'diskUsedPermille',
      'kind',
      'readBytesPerSecond',
      'software',
      'trainSeconds',
      'whyNot',
      'writeBytesPerSecond',
    ])
  })

  it('says why a site would not take part', async () => {
    const whyNot = async (): Promise<readonly [string, number]> => {
      await world.afresh()
      const report = await world.canaryAt(0)
      return [rowOf(report, 'Basel').whyNot, report.able]
    }
    const { rows } = world
    world.rows = rows.map((table, i) => (i === 2 ? { ...table, train: { ...table.train, rows: 4 } } : table))
    assert.deepEqual(await whyNot(), ['belowMinRows', 2])
    world.rows = rows
    world.dataFault = new RotaError('ROTA-3004', { file: 'x.csv', line: 2, column: 'age', value: 'forty' })
    assert.deepEqual(await whyNot(), ['dataError', 2])
    world.dataFault = null
    world.noProtocol = true
    assert.deepEqual(await whyNot(), ['noProtocol', 3])
    world.noProtocol = false
    world.runs = [{ state: 'Active', rota: [0, 1, 2] }]
    assert.deepEqual(await whyNot(), ['busy', 3])
    world.runs = [{ state: 'Finished', rota: [0, 1, 2] }]
    world.approved = [0, 1]
    assert.deepEqual(await whyNot(), ['notApproved', 2])
    await assert.rejects(world.canaryAt(2), (error) => isRotaError(error, 'ROTA-1404'))
    world.approved = [0, 1, 2]
    world.runs = []
  })

  it('names who never answers, and keeps the others', async () => {
    const basel = world.hosts.nodes[2] as TestNode
    const behave = async (answer: () => Promise<Uint8Array>): Promise<CanaryReport> => {
      await world.afresh()
      await world.at(2).desk.stop()
      await serveQuestions(basel.network, CANARY_PROTOCOL, CANARY_LIMIT_BYTES, answer)
      try {
        return await world.canaryAt(0, 1_500)
      } finally {
        await basel.network.unserve(CANARY_PROTOCOL)
      }
    }
    const silent = await behave(() => sleep(30_000, new Uint8Array(0), { ref: false }))
    assert.deepEqual([rowOf(silent, 'Basel').problem, silent.unanswered], ['ROTA-4006', ['Basel']])
    assert.deepEqual([rowOf(silent, 'Budapest').problem, rowOf(silent, 'Budapest').trainSeconds, rowOf(silent, 'Budapest').rttMs !== null], [null, 1, true])
    assert.equal(silent.able, 3, 'who is unknown may be there tomorrow')
    for (const [answer, code] of [
      [async () => Buffer.from('rubbish'), 'ROTA-4001'],
      [async () => new Uint8Array(CANARY_LIMIT_BYTES + 1), 'ROTA-4002'],
      [async () => new Uint8Array(0), 'ROTA-4005'],
      [() => Promise.reject(new Error('full')), 'ROTA-4005'],
    ] as const)
      assert.deepEqual([rowOf(await behave(answer), 'Basel').problem, code], [code, code])
    await world.afresh()
    await world.at(2).desk.stop()
    const older = await world.canaryAt(0, 3_000)
    assert.deepEqual([rowOf(older, 'Basel').problem, older.unanswered], ['ROTA-4007', ['Basel']])
    await world.afresh()
  })

  it('does not answer a stranger', async () => {
    const stranger = await world.hosts.add(9)
    const budapest = (world.hosts.nodes[0] as TestNode).network
    stranger.members.set([
      { site: stranger.site as SiteId, peerId: stranger.network.peerId, multiaddrs: [] },
      { site: siteId(0), peerId: budapest.peerId, multiaddrs: budapest.addresses().filter((address) => !address.includes('p2p-circuit')) },
    ])
    const question = encodeQuestion({ kind: 'site', study: studyId(1), protocolDigest: PROTOCOL_DIGEST })
    await assert.rejects(askQuestion(stranger.network, siteId(0), CANARY_PROTOCOL, CANARY_LIMIT_BYTES, question, AbortSignal.timeout(5_000)), (error) =>
      isRotaError(error, 'ROTA-4005'),
    )
    await stranger.stop()
  })
})
