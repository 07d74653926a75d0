import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { RoundStory } from '#app/node/round-story.ts'
import { type RunId, siteId } from '#base/ids.ts'
import { assertAllClosed, assertUndisturbed } from '../support/blows.ts'
import { leftOut } from '../support/how-much.ts'
import { makeRoughHospitals, type RoughHospitals } from '../support/rough-hospitals.ts'
import { longStudy } from '../support/studies.ts'

// given five hospitals in five processes
// ├── when the leader publishes a wrong sum, it is thrown out, and the true sum closes the round
// └── when the leader and the next in turn publish one and the same wrong sum and both attest it, the same

const lying = (lies: string): readonly string[] => ['--import', `${new URL('../support/lying.ts', import.meta.url)}?lies=${lies}`]

describe('processes that publish wrong sums', { skip: leftOut('drawn', 'liars are played in memory, in each of the 500 seeds that draws one') }, () => {
  const study = longStudy({ sites: 5 })
  let hospitals: RoughHospitals
  let run: RunId

  before(async () => {
    hospitals = await makeRoughHospitals(study.sites, study.cohort.label.name)
    await hospitals.startAll()
    run = await hospitals.openRun(await hospitals.publish(study.protocol))
  })
  after(() => hospitals?.stop())

  async function restart(site: number, options: readonly string[] = []): Promise<void> {
    await hospitals.nodes[site]?.end('SIGKILL')
    const node = await hospitals.start(site, options)
    await node.until((e) => e.event === 'progress' && e.progress.kind === 'contributed')
  }

  /** The first round from now on of which all these publications were thrown out, once it has ended. */
  async function thrownOut(sites: readonly number[]): Promise<RoundStory> {
    const from = (await hospitals.stories(run)).length
    const fits = (story: RoundStory) => story.state !== 'open' && sites.every((site) => story.discarded.includes(siteId(site)))
    const stories = await hospitals.untilStories(run, (told) => told.slice(from).some(fits), `a wrong sum of ${sites.join(' and ')} is thrown out`)
    return stories.slice(from).find(fits) as RoundStory
  }

  it('the leader', async () => {
    await restart(0, lying('wrong-sum'))
    const story = await thrownOut([0])
    assert.equal(story.state, 'closed')
    assert.deepEqual(story.discarded, [0])
    await restart(0)
  })

  it('the leader, and the next in turn with it', async () => {
    for (const site of [2, 3]) await restart(site, lying('wrong-sum,bears-out-wrong-sum'))
    const story = await thrownOut([2, 3])
    assert.equal(story.state, 'closed')
    assert.ok(![2, 3].includes(story.publisher ?? 2))
  })

  it('no round is lost, and each model is what the frozen sets add up to', async () => {
    assertAllClosed(await hospitals.stories(run))
    await assertUndisturbed(hospitals, run, study)
  })
})
