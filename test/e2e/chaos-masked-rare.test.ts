import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openJournal } from '#adapters/journal/file-journal.ts'
import { pauseSite } from '#app/site/pause.ts'
import { sitePaths } from '#app/site/site-folder.ts'
import { sizeOf } from '#base/bitmap.ts'
import { type Bitmap, type RunId, roundNo, type StudyId, siteId } from '#base/ids.ts'
import type { LearnerSpec } from '#core/protocol/protocol.ts'
import type { RunView } from '#ports/chain.ts'
import { assertAllClosed, assertUndisturbed, type Blow, bringBack, deal, dealAndClose, tellBlow, untilStruck } from '../support/blows.ts'
import { withPatients } from '../support/hospitals.ts'
import { leftOut } from '../support/how-much.ts'
import { chargedKills, disputeKills, fallenInTurn, haltedKills, heldBack, justifyKills, shownOther } from '../support/masked-kills.ts'
import { makeRoughHospitals, type RoughHospitals } from '../support/rough-hospitals.ts'
import { arm, type Role, roleOf, type Strike, type Struck } from '../support/strikes.ts'
import { generatedStudy, LOGISTIC, longStudy } from '../support/studies.ts'

// given six hospitals in six processes, and a masked study
// ├── when a site's secrets are gone, and it is killed whenever it would say so, the round closes, and it is in later ones
// ├── when a site that showed shares for another set is killed before it would halt, it still halts, and the round closes
// ├── when whoever halts a run for others is killed there, the run is halted
// ├── when a sum was refused, and a site is killed before it would say that it waits for people, none goes on; when operators say so the round closes
// ├── when a site says in each round that it holds nobody's deal, and another is killed before or while it shows its shares, the round closes
// ├── when one publishes wrong sums, and another is killed before or while it disputes one, the round closes
// └── when a site is killed before or while it pays for its noise, it pays once, and its round closes

const SITES = 6
const ROLES: readonly Role[] = ['leader', 'standby', 'site']
const limit = (seconds: number) => ({ seconds, blocks: seconds })
/** Nobody waits so long: who is struck comes back, or others say that they are not in. */
const PATIENT = { keying: limit(900), contributing: limit(900), witnessing: limit(60), publishing: limit(60), attesting: limit(900) }
const HASTY = { keying: limit(20), contributing: limit(30), witnessing: limit(30), publishing: limit(30), attesting: limit(30) }
const masked = { mode: 'masked', minSites: SITES, quorum: 5, maxSites: SITES } as const
const resting = { rule: 'all rows', differencing: 'rest' } as never
const skipped = { skip: leftOut('all', 'masked.test.ts plays two') }

interface Scene {
  readonly hospitals: RoughHospitals
  readonly study: StudyId
  readonly run: RunId
}

/** Hospitals with a run of a study, for as long as the tests of a description take. */
function scene({ sites, cohort, protocol }: ReturnType<typeof longStudy>): () => Scene {
  let hospitals: RoughHospitals
  let made: Scene
  before(async () => {
    hospitals = await makeRoughHospitals(sites, cohort.label.name)
    await hospitals.startAll()
    const study = await hospitals.publish(protocol)
    made = { hospitals, study, run: await hospitals.openRun(study) }
  })
  after(() => hospitals?.stop())
  return () => made
}

const fallen = async ({ hospitals }: Scene, armed: ReturnType<typeof arm>[number] | undefined): Promise<Struck> => {
  const who = await untilStruck(hospitals, () => armed?.struck() ?? null, `${armed?.strike.role} at ${armed?.strike.row}`)
  assert.equal(await hospitals.nodes[who.site]?.ended(), 'SIGKILL')
  return who
}

async function viewOnce({ hospitals, run }: Scene, fits: (view: RunView) => boolean, what: string, withinMs = 240_000): Promise<RunView> {
  for (const end = Date.now() + withinMs; Date.now() < end; await sleep(25)) {
    const view = await hospitals.reader.run(run)
    if (fits(view)) return view
  }
  throw new Error(`not within ${withinMs} ms: ${what}`)
}

