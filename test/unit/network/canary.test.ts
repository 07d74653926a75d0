/**
 * A canary between real hosts
 * given one site with a port and two that only dial out
 * ├── the way to each is measured both ways through the block protocol, direct or relayed, and nothing is left in any store
 * ├── a site that never answers, answers rubbish, ends the stream, or does not know the protocol is one row, and the others stand
 * ├── a site answers with its own numbers: training rounded up, once for all who ask within a minute, never a count
 * ├── a site that has not approved, lacks the protocol, has too few rows, data that do not fit, or plays a run says so
 * └── a stranger is not answered
 */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemRandom } from '#adapters/host/system-host.ts'
import { askQuestion, serveQuestions } from '#adapters/network/questions.ts'
import { arithmeticVersion } from '#app/arithmetic-version.ts'
import { type CanaryReport, type CanaryRow, runCanary } from '#app/canary.ts'
import { type CanaryDesk, serveCanary } from '#app/canary-answer.ts'
import type { CanaryParts } from '#app/canary-parts.ts'
import { bitmapOf } from '#base/bitmap.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import { digest, type SiteId, siteId, studyId, ZERO_DIGEST } from '#base/ids.ts'
import type { ChainReader, RunState, StudyRecord } from '#ports/chain.ts'
import { CANARY_LIMIT_BYTES, CANARY_PROTOCOL, decodeAnswer, encodeQuestion } from '#wire/canary.ts'
import { generatedStudy } from '../../support/studies.ts'
import { clock, type TestNode, TestWorld } from './world.ts'

const { protocol, sites } = generatedStudy({ sites: 3, rows: 60 })
const names = ['Cleveland', 'Budapest', 'Basel']
const signal = AbortSignal.timeout(60_000)
const protocolDigest = digest(`0x${'77'.repeat(32)}`)
const golden = await arithmeticVersion()

/** What of the chain a canary reads, in the test's hand. */
interface Scene {
  approved: number[]
  runs: { state: RunState; rota: number[] }[]
}

function readerOf(scene: Scene): ChainReader {
  const record = (): StudyRecord =>
    ({ id: studyId(1), protocolDigest, approved: bitmapOf(scene.approved.map(siteId)), rules: { arithmeticVersion: golden } }) as unknown as StudyRecord
  return {
    study: async () => record(),
    sites: async () => names.map((name, i) => ({ id: siteId(i), name, state: 'Active' })),
    runs: async () => scene.runs.map(({ state }, i) => ({ run: i + 1, study: 1, state })),
    run: async (run: number) => ({ round: { rota: scene.runs[run - 1]?.rota ?? [] } }),
    events: async () => [],
  } as unknown as ChainReader
}

