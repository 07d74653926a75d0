import assert from 'node:assert/strict'
import process from 'node:process'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RoundStory } from '#app/node/round-story.ts'
import type { RunId } from '#base/ids.ts'
import { assertAllClosed, assertUndisturbed, untilStruck } from '../support/blows.ts'
import { type HowMuch, leftOut } from '../support/how-much.ts'
import type { LineState } from '../support/proxy.ts'
import { makeRoughHospitals, noLines, type RoughHospitals } from '../support/rough-hospitals.ts'
import { arm } from '../support/strikes.ts'
import { longStudy } from '../support/studies.ts'

// given four hospitals in four processes, with a proxy before each, and before each one's chain endpoint
// ├── when the leader is stopped for longer than its limit, its round closes without it, and afterwards it works on
// ├── when a site is cut off from the others, or its lines swallow what is sent, rounds close; healed, it is in them again
// ├── when a site loses the chain, or is answered by nobody, rounds close; healed, it is in them again
// ├── when the sites are in two halves, rounds are void and nothing is lost; healed, the run goes on
// ├── when half the sites are cut off with the chain dead for them, the same
// └── when every line has 1 Mbit/s and 200 ms each way, all sites are in every round

const LIMIT_MS = 7_000
const besides = (other: string, from: HowMuch = 'all'): string | false => leftOut(from, `${other} is played`)
const PAIRS = [0, 1, 2].flatMap((a) => [1, 2, 3].filter((b) => b > a).map((b) => [a, b] as const))

describe('bad lines', { skip: noLines }, () => {
  const study = longStudy({ sites: 4 })
  let hospitals: RoughHospitals
  let run: RunId

  before(async () => {
    hospitals = await makeRoughHospitals(study.sites, study.cohort.label.name, { lines: true })
    await hospitals.startAll()
    run = await hospitals.openRun(await hospitals.publish(study.protocol))
  })
  after(() => hospitals?.stop())

  const latest = async (): Promise<number> => (await hospitals.stories(run)).length
  const ended = (story: RoundStory | undefined): boolean => story !== undefined && story.state !== 'open'

  /** So many more rounds close. */
  async function rounds(count: number, what: string): Promise<readonly RoundStory[]> {
    const from = await latest()
    const stories = await hospitals.untilStories(run, (told) => told.slice(from).filter(({ state }) => state === 'closed').length >= count, what)
    return stories.slice(from)
  }

  /** From some round on everybody is in. */
  const allIn = async (what: string): Promise<void> => {
    const from = await latest()
    await hospitals.untilStories(
      run,
      (told) => told.slice(from).some(({ state, included }) => state === 'closed' && included.length === 4),
      `all are in again ${what}`,
    )
  }

  const bend = (pairs: readonly (readonly [number, number])[], state: LineState): void => {
    for (const [a, b] of pairs) hospitals.line(a, b).become(state)
  }
  const heal = (): void => {
    bend(PAIRS, 'open')
    for (const site of [0, 1, 2, 3]) hospitals.chainLine(site).become('open')
  }

  /** Rounds go on during it, and everybody is back in after it; no round is lost. */
  async function without(what: string, begin: () => void): Promise<void> {
    const from = await latest()
    begin()
    try {
      await rounds(2, `two rounds close ${what}`)
    } finally {
      heal()
    }
    await allIn(`after ${what}`)
    assertAllClosed((await hospitals.stories(run)).slice(from))
  }

  it('a leader stopped for longer than its limit, and told to go on', async () => {
    const from = await latest()
    const [stop] = arm(hospitals.strikes, [{ row: 'publish', role: 'leader', at: 'row', signal: 'SIGSTOP' }])
    const { site, pid, round } = await untilStruck(hospitals, () => stop?.struck() ?? null, 'the leader at publish')
    try {
      await Promise.all([sleep(LIMIT_MS + 1_000), hospitals.untilStories(run, (told) => ended(told[round - 1]), `round ${round} ends`)])
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await allIn('after the leader goes on')
    const stories = await hospitals.stories(run)
    assert.notEqual(stories[round - 1]?.publisher, site)
    assertAllClosed(stories.slice(from))
  })

  for (const [state, skip] of [
    ['cut', false],
    ['swallows', besides('lines that are cut', 'drawn')],
    ['stalls', besides('lines that swallow what is sent')],
  ] as const)
    it(`a site whose lines to the others are ${state === 'cut' ? 'cut' : `open, but ${state}`}`, { skip }, () =>
      without(`without site 3 (${state})`, () =>
        bend(
          PAIRS.filter(([, b]) => b === 3),
          state,
        ),
      ),
    )

  for (const [state, skip] of [
    ['cut', besides('an endpoint that no longer answers')],
    ['swallows', besides('a chain that is killed', 'drawn')],
  ] as const)
    it(`a site whose chain endpoint ${state === 'cut' ? 'is gone' : 'no longer answers'}`, { skip }, () =>
      without(`without the chain at site 2 (${state})`, () => hospitals.chainLine(2).become(state)),
    )

  /** While no more than half can agree, rounds do not close; afterwards the run goes on by itself. */
  async function lacking(what: string, begin: () => void, forMs: number): Promise<void> {
    begin()
    const from = await latest()
    await sleep(forMs)
    const during = (await hospitals.stories(run)).slice(from)
    heal()
    assert.deepEqual(
      during.filter(({ state }) => state === 'closed'),
      [],
      what,
    )
    await allIn(`after ${what}`)
  }

  it('two halves that both have the chain', () =>
    lacking(
      'two halves',
      () =>
        bend(
          PAIRS.filter(([a, b]) => a < 2 && b > 1),
          'cut',
        ),
      9_000,
    ))

  it('two halves of which one has the chain', { skip: besides('two halves that both have it', 'drawn') }, () =>
    lacking(
      'half of the sites, and the chain with them',
      () => {
        bend(
          PAIRS.filter(([a, b]) => a < 2 && b > 1),
          'stalls',
        )
        for (const site of [2, 3]) hospitals.chainLine(site).become('stalls')
      },
      9_000,
    ),
  )

  it('1 Mbit/s and 200 ms', async () => {
    for (const [a, b] of PAIRS) Object.assign(hospitals.line(a, b), { delayMs: 200, bytesPerSecond: 125_000 })
    const stories = await rounds(3, 'three rounds over slow lines')
    assert.deepEqual(
      stories.slice(1, 3).map(({ included }) => included.length),
      [4, 4],
    )
  })

  it('whatever happened, each model is what the frozen sets add up to', () => assertUndisturbed(hospitals, run, study))
})