describe('kills at rows that few masked rounds have', skipped, () => {
  const study = longStudy({ sites: SITES, change: { ...masked, limits: PATIENT } })
  const at = scene(study)
  const withJournal = async (site: number, act: (journal: Awaited<ReturnType<typeof openJournal>>) => Promise<void>): Promise<void> => {
    const journal = await openJournal(sitePaths(at().hospitals.folders[site] as string).journal)
    await act(journal)
    await journal.close()
  }

  /** The site falls at each of these rows in turn, and starts again after each but the last. */
  async function fallInTurn(site: number, strikes: readonly Strike[], afterFirst: (first: Struck) => Promise<void>): Promise<Struck> {
    const armed = arm(at().hospitals.strikes, strikes)
    const first = await fallen(at(), armed[0])
    await afterFirst(first)
    for (const each of armed.slice(1)) {
      at()
        .hospitals.start(site)
        .catch(() => undefined)
      await fallen(at(), each)
    }
    return first
  }

  it('its secrets gone: sit-out, abstain-again, ready', async () => {
    const { hospitals, run } = at()
    const { site, strikes } = fallenInTurn
    const { round } = await fallInTurn(site, strikes, ({ round }) => withJournal(site, (journal) => journal.burn(run, roundNo(round + 1))))
    await bringBack(hospitals, run, site)
    const stories = await hospitals.untilStories(run, (told) => told.slice(round).some(({ included }) => included.length === SITES), 'all are in again')
    const story = stories[round - 1]
    assert.equal(story?.state, 'closed')
    assert.deepEqual(
      story?.abstained.map((each) => each.site),
      [site],
    )
  })

  it('shares shown for another set: halt-node', async () => {
    const { hospitals, run } = at()
    const [site, other] = shownOther.sites
    const [here, there] = arm(hospitals.strikes, shownOther.away)
    const { round } = await fallen(at(), here)
    await fallen(at(), there)
    const { model } = await hospitals.reader.run(run)
    await withJournal(site, (journal) => journal.append({ kind: 'released', run, round: roundNo(round), base: model.root, included: 0b11111n as Bitmap }))

    const [halt] = arm(hospitals.strikes, shownOther.strikes)
    hospitals.start(site).catch(() => undefined)
    await fallen(at(), halt)
    hospitals.start(site).catch(() => undefined)
    assert.notEqual(await hospitals.nodes[site]?.ended(), 0)
    assert.match(hospitals.nodes[site]?.said() ?? '', /ROTA-5516/)

    await hospitals.start(other)
    const stories = await hospitals.untilStories(run, (told) => told[round - 1]?.state === 'closed', 'the others close the round')
    assert.equal(stories[round - 1]?.included.length, SITES)
    await bringBack(hospitals, run, site)
  })

  it('no round is lost, and each model is what the frozen sets add up to', async () => {
    const { hospitals, run } = at()
    assertAllClosed(await hospitals.stories(run))
    await assertUndisturbed(hospitals, run, study)
  })
})

