/**
 * Limits from measurements: pure
 * ├── training 2 × the slowest 95th percentile; others from transfers with head-room; never below n + 3
 * ├── a vector that grows, a link that is slower, more sites: no limit becomes shorter
 * ├── slices keep a custodian's share from growing with the sites
 * ├── where updates are masked, keying and unmasking are reckoned over the measured ways: a keying limit that cannot hold refuses the run
 * ├── what was not measured leaves the protocol's limit as it is
 * ├── limits below what was measured are named with phase and site; proposed limits never are
 * ├── times that go to others are rounded up to few steps, and never down
 * ├── what the played round took counts, and what is reckoned where a site was not in it; a site's ways count by their slower directions
 * └── a stored canary: of exactly this protocol, damaged ones are none; doctor reads it; ROTA-1401 names what to do
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { CanaryReport } from '#app/canary/canary.ts'
import { problemsOf } from '#app/canary/canary-call.ts'
import { checkStart, keepCanary, keptCanary, verdictOf } from '#app/canary/canary-file.ts'
import { coarseSeconds, type Measured, type PhaseLimit, percentile, phaseLimits, shortfallText, shortPhases, tidySeconds } from '#app/canary/canary-limits.ts'
import type { PlayedRound } from '#app/canary/canary-round.ts'
import { longestWayMs, meanSpeed, slowestWay, type Way } from '#app/canary/canary-ways.ts'
import { checkLimits } from '#app/site/doctor-checks.ts'
import { isRotaError } from '#base/errors.ts'
import { digest, siteId, studyId } from '#base/ids.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { StudyRecord } from '#ports/chain.ts'

const limit = (seconds: number) => ({ seconds, blocks: 19 })
/** What the chain asks. */
const limitOf = (least: number) => ({ seconds: least, blocks: least })
const protocolOf = (
  seconds: number,
  slices = 1,
  maxSites = 16,
  mode: Protocol['mode'] = 'open',
): Pick<Protocol, 'limits' | 'maxSites' | 'slices' | 'mode'> => ({
  mode,
  limits: { keying: limit(seconds), contributing: limit(seconds), witnessing: limit(seconds), publishing: limit(seconds), attesting: limit(seconds) },
  maxSites,
  slices,
})
const site = (name: string, trainSeconds: number | null, linkBytesPerSecond: number | null = 1e8) => ({
  name,
  trainSeconds,
  linkBytesPerSecond,
  rttMs: linkBytesPerSecond === null ? null : 20,
  storeBytesPerSecond: 2e8,
})
const measured = (change: Partial<Measured> = {}): Measured => ({
  sites: [site('Cleveland', 4, null), site('Budapest', 90), site('Basel', 30)],
  vectorBytes: 1_000,
  addBytesPerSecond: 5e8,
  blockSeconds: 1,
  ...change,
})
const of = (limits: readonly PhaseLimit[], phase: string): PhaseLimit => limits.find((l) => l.phase === phase) as PhaseLimit

