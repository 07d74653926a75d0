import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_FAULTS } from '#adapters/sim/faults.ts'
import { digestOf } from '#adapters/sim/hash.ts'
import { SimWorld } from '#adapters/sim/world.ts'
import { isRotaError } from '#base/errors.ts'
import { type Digest, roundNo, runId } from '#base/ids.ts'
import type { StudyRules } from '#ports/chain.ts'

/*
  a contribution whose round was opened anew
  ├── is not taken when a chain that went back mines it again, and is told so with reaction retry
  └── is taken when the round's opening still stands, and without one
*/
const [RUN, ROUND] = [runId(1), roundNo(1)]
const limit = { seconds: 30, blocks: 20 }
const rules: StudyRules = {
  ...{ minSites: 2, quorum: 2, maxRounds: 9, wordBits: 64, slices: 1, mode: 'open', exact: false },
  limits: Array.from({ length: 5 }, () => limit),
  arithmeticVersion: digestOf('golden'),
}

/** Three sites and a run; `before` is the block before it was opened. */
async function worldWithRun() {
  const world = SimWorld.create({ seed: 1, sites: 3, faults: NO_FAULTS, chain: { mayGoBack: true } })
  const node = (site: number) => world.node(world.site(site))
  const study = await world.publishStudy(digestOf('protocol'), digestOf('protocol cid'), rules)
  await node(0).publishEpoch(study, 0, digestOf('key'), digestOf('bundle'))
  const before = world.chain.head().number
  await node(0).openRun(study, { root: digestOf('model'), cid: digestOf('cid') })
  const opening = async (): Promise<Digest> => {
    const [opened] = await node(0).events(before, { run: RUN, kinds: ['RoundOpened'] })
    return (opened?.kind === 'RoundOpened' ? opened.opening : undefined) as Digest
  }
  const contribute = (site: number, of?: Digest) =>
    node(site).contribute(RUN, ROUND, digestOf('root', site), digestOf('cid', site), digestOf('cohort', site), of)
  /** The chain goes back to `block`, and mines again what came after. */
  const goBack = async (block: number) => {
    world.chain.rewind(block, () => true)
    await world.time.sleep(1_000)
  }
  return { world, before, opening, contribute, goBack, contributed: () => world.chain.run(RUN).round.contributed }
}

const otherOpening = (error: unknown) => isRotaError(error, 'ROTA-5130') && error.reaction === 'retry'

describe('a contribution whose round was opened anew', () => {
  it('is not taken when it is mined again', async () => {
    const { before, opening, contribute, goBack, contributed } = await worldWithRun()
    const first = await opening()
    await contribute(0, first)
    await contribute(1)
    assert.equal(contributed(), 0b11n)
    await goBack(before)
    assert.notEqual(await opening(), first)
    assert.equal(contributed(), 0b10n, 'without an opening it is taken')
    await assert.rejects(contribute(0, first), otherOpening)
    await contribute(0, await opening())
    assert.equal(contributed(), 0b11n)
  })

  it('is taken where its opening stands', async () => {
    const { world, opening, contribute, goBack, contributed } = await worldWithRun()
    const first = await opening()
    const { number } = world.chain.head()
    await contribute(0, first)
    await goBack(number)
    assert.deepEqual([contributed(), await opening()], [0b1n, first])
  })
})
