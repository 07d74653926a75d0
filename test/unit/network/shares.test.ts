/**
 * What a run cost each site, told by itself
 * ├── golden bytes, written down from the layout in wire/share.ts by hand; what is malformed is refused whole
 * ├── members tell each other bytes, rounds and seconds (rounded up) from their notes; who is away or silent is left out
 * ├── a node of the version before is asked, and answered, in its own words
 * ├── asked again soon, nobody is asked; at a run's end once more
 * └── a damaged file of what was told is none, and is told again
 */
import assert from 'node:assert/strict'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { askQuestion, serveQuestions } from '#adapters/network/questions.ts'
import { readShares, type Shares, startShares } from '#app/audit/participation-shares.ts'
import { toHex } from '#base/bytes.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import { runId } from '#base/ids.ts'
import { toCbor } from '#wire/cbor.ts'
import { decodeShare, decodeShareQuestion, encodeShare, encodeShareQuestion, SHARE_LIMIT_BYTES, SHARE_PROTOCOL } from '#wire/share.ts'
import { clock, quiet, type TestNode, TestWorld, until } from './world.ts'

const share = { rounds: 5, bytesIn: 1_200, bytesOut: 70_000, trainSeconds: 15 }

describe('the messages', () => {
  it('are these bytes', () => {
    // array(2) 1 7; array(5) 1 5 1200 70000 15
    assert.equal(toHex(encodeShareQuestion(runId(7), 1)), '0x820107')
    assert.equal(toHex(encodeShare(share, 1)), '0x8501051904b01a000111700f')
    // array(2) 2 7; array(6) 2 5 1200 70000 15 20
    const worked = { ...share, workSeconds: 20 }
    assert.equal(toHex(encodeShareQuestion(runId(7), 2)), '0x820207')
    assert.equal(toHex(encodeShare(worked, 2)), '0x8602051904b01a000111700f14')
    for (const version of [1, 2] as const) assert.deepEqual(decodeShareQuestion(encodeShareQuestion(runId(7), version)), { run: 7, version })
    assert.deepEqual(decodeShare(encodeShare(worked, 2)), worked)
    assert.deepEqual([decodeShare(encodeShare(worked, 1)), decodeShare(encodeShare(share, 2))], [share, share], 'not known')
  })

  it('are refused whole when anything is wrong', () => {
    const fails = (work: () => unknown, code: 'ROTA-4001' | 'ROTA-4002' | 'ROTA-4003') => assert.throws(work, (error) => isRotaError(error, code))
    fails(() => decodeShare(new Uint8Array(SHARE_LIMIT_BYTES + 1)), 'ROTA-4002')
    fails(() => decodeShare(toCbor([3, 1, 1, 1, 1])), 'ROTA-4003')
    for (const value of [[1], [1, 0], [1, 1.5], [1, 2 ** 40], [1, 7, 7], 'text', []]) fails(() => decodeShareQuestion(toCbor(value)), 'ROTA-4001')
    for (const value of [[1, 1, 1, 1], [1, 1, 1, 1, -1], [1, 1, 1, 1, 1, 1], [2, 1, 1, 1, 1], [2, 1, 1, 1, 1, 0.5], [1, 1, '1', 1, 1], {}])
      fails(() => decodeShare(toCbor(value)), 'ROTA-4001')
    fails(() => decodeShare(Buffer.from('rubbish')), 'ROTA-4001')
  })
})

describe('members', { timeout: 60_000 }, () => {
  let world: TestWorld
  const shares: Shares[] = []
  const pathsOf = (node: TestNode) => ({ rounds: join(node.dir, 'rounds.jsonl'), shares: join(node.dir, 'shares.json') })
  const note = (node: TestNode, run: number, round: number, trainMs: number | null, workMs?: number) =>
    appendFile(pathsOf(node).rounds, `${JSON.stringify({ run, round, bytesIn: 10 * round, bytesOut: 100, trainMs, workMs })}\n`)
  const isFirst = (question: Uint8Array): boolean => toHex(question).startsWith('0x8201')

  before(async () => {
    world = await TestWorld.of(4)
    // The third is of a version that does not know the question.
    for (const node of world.nodes.slice(0, 2)) shares.push(await startShares({ network: node.network, paths: pathsOf(node), clock, log: quiet }))
    // The fourth is of the version before: it knows the first question alone.
    await serveQuestions((world.nodes[3] as TestNode).network, SHARE_PROTOCOL, SHARE_LIMIT_BYTES, async (question) => {
      if (!isFirst(question)) throw new RotaError('ROTA-4003', { version: '2', known: 1 })
      return encodeShare(share, 1)
    })
  })
  after(async () => {
    for (const one of shares) await one.stop()
    await world.stop()
  })

  it('tell each other what their nodes noted', async () => {
    const [a, b] = world.nodes as [TestNode, TestNode]
    await note(b, 1, 1, 2_000)
    await note(b, 1, 2, 9_000, 2_400)
    await note(b, 2, 1, null)
    const told = () => readShares(pathsOf(a).shares)
    shares[0]?.ask(runId(1), false)
    await until(async () => (await told())['1'] !== undefined, 'it was told')
    assert.deepEqual(await told(), { 1: { 1: { rounds: 2, bytesIn: 30, bytesOut: 200, trainSeconds: 15, workSeconds: 3 }, 3: share } })
    shares[0]?.ask(runId(2), false)
    await until(async () => (await told())['2'] !== undefined, 'the second run was told')
    assert.deepEqual((await told())['2'], { 1: { rounds: 1, bytesIn: 10, bytesOut: 100, trainSeconds: 0 }, 3: share }, 'no work was noted')

    await note(b, 1, 3, 1_000)
    shares[0]?.ask(runId(1), false)
    shares[0]?.ask(runId(1), true)
    await until(async () => (await told())['1']?.['1']?.rounds === 3, 'the end was told')
    assert.equal((await told())['2']?.['1']?.rounds, 1, 'other runs are kept')

    const [old] = world.nodes.slice(3) as [TestNode]
    const asked = await askQuestion(old.network, b.site, SHARE_PROTOCOL, SHARE_LIMIT_BYTES, encodeShareQuestion(runId(1), 1), AbortSignal.timeout(5_000))
    assert.deepEqual(decodeShare(asked), { rounds: 3, bytesIn: 60, bytesOut: 300, trainSeconds: 15 }, 'as the version before reads it')
    assert.equal(asked[0], 0x85)

    for (const damage of ['', '{', 'null', '7']) {
      await writeFile(pathsOf(a).shares, damage)
      assert.deepEqual(await told(), {}, damage)
    }
    shares[0]?.ask(runId(1), true)
    await until(async () => (await told())['1'] !== undefined, 'it was told again')
  })
})