describe('limits from measurements', () => {
  it('give the slowest training twice its time, and the rest their transfers', () => {
    const limits = phaseLimits(measured(), protocolOf(600))
    const training = of(limits, 'contributing')
    assert.equal(training.slowest, 'Budapest')
    assert.ok(Math.abs((training.needsSeconds as number) - 92) < 0.1, 'training, and two blocks')
    assert.deepEqual(training.proposed, { seconds: tidySeconds(2 * (training.needsSeconds as number)), blocks: 19 })
    for (const phase of ['witnessing', 'publishing', 'attesting']) assert.equal(of(limits, phase).proposed.seconds, 19, `${phase}: n + 3 for a small vector`)
    const sliced = phaseLimits(measured(), protocolOf(600, 16))
    assert.deepEqual([of(sliced, 'witnessing').proposed, of(sliced, 'publishing').proposed], [limitOf(51), limitOf(19)], 'three calls for each slice')
    const large = phaseLimits(measured({ vectorBytes: 40e6, sites: [site('a', 1, null), site('b', 1, 1e6), site('c', 1, 12.5e6)] }), protocolOf(600))
    assert.ok((of(large, 'witnessing').needsSeconds as number) > 80 && of(large, 'witnessing').slowest === 'b')
    assert.ok((of(large, 'publishing').needsSeconds as number) > 3 * 80, 'each third is one place')
  })

  it('never shrink when anything becomes slower, larger or more', () => {
    const random = new Seeded(7)
    const draw = (least: number, most: number) => least + (random.bytes(1)[0] as number) * ((most - least) / 255)
    for (let i = 0; i < 300; i++) {
      const count = 3 + Math.floor(draw(0, 20))
      const sites = Array.from({ length: count }, (_, k) => site(`s${k}`, draw(0.1, 500), k === 0 ? null : draw(1e5, 1e8)))
      const base = measured({ sites, vectorBytes: Math.round(draw(100, 4e7)), blockSeconds: draw(0, 5) })
      const worse: Measured[] = [
        { ...base, vectorBytes: base.vectorBytes * 2 },
        { ...base, addBytesPerSecond: base.addBytesPerSecond / 2 },
        { ...base, sites: [...sites, site('more', 1, 1e8)] },
        { ...base, sites: sites.map((s) => ({ ...s, linkBytesPerSecond: s.linkBytesPerSecond === null ? null : s.linkBytesPerSecond / 2 })) },
        { ...base, sites: sites.map((s) => ({ ...s, trainSeconds: (s.trainSeconds as number) * 2 })) },
      ]
      const before = phaseLimits(base, protocolOf(600))
      for (const other of worse)
        for (const [k, after] of phaseLimits(other, protocolOf(600)).entries()) {
          assert.ok((after.needsSeconds as number) >= (before[k]?.needsSeconds as number) - 1e-9, `${after.phase} ${i}`)
          assert.ok(after.proposed.seconds >= 19 && after.proposed.blocks >= 19 && after.proposed.seconds >= (after.needsSeconds as number))
        }
      assert.deepEqual(shortPhases(phaseLimits(base, { ...protocolOf(600), limits: limitsFrom(before) })), [], 'what is proposed holds')
    }
  })

  it('do not grow with the sites where a model is cut in as many slices', () => {
    const many = (count: number) => measured({ vectorBytes: 40e6, sites: Array.from({ length: count }, (_, i) => site(`s${i}`, 1, i === 0 ? null : 12.5e6)) })
    const whole = [23, 200].map((n) => of(phaseLimits(many(n), protocolOf(600, 1, 256)), 'witnessing').needsSeconds as number)
    const sliced = [23, 200].map((n) => of(phaseLimits(many(n), protocolOf(600, n, 256)), 'witnessing').needsSeconds as number)
    assert.ok((whole[1] as number) > 8 * (whole[0] as number))
    assert.ok((sliced[1] as number) < 1.1 * (sliced[0] as number) && (sliced[1] as number) < 15)
  })

  it('take what the round took, and what is reckoned only where a site was not in it', () => {
    const step = (seconds: number, slowest: string) => ({ seconds, slowest })
    const round = { whole: true, contribute: step(5, 'a'), witness: step(10, 'Basel'), addUp: step(2, 'a'), publish: step(1, 'a'), attest: step(7, 'Bern') }
    const limits = phaseLimits(measured({ round }), protocolOf(600))
    assert.deepEqual(
      limits.map(({ needsSeconds, slowest }) => [Math.round(needsSeconds as number), slowest]),
      [
        [97, 'Budapest'],
        [12, 'Basel'],
        [45, 'Basel'],
        [9, 'Bern'],
      ],
      'with two blocks each, and a third of publishing for each place',
    )
    const secondsOf = (change: Partial<Measured>) =>
      phaseLimits(measured(change), protocolOf(600)).map(({ needsSeconds }) => Math.round(needsSeconds as number))
    const slow = { vectorBytes: 40e6, sites: [site('a', 1, 1e6), site('b', 1, 1e6)] }
    assert.deepEqual(secondsOf({ ...slow, round }), [8, 12, 45, 9], 'every site was in it')
    const part = { ...round, whole: false }
    assert.deepEqual(secondsOf({ ...slow, round: part }), [8, ...secondsOf(slow).slice(1)])
    assert.deepEqual(secondsOf({ round: part }), secondsOf({ round }))
  })

  it('reckon with all ways of a site, each by its slower direction', () => {
    const way = (from: number, to: number, bytesPerSecond: number | null, rttMs: number | null = 1): Way => ({
      from: siteId(from),
      to: siteId(to),
      bytesPerSecond,
      rttMs,
      clockOffsetMs: 0,
      route: 'direct',
      problem: bytesPerSecond === null ? 'ROTA-4005' : null,
    })
    const ways = [way(0, 1, 100), way(1, 0, 300), way(0, 2, 50, 9), way(2, 0, 80, 9), way(1, 2, null, null), way(2, 1, null, null)]
    assert.ok(Math.abs((meanSpeed(ways, siteId(0)) as number) - 2 / (1 / 100 + 1 / 50)) < 1e-9)
    assert.deepEqual(
      [meanSpeed(ways, siteId(1)), meanSpeed(ways, siteId(7)), longestWayMs(ways, siteId(0)), longestWayMs(ways, siteId(7))],
      [100, null, 9, null],
    )
    assert.deepEqual([slowestWay(ways), slowestWay([])], [ways[2], null])
  })

  it('reckon keying and unmasking where updates are masked', () => {
    const masked = (seconds: number) => protocolOf(seconds, 1, 16, 'masked')
    const slow = (count: number, change: Partial<Measured> = {}) =>
      measured({ sites: Array.from({ length: count }, (_, i) => site(`s${i}`, 4, i === 1 ? 2_500 : 1e8)), ...change })
    const open = phaseLimits(slow(8), protocolOf(600))
    assert.ok(open.every(({ phase, reckoned }) => phase !== 'keying' && reckoned === undefined))
    for (const mode of ['masked', 'groups'] as const) {
      const limits = phaseLimits(slow(8), { ...masked(60), mode })
      const keying = of(limits, 'keying')
      // Each way seven offers and seven deals of eight parcels over the slowest line, and as long again for the calls.
      const [least, most] = [2 * 7 * (1_248 + 8 * 1_200), 2 * 7 * (1_700 + 8 * 1_500)].map((bytes) => 2 * (bytes / 2_500))
      assert.ok((keying.needsSeconds as number) > (least as number) && (keying.needsSeconds as number) < (most as number), `${keying.needsSeconds} s`)
      assert.deepEqual([keying.slowest, keying.reckoned, keying.now.seconds], ['s1', 'all', 60])
      assert.ok(keying.proposed.seconds >= 2 * (keying.needsSeconds as number))
      assert.equal(keying.proposed.blocks, 38, '2 × (16 + 3), as the chain asks')
      const attesting = [of(limits, 'attesting'), of(open, 'attesting')].map(({ needsSeconds }) => needsSeconds as number)
      assert.ok((attesting[0] as number) > (attesting[1] as number) + 1 && of(limits, 'attesting').reckoned === 'unmasking')
    }
    const of60 = phaseLimits(slow(8), masked(60))
    assert.throws(
      () => checkStart(studyId(3), verdictOf({ atMs: 0, limits: of60, unanswered: [], able: 8, minSites: 3, round: null, rows: [] })),
      (error) => isRotaError(error, 'ROTA-1401') && /keying has 60 s and takes \d+ s at s1/.test(error.message),
    )
    assert.deepEqual(shortPhases(phaseLimits(slow(8), { ...masked(60), limits: limitsFrom(of60) })), [], 'what is proposed holds')
    const fast = phaseLimits(measured(), masked(600))
    assert.ok(
      Math.abs((of(fast, 'keying').needsSeconds as number) - 8) < 0.1,
      'of three near sites it is two calls of two blocks, and as long for the exchange',
    )
    const alone = phaseLimits(measured({ sites: [site('a', 4, null)] }), masked(77))
    assert.deepEqual([of(alone, 'keying').needsSeconds, of(alone, 'keying').proposed.seconds], [null, 77], 'without a way nothing is reckoned')
    const needs = (count: number) => of(phaseLimits(slow(count), masked(600)), 'keying').needsSeconds as number
    for (let count = 3; count < 40; count++) assert.ok(count === 10 || needs(count + 1) > needs(count), `${count + 1} sites`)
  })

  it('leave alone what was not measured', () => {
    const limits = phaseLimits(measured({ sites: [site('a', null, null), site('b', null, null)] }), protocolOf(77))
    assert.ok(limits.every(({ needsSeconds, proposed }) => needsSeconds === null && proposed.seconds === 77))
    assert.deepEqual(shortPhases(limits), [])
  })

  it('name phase and site when they are too short', () => {
    const short = shortPhases(phaseLimits(measured(), protocolOf(60)))
    assert.deepEqual(
      short.map(({ phase }) => phase),
      ['contributing'],
    )
    assert.equal(shortfallText(short[0] as PhaseLimit), 'contributing has 60 s and takes 93 s at Budapest')
  })

  it('round up to few steps what others are told', () => {
    assert.deepEqual(
      [0.002, 0.9, 1, 1.01, 1.5, 2.2, 6, 7.5, 10, 11, 15.5, 29, 47, 99, 101, 3_600].map(coarseSeconds),
      [1, 1, 1, 2, 2, 3, 7, 10, 10, 15, 20, 30, 50, 100, 150, 5_000],
    )
    for (let s = 0.01; s < 100_000; s *= 1.07) assert.ok(coarseSeconds(s) >= s && coarseSeconds(s) <= Math.max(1, 2 * s), `${s}`)
    assert.equal(new Set(Array.from({ length: 4_000 }, (_, i) => coarseSeconds(i / 10))).size, 16, 'from milliseconds to 400 s')
    assert.deepEqual(
      [
        percentile([3, 1, 2], 0.95),
        percentile(
          Array.from({ length: 20 }, (_, i) => i + 1),
          0.95,
        ),
      ],
      [3, 19],
    )
  })
})

