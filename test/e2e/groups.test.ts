import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { AuditAnswer } from '#app/audit/audit.ts'
import { listModels } from '#app/model/model-list.ts'
import { sha256 } from '#app/sha256.ts'
import { atSite } from '#app/site/at-site.ts'
import { bitmapOf, has } from '#base/bitmap.ts'
import { type Digest, type RunId, siteId } from '#base/ids.ts'
import { drawGroups } from '#core/masking/drawn-groups.ts'
import type { Model } from '#core/model/model.ts'
import type { LearnerSpec, Protocol } from '#core/protocol/protocol.ts'
import { ledToBy, outside } from '../support/good-groups.ts'
import { residentOf } from '../support/resident.ts'
import { inAWord, makeRoughHospitals, type RoughHospitals } from '../support/rough-hospitals.ts'
import { arm, type Struck } from '../support/strikes.ts'
import { generatedStudy } from '../support/studies.ts'
import { bringTrouble, endTroubles } from '../support/troubles.ts'
import { rota } from '../unit/cli/rota.ts'

// given a study in groups, of fifteen hospitals in fifteen processes, one of which hides numbers in its updates that spoil a sum
// ├── when another is killed once it has keyed, and cannot read its rows when it is back, the round closes without it, and it is in one that follows
// ├── no round is lost, and every node holds the model that the run has come to
// ├── each number of each model lies between those that the groups without the liar lead to
// └── an auditor, in a process of its own, recomputes every round, and names the group of the liar

const SITES = 15
const LIAR = siteId(4)
const GONE = siteId(11)
const AT = 3
const LYING = ['--import', `${new URL('../support/lying.ts', import.meta.url)}?lies=hidden-poison`]
const FEDAVG: LearnerSpec = { kind: 'logistic', algorithm: 'fedavg', rounds: 3, localSteps: 3, learningRate: 0.5, l2: 0.01, standardise: 'pooled' }
/** Nobody is waited for so long: all of them say what they do. */
const patient = { seconds: 600, blocks: 600 }
const LIMITS = { keying: patient, contributing: patient, witnessing: patient, publishing: patient, attesting: patient }
const LIMIT_MS = 400_000
/** Of the model that each round leaves. */
const STAGES = ['moments', 'fit', 'fit', 'fit', 'evaluation', 'done']
const never = new AbortController().signal

const studyRead = (encryptionKey: string) =>
  generatedStudy({
    sites: SITES,
    rows: 60,
    learner: FEDAVG,
    change: { mode: 'groups', minSites: SITES, quorum: 12, maxSites: SITES, limits: LIMITS, readers: [{ name: 'auditor', encryptionKey }] },
  })