describe('a canary between real hosts', { timeout: 60_000 }, () => {
  let world: TestWorld
  const desks: CanaryDesk[] = []
  const scene: Scene = { approved: [0, 1, 2], runs: [] }
  const asked: number[] = []
  let rows = sites.map(({ rows: table }) => table)
  let dataFault: RotaError | null = null
  let noProtocol = false

  const partsOf = (node: TestNode): CanaryParts => ({
    site: node.site,
    name: names[node.site] as string,
    chain: readerOf(scene),
    network: node.network,
    store: node.store,
    storeDir: node.dir,
    cohort: {
      async consented() {
        asked[node.site] = (asked[node.site] ?? 0) + 1
        if (dataFault !== null && node.site === 2) throw dataFault
        return { table: rows[node.site] as (typeof rows)[number], patients: [], tags: [], root: ZERO_DIGEST }
      },
    },
    trainer: null,
    clock,
    random: systemRandom,
    async protocol() {
      if (noProtocol && node.site === 2) throw new RotaError('ROTA-1207', { study: 1 })
      return protocol
    },
  })
  const canaryAt = (site: number, waitMs = 20_000): Promise<CanaryReport> =>
    runCanary(partsOf(world.nodes[site] as TestNode), { study: studyId(1), waitMs }, signal)
  const row = (report: CanaryReport, name: string): CanaryRow => report.rows.find((r) => r.name === name) as CanaryRow
  const afresh = async (): Promise<void> => {
    for (const desk of desks.splice(0)) await desk.stop()
    for (const node of world.nodes) desks.push(await serveCanary(partsOf(node)))
  }

  before(async () => {
    world = await TestWorld.of(3, { network: (site) => (site === 0 ? {} : { listen: [] }) })
    await afresh()
  })
  after(async () => {
    for (const desk of desks) await desk.stop()
    await world.stop()
  })

  it('measures the way to each member, direct or relayed, and leaves nothing behind', async () => {
    const report = await canaryAt(1)
    assert.deepEqual(
      report.rows.map(({ name, here, problem, link }) => [name, here, problem, link?.route ?? null]),
      [
        ['Cleveland', false, null, 'direct'],
        ['Budapest', true, null, null],
        ['Basel', false, null, 'relayed'],
      ],
    )
    for (const { link } of report.rows)
      if (link !== null) {
        assert.ok(link.rttMs >= 0 && Math.abs(link.clockOffsetMs) < 1_000)
        assert.ok(link.upBytesPerSecond > 10_000 && link.downBytesPerSecond > 10_000, JSON.stringify(link))
      }
    assert.deepEqual([report.unanswered, report.able, report.minSites], [[], 3, 3])
    assert.ok(report.limits.every(({ needsSeconds, proposed, now }) => needsSeconds !== null && needsSeconds < now.seconds && proposed.blocks >= 19))
    for (const desk of desks.splice(0)) await desk.stop()
    for (const node of world.nodes) {
      const left = (await readdir(node.dir, { recursive: true })).filter((name) => name.endsWith('.data'))
      assert.deepEqual(left, [], `blocks at ${node.site}`)
    }
    await afresh()
  })

  it('tells its own training rounded up, once for all who ask, and no count', async () => {
    await afresh()
    const before = asked[0] ?? 0
    const [a, b] = [await canaryAt(1), await canaryAt(2)]
    assert.deepEqual([row(a, 'Cleveland').trainSeconds, row(b, 'Cleveland').trainSeconds], [1, 1])
    const once = (asked[0] ?? 0) - before
    assert.ok(once > 3 && once < 60, `${once} repetitions`)
    assert.ok((row(a, 'Budapest').trainSeconds as number) < 1, 'its own it knows exactly')
    assert.deepEqual([row(a, 'Cleveland').sameArithmetic, row(a, 'Cleveland').whyNot, (row(a, 'Cleveland').readBytesPerSecond as number) > 0], [true, '', true])
    // The rows are 60 and 48 of them train rows: no such number is in what was said.
    const question = encodeQuestion({ kind: 'site', study: studyId(1), protocolDigest })
    const [node0, node1] = world.nodes as [TestNode, TestNode]
    const times = asked[0]
    const other = encodeQuestion({ kind: 'site', study: studyId(1), protocolDigest: digest(`0x${'78'.repeat(32)}`) })
    const unknown = decodeAnswer(await askQuestion(node1.network, node0.site, CANARY_PROTOCOL, CANARY_LIMIT_BYTES, other, signal))
    assert.deepEqual([unknown.kind === 'site' && unknown.whyNot, asked[0]], ['otherProtocol', times], 'and nothing was measured for it')
    const said = decodeAnswer(await askQuestion(node1.network, node0.site, CANARY_PROTOCOL, CANARY_LIMIT_BYTES, question, signal))
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
      await afresh()
      const report = await canaryAt(0)
      return [row(report, 'Basel').whyNot, report.able]
    }
    rows = rows.map((table, i) => (i === 2 ? { ...table, train: { ...table.train, rows: 4 } } : table))
    assert.deepEqual(await whyNot(), ['belowMinRows', 2])
    rows = sites.map(({ rows: table }) => table)
    dataFault = new RotaError('ROTA-3004', { file: 'x.csv', line: 2, column: 'age', value: 'forty' })
    assert.deepEqual(await whyNot(), ['dataError', 2])
    dataFault = null
    noProtocol = true
    assert.deepEqual(await whyNot(), ['noProtocol', 3])
    noProtocol = false
    scene.runs = [{ state: 'Active', rota: [0, 1, 2] }]
    assert.deepEqual(await whyNot(), ['busy', 3])
    scene.runs = [{ state: 'Finished', rota: [0, 1, 2] }]
    scene.approved = [0, 1]
    assert.deepEqual(await whyNot(), ['notApproved', 2])
    await assert.rejects(canaryAt(2), (error) => isRotaError(error, 'ROTA-1404'))
    scene.approved = [0, 1, 2]
    scene.runs = []
  })

  it('names who never answers, and keeps the others', async () => {
    const basel = world.nodes[2] as TestNode
    const behave = async (answer: () => Promise<Uint8Array>): Promise<CanaryReport> => {
      await afresh()
      await desks[2]?.stop()
      await serveQuestions(basel.network, CANARY_PROTOCOL, CANARY_LIMIT_BYTES, answer)
      try {
        return await canaryAt(0, 1_500)
      } finally {
        await basel.network.unserve(CANARY_PROTOCOL)
      }
    }
    const silent = await behave(() => sleep(30_000, new Uint8Array(0), { ref: false }))
    assert.deepEqual([row(silent, 'Basel').problem, silent.unanswered], ['ROTA-4006', ['Basel']])
    assert.deepEqual([row(silent, 'Budapest').problem, row(silent, 'Budapest').trainSeconds, row(silent, 'Budapest').link !== null], [null, 1, true])
    assert.equal(silent.able, 3, 'who is unknown may be there tomorrow')
    for (const [answer, code] of [
      [async () => Buffer.from('rubbish'), 'ROTA-4001'],
      [async () => new Uint8Array(CANARY_LIMIT_BYTES + 1), 'ROTA-4002'],
      [async () => new Uint8Array(0), 'ROTA-4005'],
      [() => Promise.reject(new Error('full')), 'ROTA-4005'],
    ] as const)
      assert.deepEqual([row(await behave(answer), 'Basel').problem, code], [code, code])
    await afresh()
    await desks[2]?.stop()
    const older = await canaryAt(0, 3_000)
    assert.deepEqual([row(older, 'Basel').problem, older.unanswered], ['ROTA-4007', ['Basel']])
    await afresh()
  })

  it('does not answer a stranger', async () => {
    const stranger = await world.add(9)
    const budapest = (world.nodes[0] as TestNode).network
    stranger.members.set([
      { site: stranger.site as SiteId, peerId: stranger.network.peerId, multiaddrs: [] },
      { site: siteId(0), peerId: budapest.peerId, multiaddrs: budapest.addresses().filter((address) => !address.includes('p2p-circuit')) },
    ])
    const question = encodeQuestion({ kind: 'site', study: studyId(1), protocolDigest })
    await assert.rejects(askQuestion(stranger.network, siteId(0), CANARY_PROTOCOL, CANARY_LIMIT_BYTES, question, AbortSignal.timeout(5_000)), (error) =>
      isRotaError(error, 'ROTA-4005'),
    )
    await stranger.stop()
  })
})