describe('kills of who halts a masked run for others', skipped, () => {
  const at = scene(longStudy({ sites: SITES, change: { ...masked, cohort: resting, limits: PATIENT } }))

  for (const [i, blow] of haltedKills.entries())
    it(tellBlow(blow), async () => {
      const { hospitals, study } = at()
      const now = i === 0 ? at() : { ...at(), run: await hospitals.openRun(study) }
      const { view, wishing, unseeing } = await standStill(now, blow.strikes[0]?.role as Role)
      const rows = join(hospitals.dir, `rows-${wishing}.csv`)
      const whole = await readFile(rows, 'utf8')
      try {
        const [halt] = arm(hospitals.strikes, blow.strikes)
        await writeFile(rows, whole.replace(/\ntrain.*\n/, '\n'))
        const who = await fallen(now, halt)
        assert.deepEqual([who.run, who.round], [now.run, view.round.round])
        if (blow.restart) hospitals.start(who.site).catch(() => undefined)
        for (const site of unseeing) hospitals.chainLine(site).become('open')
        const over = await viewOnce(now, ({ state }) => state !== 'Active', 'the run is halted')
        assert.equal(over.state, 'Halted')
        if (!blow.restart) await hospitals.start(who.site)
        // Who was struck may find the run over.
        const others = [...hospitals.folders.keys()].filter((site) => site !== who.site)
        assert.deepEqual(new Set(await hospitals.untilOver(now.run, others)), new Set(['Halted']))
      } finally {
        for (const site of unseeing) hospitals.chainLine(site).become('open')
        await writeFile(rows, whole)
      }
    })

  /** One site sees no chain, so that its round waits; then those do not that would halt the run before this role does. */
  async function standStill(now: Scene, role: Role) {
    const { hospitals, run } = now
    await viewOnce(now, ({ round: { round, phase } }) => round >= 2 && phase === 'Contributing', 'a round of which there is a model')
    const silent = (await hospitals.reader.run(run)).round.rota.at(-1) as number
    hospitals.chainLine(silent).become('stalls')
    const waits = ({ round: { phase, keyed, contributed, abstained } }: RunView): boolean =>
      (phase === 'Keying' || phase === 'Contributing') && sizeOf(((phase === 'Keying' ? keyed : contributed) | abstained) as Bitmap) === SITES - 1
    await viewOnce(now, waits, 'the round waits for one site')
    await sleep(1_000)
    const view = await viewOnce(now, waits, 'the round still waits for one site')
    const before = ROLES.slice(0, ROLES.indexOf(role))
    const blind = view.round.rota.filter((site) => before.includes(roleOf(view, site)) && site !== silent)
    for (const site of blind) hospitals.chainLine(site).become('stalls')
    const seeing = view.round.rota.filter((site) => site !== silent && !blind.includes(site))
    const wishing = seeing.find((site) => roleOf(view, site) === role) ?? assert.fail(`no ${role} sees the chain`)
    return { view, wishing, unseeing: [silent, ...blind] }
  }
})

describe('kills where a masked sum was refused', skipped, () => {
  const LIAR = 4
  const study = longStudy({ sites: SITES, change: { ...masked, limits: HASTY } })
  const at = scene(study)
  const lying = ['--import', `${new URL('../support/lying.ts', import.meta.url)}?lies=hidden-poison`]

  async function startAgain(site: number, options: readonly string[] = []): Promise<void> {
    await at().hospitals.nodes[site]?.end('SIGKILL')
    await at().hospitals.start(site, options)
  }

  /** Their operators announce maintenance, and end it. */
  async function letGoOn(): Promise<void> {
    for (const folder of at().hospitals.folders) await pauseSite(folder, false)
    await sleep(5_000)
    for (const folder of at().hospitals.folders) await pauseSite(folder, true)
  }

  for (const blow of heldBack)
    it(tellBlow(blow), async () => {
      const { hospitals, run } = at()
      await viewOnce(at(), ({ closedRounds }) => closedRounds >= 2, 'there is a model to be held against')
      const before = (await hospitals.stories(run)).length
      const [held] = arm(hospitals.strikes, blow.strikes)
      await startAgain(LIAR, lying)
      const who = await fallen(at(), held)
      if (blow.restart) hospitals.start(who.site).catch(() => undefined)
      const paused = await viewOnce(at(), ({ state }) => state !== 'Active', 'the run waits for people')
      assert.equal(paused.state, 'Paused')
      const stories = await hospitals.stories(run)
      const refused = stories.findIndex(({ state }, i) => i >= before - 1 && state === 'refused')
      assert.ok(refused >= 0 && stories.slice(refused + 1).every(({ state }) => state === 'void'), 'nothing is closed before people have looked')

      await startAgain(LIAR)
      if (!blow.restart && who.site !== LIAR) await hospitals.start(who.site)
      await hospitals.nodes[who.site]?.until((e) => e.event === 'started')
      await letGoOn()
      const later = await hospitals.untilStories(run, (told) => told.slice(stories.length).some(({ state }) => state === 'closed'), 'a round closes', 240_000)
      const repeat = later.slice(stories.length).find(({ state }) => state !== 'open')
      assert.equal(repeat?.state, 'closed')
      for (const site of hospitals.folders.keys()) await bringBack(hospitals, run, site)
    })

  it('each model is what the frozen sets add up to', () => assertUndisturbed(at().hospitals, at().run, study))
})