describe('a study in groups in fifteen processes', () => {
  const { sites, cohort } = generatedStudy({ sites: SITES, rows: 60 })
  let hospitals: RoughHospitals
  let protocol: Protocol
  let run: RunId
  let auditor: readonly string[]
  let killed: ReturnType<typeof arm>[number] | undefined

  before(async () => {
    hospitals = await makeRoughHospitals(sites, cohort.label.name)
    const [keystore, password] = [join(hospitals.dir, 'auditor.json'), join(hospitals.dir, 'password')]
    const drawn = await rota(['audit', 'key', keystore, '--password-file', password, '--json'])
    assert.equal(drawn.code, 0, drawn.stderr)
    auditor = ['--reader', keystore, '--password-file', password]
    protocol = studyRead(JSON.parse(drawn.stdout).encryptionKey).protocol
    await Promise.all(hospitals.folders.map((_, site) => hospitals.start(site, site === LIAR ? LYING : [])))
    const study = await hospitals.publish(protocol)
    ;[killed] = arm(hospitals.strikes, [{ row: 'contribute', role: 'anyone', site: GONE, from: AT, at: 'row', signal: 'SIGKILL' }])
    run = await hospitals.openRun(study)
  })
  after(() => hospitals?.stop())

  const call = (site: number) => ({ folder: hospitals.folders[site] as string, password: null, signal: never })

  it('closes the round in which one is killed that has keyed, and has it back in one that follows', async () => {
    assert.equal(await hospitals.nodes[GONE]?.ended(LIMIT_MS), 'SIGKILL')
    const struck = killed?.struck() as Struck
    await bringTrouble(hospitals, struck, 'its rows broken')
    await hospitals.start(GONE)
    const told = await hospitals.untilStories(run, (stories) => (stories[struck.round - 1]?.state ?? 'open') !== 'open', 'its round ends', LIMIT_MS)
    await endTroubles()
    assert.deepEqual([struck.round, told[struck.round - 1]?.missing], [AT, [GONE]])
    assert.deepEqual(
      await hospitals.untilOver(run, undefined, LIMIT_MS),
      sites.map(() => 'Finished'),
    )
    const stories = await hospitals.stories(run)
    const words = stories.map(inAWord)
    assert.ok(stories.length === STAGES.length && stories.every(({ state }) => state === 'closed'), words.join('\n'))
    // It is awaited again once it has said that it is back.
    const isIn = stories.map(({ missing }) => missing.length === 0)
    const isAlone = stories.every(({ missing }) => missing.every((site) => site === GONE))
    assert.ok(isAlone && isIn.slice(0, AT - 1).every(Boolean) && isIn.at(-1), words.join('\n'))
  })

  it('leaves the same model at every node', async () => {
    const { root } = (await hospitals.reader.run(run)).model
    const held = await Promise.all(sites.map((_, site) => listModels(call(site))))
    assert.deepEqual(
      held.flat().map((model) => `${model.mode} ${model.stage} ${model.root} ${model.held}`),
      sites.map(() => `groups done ${root} true`),
    )
  })

  it('is moved by the liar no further than the other groups differ', async () => {
    const stories = await hospitals.stories(run)
    const [drawn] = stories
    const draw = drawGroups(drawn?.modelRoot as Digest, bitmapOf(drawn?.included ?? []), sha256)
    const good = draw.sets.filter((set) => !has(set, LIAR))
    assert.equal(good.length, 2)
    const models = await atSite(call(0), ({ shelf }) =>
      Promise.all(stories.map(async ({ modelRoot }) => (await shelf.model(run, modelRoot as Digest, never)) as Model)),
    )
    assert.deepEqual(
      models.map(({ stage }) => stage),
      STAGES,
    )
    for (const [i, { included, round }] of stories.entries()) {
      if (i === 0) continue
      const here = good.map((set) => included.filter((site) => has(set, site)))
      const rows = sites.map((site) => site.rows)
      const others = await Promise.all(here.map((group) => ledToBy(protocol, rows, models[i - 1] as Model, group)))
      assert.deepEqual(outside(models[i] as Model, others), [], `round ${round}`)
    }
  })

  it('is recomputed by an auditor, round for round', async () => {
    const where = ['--chain', hospitals.chain.url, '--contracts', hospitals.contracts, '--store', hospitals.folders.join(',')]
    const { code, stdout, stderr } = await rota(['audit', 'verify', ...where, ...auditor, '--strict', '--json'])
    assert.ok(stdout.startsWith('{'), stdout + stderr)
    const report = JSON.parse(stdout) as AuditAnswer
    assert.deepEqual([code, report.ok, report.faults], [0, true, []])
    assert.deepEqual(
      report.rounds.map(({ round, verdict }) => `${round} ${verdict}`),
      (await hospitals.stories(run)).map(({ round }) => `${round} recomputed`),
    )
    // What it hides is beyond what metrics may be, and inside the bounds of most else.
    const named = new RegExp(`^run ${run} round (\\d+): the group of site (\\d+, )*${LIAR}\\b.* was left out`)
    assert.equal(named.exec(report.notes.at(0) ?? '')?.[1], `${STAGES.length}`, report.notes.join('\n'))
    assert.equal(report.notes.length, 1, report.notes.join('\n'))
  })

  it('takes no more than 320 MB of any node', async (t: TestContext) => {
    const held = await Promise.all(hospitals.nodes.map((node) => residentOf(node?.pid ?? 0)))
    if (held.includes(null)) return t.skip('only Linux tells how much memory another process holds')
    for (const memory of held) assert.ok((memory?.most ?? 0) <= 320 * 2 ** 20, `${memory?.most} bytes`)
  })
})
