/**
 * A canary's round between real hosts, over made-up updates of 448 kB in three slices
 * given three members, and a slow way between the second and the third
 * ├── asked from the first: every way is measured both ways, the slow one is named in text and JSON, and its ends lead
 * ├── the round goes through all steps, comes to the known sum, and leaves nothing in any store
 * ├── a small update that is one slice goes the same way
 * ├── who publishes another sum is named, the next in turn publishes the right one, and a start is refused (ROTA-1405, ROTA-1401)
 * ├── who attests what it cannot have come to is named
 * ├── who falls silent in the round is one fault (ROTA-1407), and the rest stands
 * └── a member's part: begun by a member of the study alone, led by who began it, one round at a time, twelve in ten minutes;
 *     a run on chain goes first; a stranger's questions and blocks are ignored; what is left behind goes when the node stops
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { askQuestion } from '#adapters/network/questions.ts'
import type { CanaryReport } from '#app/canary/canary.ts'
import { problemsOf } from '#app/canary/canary-call.ts'
import { checkStart, verdictOf } from '#app/canary/canary-file.ts'
import { pairings, slowestWay } from '#app/canary/canary-ways.ts'
import { isRotaError } from '#base/errors.ts'
import { type Digest, digest, type SiteId, siteId, studyId } from '#base/ids.ts'
import { canaryText } from '#cli/output/canary-text.ts'
import { plain } from '#cli/output/style.ts'
import { CANARY_LIMIT_BYTES, CANARY_PROTOCOL, decodeAnswer, encodeQuestion } from '#wire/canary.ts'
import {
  type BeginQuestion,
  CANARY_BLOCK_PROTOCOL,
  CANARY_ROUND_LIMIT_BYTES,
  CANARY_ROUND_PROTOCOL,
  decodeRoundAnswer,
  encodeRoundQuestion,
  type RoundAnswer,
  type RoundQuestion,
} from '#wire/canary-round.ts'
import { type Door, Line, openProxy } from '../../support/proxy.ts'
import { generatedStudy, slicedStudy } from '../../support/studies.ts'
import { CanaryWorld, NAMES, PROTOCOL_DIGEST } from './canary-world.ts'
import { type TestNode, until } from './world.ts'

const SLOW_BYTES_PER_SECOND = 1_000_000
const NAME = digest(`0x${'5a'.repeat(32)}`)
const code = async (answer: Promise<RoundAnswer>): Promise<string | null> => (await answer).problem

const LIMIT = { seconds: 60, blocks: 38 }

describe("a canary's round", { timeout: 120_000 }, () => {
  let world: CanaryWorld
  const doors: Door[] = []
  const stepsOf = ({ round }: CanaryReport) => round?.steps.map(({ step }) => step)

  const line = new Line({ bytesPerSecond: SLOW_BYTES_PER_SECOND })

  before(async () => {
    const slow = async (address: string): Promise<string> => {
      const door = await openProxy(Number(/\/tcp\/(\d+)/.exec(address)?.[1]), () => line)
      doors.push(door)
      return `/ip4/127.0.0.1/tcp/${door.port}`
    }
    world = await CanaryWorld.of(slicedStudy({ sites: 3, slices: 3 }), {}, async (hosts) => {
      hosts.admit(hosts.nodes)
      const [a, b, c] = hosts.nodes as [TestNode, TestNode, TestNode]
      for (const [from, to] of [
        [b, c],
        [c, b],
      ] as const) {
        const list = [...from.members.list()]
        const theirs = list.findIndex(({ site }) => site === to.site)
        from.members.set(list.with(theirs, { ...list[theirs], multiaddrs: [await slow(to.network.addresses()[0] as string)] } as (typeof list)[number]))
      }
      await until(() => [a, b, c].every(({ network }) => network.connected().length === 2), 'all are connected')
    })
  })
  afterEach(async () => {
    world.rounds.clear()
    world.runs = []
    await world.afresh()
  })
  after(async () => {
    await world.stop()
    for (const door of doors) await door.stop()
  })

  it('names the slow way between two others, goes through all steps, and leaves nothing behind', async () => {
    const report = await world.canaryAt(0)
    assert.deepEqual(
      report.ways.map(({ from, to, problem, route }) => [from, to, problem, route]),
      [0, 1, 2].flatMap((from) => [0, 1, 2].filter((to) => to !== from).map((to) => [from, to, null, 'direct'])),
    )
    const slowest = slowestWay(report.ways)
    assert.deepEqual([slowest?.from, slowest?.to].sort(), [1, 2])
    assert.ok((slowest?.bytesPerSecond as number) < 1.2 * SLOW_BYTES_PER_SECOND, JSON.stringify(slowest))
    const back = report.ways.find(({ from, to }) => from === slowest?.to && to === slowest?.from)
    assert.ok((back?.bytesPerSecond as number) < 1.2 * SLOW_BYTES_PER_SECOND && (slowest?.rttMs as number) >= 0)

    assert.deepEqual(stepsOf(report), ['contribute', 'witness', 'tell', 'publish', 'attest'])
    const { round } = report
    assert.deepEqual([round?.included, round?.closed, round?.faults, round?.wrong], [[0, 1, 2], true, [], []])
    assert.ok(round?.rota[0] !== 0, 'who is hard to reach leads')
    assert.ok(round?.steps.every(({ step, sites }) => sites.length === (step === 'publish' ? 1 : 3)))
    assert.deepEqual([problemsOf(report, 1_000), verdictOf(report).shortfalls], [[], []])
    const witnessing = report.limits.find(({ phase }) => phase === 'witnessing')
    assert.ok((witnessing?.needsSeconds as number) > 0.2, 'half of two thirds of each update went the slow way')

    const text = canaryText({ ...report, ...verdictOf(report), clock: null, file: null }, [], plain)
    assert.match(text, new RegExp(`Slowest way: from ${NAMES[slowest?.from as number]} to ${NAMES[slowest?.to as number]}, `))
    for (const name of NAMES) assert.match(text, new RegExp(`^${name} .*B/s, .* ms`, 'm'))
    assert.match(text, /3 of 3 updates in, right sum, closed/)
    assert.match(text, /Not played: transactions/)
    assert.doesNotMatch(text, /reckoned|once/)
    const keying = { phase: 'keying', needsSeconds: 9, slowest: 'Basel', now: LIMIT, proposed: LIMIT, reckoned: 'all' } as const
    const long = report.rows.map((row) => (row.here ? { ...row, trainSeconds: 31 } : { ...row, trainSeconds: 30 }))
    const masked = canaryText({ ...report, rows: long, limits: [keying], ...verdictOf(report), clock: null, file: null }, [], plain)
    assert.match(masked, /^keying .* reckoned, not measured$/m)
    assert.deepEqual([masked.match(/, once/g)?.length, masked.match(/≤ 30/g)?.length], [1, 2])
    line.bytesPerSecond = Number.POSITIVE_INFINITY
    await world.closeDesks()
    assert.deepEqual(await world.left(), [])
  })

  it('finds who publishes another sum, and has the next in turn publish the right one', async () => {
    const another = digest(`0x${'ee'.repeat(32)}`)
    let liar = -1
    for (const site of [0, 1, 2])
      world.rounds.set(site, (honest) => ({
        ...honest,
        async answer(question, from) {
          const answer = await honest.answer(question, from)
          if (question.kind !== 'step' || question.step !== 'publish' || (liar >= 0 && liar !== site)) return answer
          liar = site
          return { ...answer, said: answer.said.map((said) => (said.kind === 'publish' ? { ...said, root: another } : said)) }
        },
      }))
    await world.afresh()
    const report = await world.canaryAt(0)
    assert.deepEqual([report.round?.wrong, report.round?.closed], [[{ site: liar, what: 'sum' }], true])
    const [problem] = problemsOf(report, 1_000)
    assert.ok(isRotaError(problem, 'ROTA-1405') && problem.exitCode === 2 && problem.message.includes(NAMES[liar] as string))
    assert.throws(
      () => checkStart(studyId(1), verdictOf(report)),
      (error) => isRotaError(error, 'ROTA-1401') && error.message.includes(`${NAMES[liar]} came to a wrong sum`),
    )
    assert.match(
      canaryText({ ...report, ...verdictOf(report), clock: null, file: null }, [], plain),
      new RegExp(`another sum than the known one: ${NAMES[liar]}`),
    )
  })

  it('finds who attests what it cannot have come to', async () => {
    world.rounds.set(2, (honest) => ({
      ...honest,
      async answer(question, from) {
        const answer = await honest.answer(question, from)
        return { ...answer, said: answer.said.map((said) => (said.kind === 'attest' ? { ...said, root: NAME } : said)) }
      },
    }))
    await world.afresh()
    const report = await world.canaryAt(0)
    assert.deepEqual([report.round?.wrong, report.round?.closed], [[{ site: 2, what: 'attestation' }], true])
  })

  it('tells who falls silent in it, and what the others did', async () => {
    world.rounds.set(2, (honest) => ({
      ...honest,
      answer: (question, from) =>
        question.kind === 'step' && question.step === 'witness' ? sleep(30_000, null as never, { ref: false }) : honest.answer(question, from),
    }))
    await world.afresh()
    const report = await world.canaryAt(0, 3_000)
    assert.deepEqual(report.round?.faults, [{ site: 2, step: 'witness', code: 'ROTA-4006' }])
    assert.deepEqual([report.round?.included, report.round?.closed, report.unanswered], [[0, 1, 2], true, []], 'two of three custodians are enough')
    assert.deepEqual(
      problemsOf(report, 3_000).map((problem) => [problem.code, problem.exitCode, problem.message.includes('Basel did not witness, ROTA-4006')]),
      [['ROTA-1407', 3, true]],
    )
    assert.deepEqual(verdictOf(report).shortfalls, [])
  })

  it('is one part among members of the study', async () => {
    const begin = (change: Partial<BeginQuestion> = {}): RoundQuestion => ({
      kind: 'begin',
      name: NAME,
      study: studyId(1),
      protocolDigest: PROTOCOL_DIGEST,
      rota: [0, 1, 2].map(siteId),
      patienceMs: 2_000,
      ...change,
    })
    const step = (name: Digest = NAME): RoundQuestion => ({
      kind: 'step',
      name,
      step: 'contribute',
      updates: [],
      included: 0n as never,
      words: [],
      publication: null,
    })
    const { rounds } = world.at(0)
    const ask = (question: RoundQuestion, from: number): Promise<string | null> => code(rounds.answer(question, siteId(from)))
    assert.equal(await ask(step(), 1), 'ROTA-1406', 'nothing was begun')
    world.approved = [0, 2]
    assert.equal(await ask(begin(), 1), 'ROTA-1404')
    world.approved = [0, 1, 2]
    assert.equal(await ask(begin({ protocolDigest: NAME }), 1), 'ROTA-1404')
    assert.equal(await ask(begin({ rota: [1, 2].map(siteId) }), 1), 'ROTA-1404', 'this site has no place in it')
    assert.equal(await ask(begin(), 1), null)
    assert.equal(await ask(begin(), 2), 'ROTA-1406', "another's is under way")
    assert.equal(await ask(step(), 2), 'ROTA-1406', 'it does not lead')
    assert.equal(await ask(step(PROTOCOL_DIGEST), 1), 'ROTA-1406', 'of another name')
    const { said } = await rounds.answer(step(), siteId(1))
    assert.deepEqual(
      said.map(({ kind }) => kind),
      ['contribute'],
    )
    assert.ok((await world.left()).some((name) => name.startsWith('canary-round-')))
    await ask({ kind: 'end', name: NAME }, 2)
    assert.equal(await ask(step(), 1), null, 'who does not lead does not end it')
    world.runs = [{ state: 'Active', rota: [0] }]
    assert.equal(await ask(step(), 1), 'ROTA-1406', 'a run on chain goes first')
    assert.deepEqual(await world.left(), [])
    assert.equal(await ask(begin(), 1), 'ROTA-1406')
    world.runs = []
    let begun = 0
    while ((await ask(begin(), 1)) === null) begun++
    assert.ok(begun > 5 && begun < 12, `${begun} more, then no more for ten minutes`)
    assert.equal(await ask({ kind: 'end', name: NAME }, 1), null)
    assert.equal(await ask(begin(), 2), null, 'another member has its own')
    await world.at(0).desk.stop()
    assert.deepEqual(await world.left(), [])
  })

  it('is not for strangers, and no way is measured again and again', async () => {
    const [first, second] = world.hosts.nodes as [TestNode, TestNode]
    const stranger = await world.hosts.add(9)
    const { peerId } = first.network
    stranger.members.set([
      { site: stranger.site as SiteId, peerId: stranger.network.peerId, multiaddrs: [] },
      { site: siteId(0), peerId, multiaddrs: first.network.addresses().filter((address) => !address.includes('p2p-circuit')) },
    ])
    const limited = (): AbortSignal => AbortSignal.timeout(5_000)
    const end = encodeRoundQuestion({ kind: 'end', name: NAME })
    for (const asked of [
      askQuestion(stranger.network, siteId(0), CANARY_ROUND_PROTOCOL, CANARY_ROUND_LIMIT_BYTES, end, limited()),
      askQuestion(stranger.network, siteId(0), CANARY_PROTOCOL, CANARY_LIMIT_BYTES, encodeQuestion({ kind: 'way', site: siteId(1), bytes: 1 }), limited()),
      stranger.network.open(siteId(0), CANARY_BLOCK_PROTOCOL, limited()),
    ])
      await assert.rejects(asked, (error) => isRotaError(error) && /ROTA-400[57]/.test(error.code))
    await stranger.stop()

    const member = askQuestion(second.network, siteId(0), CANARY_ROUND_PROTOCOL, CANARY_ROUND_LIMIT_BYTES, end, limited())
    assert.equal(decodeRoundAnswer(await member).problem, null)
    const way = async (bytes: number, site = 2) => {
      const question = encodeQuestion({ kind: 'way', site: siteId(site), bytes })
      const answer = decodeAnswer(await askQuestion(second.network, siteId(0), CANARY_PROTOCOL, CANARY_LIMIT_BYTES, question, limited()))
      return answer.kind === 'way' ? answer : assert.fail(answer.kind)
    }
    const measured = await way(1_000)
    assert.equal(measured.problem, null)
    for (let i = 0; i < 20; i++) assert.deepEqual(await way(900 + i), measured, 'once a minute')
    // What cannot be measured is not kept, and is counted.
    let tries = 0
    while (tries < 20 && (await way(1_000, 200)).problem !== 'ROTA-1406') tries++
    assert.equal(tries, 11, 'four for each member in ten minutes')
    assert.deepEqual(await way(1_000), measured)
  })
})

describe("a canary's round over small updates", { timeout: 60_000 }, () => {
  it('comes to the known sum in one slice too', async () => {
    const world = await CanaryWorld.of(generatedStudy({ sites: 3, rows: 60 }))
    try {
      const { round, ways } = await world.canaryAt(1)
      assert.deepEqual([round?.included, round?.closed, round?.faults, round?.wrong, ways.length], [[0, 1, 2], true, [], [], 6])
      await world.closeDesks()
      assert.deepEqual(await world.left(), [])
    } finally {
      await world.stop()
    }
  })
})

describe('pairs of members', () => {
  it('meet each other once, and nobody two at a time', () => {
    for (let n = 1; n <= 24; n++) {
      const turns = pairings(Array.from({ length: n }, (_, i) => siteId(3 * i)))
      const all = turns.flat().map((pair) => [...pair].sort((a, b) => a - b).join())
      assert.deepEqual([all.length, new Set(all).size], [(n * (n - 1)) / 2, (n * (n - 1)) / 2], `${n}`)
      for (const pairs of turns) assert.equal(new Set(pairs.flat()).size, 2 * pairs.length)
      assert.ok(turns.length <= n)
    }
  })
})