describe('kills where a site complains falsely', skipped, () => {
  const LIAR = 6
  const study = longStudy({ sites: LIAR + 1, change: { mode: 'masked', minSites: 5, quorum: 5, maxSites: LIAR + 1, limits: HASTY } })
  const at = scene(study)
  const lying = ['--import', `${new URL('../support/lying.ts', import.meta.url)}?lies=false-complaints`]

  before(async () => {
    const { nodes } = at().hospitals
    await nodes[LIAR]?.end('SIGKILL')
    await at().hospitals.start(LIAR, lying)
  })

  for (const blow of justifyKills) it(tellBlow(blow), () => dealAndClose(at().hospitals, at().run, blow))

  it('no round is lost, and each model is what the frozen sets add up to', async () => {
    const { hospitals, run } = at()
    assertAllClosed(await hospitals.stories(run))
    const shown = await hospitals.reader.events(0, { run, kinds: ['Justified'] })
    assert.ok(
      shown.some((e) => e.kind === 'Justified' && e.site !== LIAR && e.justification !== '0x'),
      'nobody showed a share',
    )
    await assertUndisturbed(hospitals, run, study)
  })
})

describe('kills where a sum is wrong, and most bear it out', skipped, () => {
  const LIARS = [1, 2, 3]
  const study = longStudy({ sites: 5, change: { mode: 'masked', minSites: 5, quorum: 4, maxSites: 5, limits: HASTY } })
  const at = scene(study)
  const lying = (lies: string): readonly string[] => ['--import', `${new URL('../support/lying.ts', import.meta.url)}?lies=${lies}`]

  async function restart(site: number, options: readonly string[] = []): Promise<void> {
    await at().hospitals.nodes[site]?.end('SIGKILL')
    await at().hospitals.start(site, options)
  }

  before(async () => {
    for (const site of LIARS) await restart(site, lying(site === 2 ? 'bears-out-wrong-sum' : 'wrong-sum,bears-out-wrong-sum'))
  })

  // Most rounds close on the wrong sum: who disputes it has a place in the next one, which is void then.
  for (const blow of disputeKills)
    it(tellBlow(blow), async () => {
      const { hospitals, run } = at()
      await deal(hospitals, run, blow)
    })

  it('each wrong sum is thrown out, and each model is what the frozen sets add up to', async () => {
    const { hospitals, run } = at()
    for (const site of LIARS) await restart(site)
    const from = (await hospitals.stories(run)).length
    await hospitals.untilStories(run, (told) => told.slice(from).filter(({ state }) => state === 'closed').length >= 2, 'two rounds close without liars')
    const disputed = await hospitals.reader.events(0, { run, kinds: ['Disputed'] })
    assert.ok(disputed.length >= disputeKills.length, `${disputed.length} disputes`)
    for (const e of disputed) assert.ok(e.kind === 'Disputed' && LIARS.includes(e.publisher) && !LIARS.includes(e.site))
    await assertUndisturbed(hospitals, run, study)
  })
})

describe('kills where the noise of a masked round is paid for', skipped, () => {
  const { protocol, sites, cohort } = generatedStudy({
    sites: SITES,
    learner: { ...LOGISTIC, maxIterations: 300 } as LearnerSpec,
    change: { ...masked, maxRounds: 1_000, limits: HASTY, privacy: { epsilon: 100, delta: 1e-4, place: 'distributed' } as never },
  })
  const rows = sites.map((site, i) => ({ ...site, csv: withPatients(i, site.rows, cohort.label.name) }))
  const at = scene({ protocol, cohort, sites: rows })

  for (const blow of chargedKills as readonly Blow[])
    it(tellBlow(blow), async () => {
      const { hospitals, run } = at()
      const { story, struck } = await deal(hospitals, run, blow)
      assert.equal(story.state, 'closed')
      const charged = await hospitals.reader.events(0, { run, kinds: ['Charged'] })
      for (const { site, round } of struck) {
        const times = charged.filter((e) => e.kind === 'Charged' && e.site === siteId(site) && e.round === round).length
        assert.ok(times === 1 || (!blow.restart && times === 0), `site ${site} paid ${times} times`)
      }
    })

  it('no round is lost', async () => assertAllClosed(await at().hospitals.stories(at().run)))
})
