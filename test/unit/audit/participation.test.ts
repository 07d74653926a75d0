/**
 * Who was in, who was not and why: read from the log of whole runs in a simulated world
 * given five hospitals in an exact run
 * ├── when nothing goes wrong, all were in all rounds, nobody is named, and the turns to lead go round
 * ├── when one is dead from the start, it is missing from every round: nothing came, then not waited for; the first sentence says so
 * ├── when one comes after the first limit, it was late once, and is in again
 * ├── when one serves its update to nobody, it is missing for want of custodians
 * ├── when one has too few rows, it abstained in every round, which is not the same as missing
 * ├── when one leads and keeps its publication back, it was passed over, and then stepped over
 * ├── when one publishes a wrong sum, that is told
 * ├── when one leaves the network, is suspended or taken out of the study on the way, it is missing from every later round, and why is told
 * ├── when it comes back, it waits for a key of the study, and is in again
 * ├── when one approved the study and nobody drew a key for it, it is missing from the first round on
 * └── the same events filtered to the run, or with another run's between them, say the same; fates of open rounds are not counted
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type FaultPlan, NO_FAULTS } from '#adapters/sim/faults.ts'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { type SimulatedNetwork, simulateNetwork } from '#app/simulate/simulated-network.ts'
import { participationOf, type SitePart } from '#audit/participation.ts'
import { absenceLines, roundAbsences, roundList } from '#audit/participation-text.ts'
import { type RunId, roundNo, runId, siteId } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { generatedStudy } from '../../support/studies.ts'

const study = generatedStudy({ sites: 5, rows: 60, change: { minSites: 3, quorum: 3 } as never })
const rules = await rulesOf(study.protocol)
const names = ['Cleveland', 'Budapest', 'Zürich', 'Long Beach', 'Basel']
const name = (site: number): string => names[site] ?? `site ${site}`

type Midway = (network: SimulatedNetwork) => Promise<unknown>

/** @param midway what people do once the second round is open */
async function play(
  faults: Partial<FaultPlan>,
  sites = study.sites,
  midway: Midway = async () => undefined,
): Promise<{ run: RunId; events: readonly ChainEvent[] }> {
  const network = await simulateNetwork({ seed: 1, sites, protocol: study.protocol, rules, faults: { ...NO_FAULTS, ...faults } })
  try {
    const run = await network.openRun()
    const { world } = network
    while ((await world.node(world.site(0)).run(run)).round.round < 2) await world.within(world.time.sleep(10), 600_000)
    await world.within(midway(network), 600_000)
    await network.finish(run)
    return { run, events: await network.events() }
  } finally {
    network.stop()
  }
}

const readOf = (events: readonly ChainEvent[], run: RunId) => {
  const found = participationOf(events, run)
  return { ...found, events, lines: absenceLines(found, name), part: (site: number) => found.sites.find((s) => s.site === site) as SitePart }
}

const read = async (faults: Partial<FaultPlan>, sites = study.sites, midway?: Midway) => {
  const { run, events } = await play(faults, sites, midway)
  return readOf(events, run)
}

const BEACH = siteId(3)

/** By vote of the others. */
async function suspend({ world }: SimulatedNetwork): Promise<void> {
  const desk = (site: number) => world.steward(world.site(site)).membership()
  const proposal = await desk(0).propose('suspend', BEACH)
  for (const site of [0, 1, 2]) await desk(site).vote(proposal, true)
}

