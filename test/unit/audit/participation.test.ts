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
 * └── the same events filtered to the run, or with another run's between them, say the same; fates of open rounds are not counted
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type FaultPlan, NO_FAULTS } from '#adapters/sim/faults.ts'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { participationOf, type SitePart } from '#audit/participation.ts'
import { absenceLines, roundAbsences, roundList } from '#audit/participation-text.ts'
import { type RunId, roundNo, runId, siteId } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { generatedStudy } from '../../support/studies.ts'

const study = generatedStudy({ sites: 5, rows: 60, change: { minSites: 3, quorum: 3 } as never })
const rules = await rulesOf(study.protocol)
const names = ['Cleveland', 'Budapest', 'Zürich', 'Long Beach', 'Basel']
const name = (site: number): string => names[site] ?? `site ${site}`

async function play(faults: Partial<FaultPlan>, sites = study.sites): Promise<{ run: RunId; events: readonly ChainEvent[] }> {
  const network = await simulateNetwork({ seed: 1, sites, protocol: study.protocol, rules, faults: { ...NO_FAULTS, ...faults } })
  try {
    const run = await network.openRun()
    await network.finish(run)
    return { run, events: await network.events() }
  } finally {
    network.stop()
  }
}

const read = async (faults: Partial<FaultPlan>, sites = study.sites) => {
  const { run, events } = await play(faults, sites)
  const found = participationOf(events, run)
  return { ...found, events, lines: absenceLines(found, name), part: (site: number) => found.sites.find((s) => s.site === site) as SitePart }
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