describe('a stored canary', () => {
  const protocolDigest = digest(`0x${'ab'.repeat(32)}`)
  const report = (seconds: number, change: Partial<CanaryReport> = {}): CanaryReport => ({
    study: studyId(3),
    protocolDigest,
    atMs: Date.UTC(2026, 0, 5, 8),
    vectorBytes: 1_000,
    blockSeconds: 1,
    rows: [{ site: siteId(0), name: 'Basel' } as CanaryReport['rows'][number]],
    ways: [],
    round: null,
    limits: phaseLimits(measured(), protocolOf(seconds)),
    unanswered: [],
    minSites: 3,
    able: 3,
    ...change,
  })

  it('is of exactly one protocol; a damaged one is none', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'rota-canary-'))
    const paths = { canary: join(dir, 'canary') }
    try {
      assert.equal(await keptCanary(paths, studyId(3), protocolDigest), null)
      await keepCanary(paths, report(600))
      assert.deepEqual(await keptCanary(paths, studyId(3), protocolDigest), report(600))
      assert.equal(await keptCanary(paths, studyId(3), digest(`0x${'cd'.repeat(32)}`)), null)
      assert.equal(await keptCanary(paths, studyId(4), protocolDigest), null)
      for (const damage of ['', '{', 'null', '[]', `{"protocolDigest":"${protocolDigest}"}`]) {
        await writeFile(join(paths.canary, 'study-3.json'), damage)
        assert.equal(await keptCanary(paths, studyId(3), protocolDigest), null, damage)
      }
    } finally {
      await rm(dir, { recursive: true })
    }
  })

  it('is what doctor looks at, with the slowest way', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'rota-canary-'))
    const paths = { canary: join(dir, 'canary') }
    const study = { id: studyId(3), protocolDigest } as StudyRecord
    try {
      assert.match((await checkLimits(paths, study)).what, /^no canary was run here/)
      const way = { from: siteId(0), to: siteId(1), bytesPerSecond: 2e6, rttMs: 1, clockOffsetMs: 0, route: 'direct', problem: null } as const
      await keepCanary(paths, report(600, { ways: [way] }))
      assert.match((await checkLimits(paths, study)).what, /^the limits held in the canary of .*; slowest way Basel to site 1, 2\.00 MB\/s$/)
      await keepCanary(paths, report(60))
      assert.equal((await checkLimits(paths, study)).error?.code, 'ROTA-1401')
    } finally {
      await rm(dir, { recursive: true })
    }
  })

  it('refuses a start that could not finish, and says what to do', () => {
    checkStart(studyId(3), verdictOf(report(600)))
    assert.throws(
      () => checkStart(studyId(3), verdictOf(report(60))),
      (error) =>
        isRotaError(error, 'ROTA-1401') &&
        /contributing has 60 s.*2026-01-05 08:00 UTC/.test(error.message) &&
        /--despite-canary/.test(error.remedy) &&
        /rota canary 3 --out/.test(error.remedy),
    )
    assert.throws(
      () => checkStart(studyId(3), verdictOf(report(600, { able: 2 }))),
      (error) => isRotaError(error, 'ROTA-1401') && /2 of at least 3 sites/.test(error.message),
    )
    // Who did not answer is unknown, not unable: it is told, and stops nobody.
    assert.deepEqual(verdictOf(report(600, { unanswered: ['Basel'] })).shortfalls, [])
    assert.deepEqual(
      problemsOf(report(600, { unanswered: ['Basel', 'Bern'] }), 5_000).map(({ code, message }) => [code, message]),
      [['ROTA-1402', 'Basel, Bern never answered the canary, within 5 s']],
    )
    assert.deepEqual(problemsOf(report(600), 5_000), [])
  })

  it('tells what went wrong in its round, and refuses a start after a wrong sum or none', () => {
    const round = (change: Partial<PlayedRound>): PlayedRound => ({
      rota: [siteId(0), siteId(1)],
      included: [siteId(0), siteId(1)],
      closed: true,
      steps: [],
      faults: [],
      wrong: [],
      ...change,
    })
    const wrong = report(600, { round: round({ wrong: [{ site: siteId(0), what: 'sum' }] }) })
    assert.match(problemsOf(wrong, 5_000)[0]?.message ?? '', /^the sum of made-up updates is known, and Basel came to another/)
    assert.deepEqual(verdictOf(wrong).shortfalls, ['Basel came to a wrong sum'])
    const open = report(600, { round: round({ closed: false, faults: [{ site: siteId(1), step: 'tell', code: 'ROTA-4010' }] }), unanswered: ['Bern'] })
    assert.deepEqual(
      problemsOf(open, 5_000).map(({ code }) => code),
      ['ROTA-1402', 'ROTA-1407'],
    )
    assert.match(problemsOf(open, 5_000)[1]?.message ?? '', /site 1 did not add up, ROTA-4010; no majority came to the same$/)
    assert.deepEqual(verdictOf(open).shortfalls, ['its round did not close'])
    assert.throws(
      () => checkStart(studyId(3), verdictOf(open)),
      (error) => isRotaError(error, 'ROTA-1401'),
    )
  })
})

const limitsFrom = (limits: readonly PhaseLimit[]): Protocol['limits'] =>
  ({ keying: limit(60), ...Object.fromEntries(limits.map(({ phase, proposed }) => [phase, proposed])) }) as Protocol['limits']