describe('the participation report', () => {
  it('names nobody when all were there', async () => {
    const { rounds, sites, lines } = await read({})
    assert.deepEqual(lines, [])
    assert.ok(rounds.length > 3 && rounds.every(({ state }) => state === 'closed'))
    for (const site of sites)
      assert.deepEqual([site.in, site.rounds, site.missingRounds, site.missingInARow, site.lastIn], [rounds.length, rounds.length, 0, 0, rounds.length])
    assert.deepEqual(
      rounds.map(({ leader }) => leader),
      rounds.map((_, i) => i % 5),
    )
    assert.equal(
      sites.reduce((sum, site) => sum + site.published, 0),
      rounds.length,
    )
    assert.ok(sites.every(({ contributedAfter }) => contributedAfter !== null && contributedAfter.median <= contributedAfter.longest))
  })

  it('puts the dead site first, with the reason', async () => {
    const { rounds, sites, lines, part } = await read({ late: [{ site: siteId(4), afterMs: 40 * 3_600_000 }] })
    const basel = part(4)
    assert.deepEqual([basel.in, basel.missingRounds, basel.lastIn, basel.missingInARow], [0, rounds.length, null, rounds.length])
    assert.deepEqual(
      basel.missing.map(({ why }) => why),
      ['silent', 'notAwaited'],
    )
    assert.match(
      lines[0] ?? '',
      new RegExp(`^Basel has been missing from ${rounds.length} of ${rounds.length} rounds \\(never in\\): nothing came from it \\(round 1\\)`),
    )
    assert.match(
      roundAbsences({ rounds, sites }, roundNo(1), name).join(),
      new RegExp(`^Basel \\(nothing came from it; missing from ${rounds.length} of ${rounds.length} rounds\\)$`),
    )
    // It leads nothing: a site that is not there is passed over when its turn comes.
    assert.ok(basel.published === 0 && basel.passedOver.length > 0)
  })

  it('tells a late site from a dead one', async () => {
    const { lines, part } = await read({ late: [{ site: siteId(3), afterMs: 26_000 }] })
    const beach = part(3)
    assert.deepEqual([beach.missing[0]?.why, beach.missing[0]?.rounds], ['late', [1]])
    const newest = beach.rounds - beach.in
    assert.ok(beach.in > 0 && beach.missingInARow === 0, `in again after round ${newest}`)
    const told = `Long Beach was missing from ${newest} of ${beach.rounds} rounds (in again after round ${newest}): late in contributing (`
    assert.ok(lines[0]?.startsWith(told), lines.join('\n'))
  })

  it('says when an update reached too few custodians', async () => {
    const { part } = await read({ withholding: [siteId(3)], gossip: { ...NO_FAULTS.gossip, loss: 1 } })
    assert.ok(part(3).missing.some(({ why }) => why === 'notHeld'))
  })

  it('keeps abstaining apart from missing', async () => {
    const few = study.sites.map((site, i) => (i === 2 ? { ...site, rows: { train: firstRows(site.rows.train, 4), test: site.rows.test } } : site))
    const { rounds, lines, part } = await read({}, few)
    assert.deepEqual([part(2).missingRounds, part(2).in], [0, 0])
    assert.deepEqual(
      part(2).abstained.map(({ reason, rounds: r }) => [reason, r.length]),
      [['belowMinRows', rounds.length]],
    )
    assert.deepEqual(lines, [`Zürich abstained in ${rounds.length} of ${rounds.length} rounds (rounds 1 to ${rounds.length}): too few rows`])
  })

  it('says who was passed over as leader, and who was not let lead for it', async () => {
    const { rounds, lines, part } = await read({ silent: [siteId(1)] })
    assert.ok(part(1).passedOver.length > 0 && part(1).missingRounds === 0)
    assert.equal(rounds[(part(1).passedOver[0] as number) - 1]?.publications[0]?.site, 2, 'the first standby')
    assert.match(lines.join('\n'), /Budapest was passed over in \d+ rounds? \(rounds? [\d, to]+\): its turn to publish came and nothing did/)
    if (rounds.length > 6) assert.ok(part(1).steppedOver.length > 0)
  })

  it('tells a wrong sum', async () => {
    const { lines, part } = await read({ liars: [siteId(2)] })
    assert.ok(part(2).thrownOut.length > 0)
    assert.match(lines.join('\n'), /Zürich published a wrong sum in/)
  })

  const LEAVING: Readonly<Record<string, { readonly act: Midway; readonly why: string }>> = {
    left: { act: ({ world }) => world.steward(world.site(BEACH)).membership().resign(BEACH), why: 'it is no longer in the network' },
    suspended: { act: suspend, why: 'it is suspended from the network' },
    withdrew: {
      act: ({ world, study: id }) => world.steward(world.site(BEACH)).studyDesk().withdrawSite(id),
      why: 'its steward had taken it out of the study',
    },
  }
  for (const [fate, { act, why }] of Object.entries(LEAVING))
    it(`carries on telling of a site that ${fate === 'suspended' ? 'is suspended' : fate === 'left' ? 'left' : 'its steward took out'}`, async () => {
      const { rounds, sites, events, lines, part } = await read({}, study.sites, act)
      const outOf = events.flatMap((e) => (e.kind === 'RoundOpened' && !e.rota.includes(BEACH) ? [e.round] : []))
      assert.ok(outOf.length >= 3 && rounds.length > outOf.length)
      const told = part(BEACH)
      assert.deepEqual([told.rounds, told.in + told.missingRounds], [rounds.length, rounds.length])
      assert.ok(told.missingInARow >= outOf.length)
      for (const round of outOf) {
        assert.equal(rounds[round - 1]?.fates.find(({ site }) => site === BEACH)?.fate, fate, `round ${round}`)
        assert.match(roundAbsences({ rounds, sites }, round, name).join(), new RegExp(`^Long Beach \\(${why}`))
      }
      assert.match(
        lines[0] ?? '',
        new RegExp(`^Long Beach has been missing from ${told.missingRounds} of ${rounds.length} rounds \\(last in: round \\d\\): .*${why}`),
      )
      assert.equal(lines.length, 1, lines.join('\n'))
    })

  it('says that a site which is back waits for a key, and that it is in again', async () => {
    const { run, events } = await play({}, study.sites, LEAVING.withdrew?.act)
    const last = events.findLast((e) => e.kind === 'RoundOpened') as Extract<ChainEvent, { kind: 'RoundOpened' }>
    const drawn = events.findLast((e) => e.kind === 'EpochPublished') as Extract<ChainEvent, { kind: 'EpochPublished' }>
    const drawnFor = (members: bigint) => ({ ...drawn, epoch: drawn.epoch + 1, members }) as ChainEvent
    const approved = { ...last, kind: 'StudyApproved', study: drawn.study, site: BEACH } as ChainEvent
    const before = [...events.slice(0, events.indexOf(last)), drawnFor(0b10111n)]
    const after = events.slice(events.indexOf(last))
    const waiting = readOf([...before, approved, ...after], run)
    assert.deepEqual(waiting.part(BEACH).missing.at(-1), { why: 'waitsForKey', rounds: [last.round] })
    assert.match(waiting.lines[0] ?? '', /it waits for a key of the study \(round \d+\)/)
    const back = after.map((e) => (e === last ? { ...last, rota: [...last.rota, BEACH].sort((a, b) => a - b) } : e))
    const again = readOf([...before, approved, drawnFor(0b11111n), ...back], run)
    assert.deepEqual(
      again.rounds.at(-1)?.fates.map(({ site }) => site),
      [0, 1, 2, 3, 4],
    )
    assert.ok(again.rounds.at(-1)?.fates.every(({ fate }) => fate !== 'waitsForKey' && fate !== 'notInRota'))
  })

  it('misses a site that approved the study and never got its key, from the first round on', async () => {
    const { run, events } = await play({})
    const newcomer = siteId(5)
    const opened = events.findIndex((e) => e.kind === 'RunOpened')
    const at = events[opened] as Extract<ChainEvent, { kind: 'RunOpened' }>
    const admitted = { ...at, kind: 'SiteChanged', site: newcomer, state: 'Active' } as ChainEvent
    const approved = { ...at, kind: 'StudyApproved', study: at.study, site: newcomer } as ChainEvent
    const { rounds, lines, part } = readOf(events.toSpliced(opened, 0, admitted, approved), run)
    assert.deepEqual([part(newcomer).in, part(newcomer).missingRounds, part(newcomer).lastIn], [0, rounds.length, null])
    assert.deepEqual(lines, [`site 5 has been missing from ${rounds.length} of ${rounds.length} rounds (never in): it waits for a key of the study`])
    // Who left before the run began, or approved another study, is none of it.
    const gone = { ...at, kind: 'SiteChanged', site: newcomer, state: 'Removed' } as ChainEvent
    assert.deepEqual(readOf(events.toSpliced(opened, 0, admitted, approved, gone), run).lines, [])
    assert.deepEqual(readOf(events.toSpliced(opened, 0, admitted, { ...approved, study: 9 } as ChainEvent), run).lines, [])
  })

  it('knows from the run’s own events alone that a site is no longer in the rota', async () => {
    const { run, events } = await play({}, study.sites, LEAVING.left?.act)
    const own = readOf(
      events.filter((e) => 'run' in e && e.run === run),
      run,
    )
    assert.match(own.lines[0] ?? '', /^Long Beach has been missing from .*it is no longer in the rota/)
  })

  it('is the same from the run’s own events, and counts nothing that is open', async () => {
    const { run, events } = await play({ late: [{ site: siteId(3), afterMs: 26_000 }] })
    const own = events.filter((e) => 'run' in e && e.run === run)
    assert.deepEqual(participationOf(own, run), participationOf(events, run))
    const other = own.map((e) => ({ ...e, run: runId(9) }) as ChainEvent)
    assert.deepEqual(participationOf([...other, ...events], run), participationOf(events, run))
    const cut = own.slice(0, own.findIndex((e) => e.kind === 'Contributed') + 1)
    const begun = participationOf(cut, run)
    assert.deepEqual(
      begun.sites.map(({ rounds }) => rounds),
      [0, 0, 0, 0, 0],
    )
    assert.ok(begun.rounds[0]?.fates.every(({ fate }) => fate === 'open'))
    assert.deepEqual(participationOf([], run), { run, rounds: [], sites: [] })
  })

  it('writes rounds as people do', () => {
    const list = (...rounds: number[]) => roundList(rounds.map(roundNo))
    assert.deepEqual(
      [list(3), list(1, 2), list(1, 2, 3, 7), list(1, 3, 5, 7, 9, 11, 13)],
      ['round 3', 'rounds 1, 2', 'rounds 1 to 3, 7', 'rounds 1, 3, 5, 7, 9, 2 more'],
    )
  })
})

const firstRows = (table: (typeof study.sites)[number]['rows']['train'], rows: number) => ({
  ...table,
  rows,
  values: table.values.slice(0, rows * table.columns.length),
  label: table.label.slice(0, rows),
})
