import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connectChain, type EthersReader } from '#adapters/chain/ethers-chain.ts'
import { sitePaths } from '#app/site/site-folder.ts'
import { address, type RunId, type StudyId } from '#base/ids.ts'
import type { LearnerSpec } from '#core/protocol/protocol.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { type Hospitals, makeHospitals, PACED } from '../support/hospitals.ts'
import { generatedStudy } from '../support/studies.ts'
import { rota } from '../unit/cli/rota.ts'

// given four hospitals with nodes of their own
// ├── when one is backed up, plays on in an exact run, loses its folder in the middle of another run and is restored
// │   ├── it takes part again in that run, with one vector a round, and nobody was asked
// │   └── the exact cohort that it used after the backup is known again, by what the chain shows
// └── when one leaves
//     ├── without --yes nothing happens but an answer
//     ├── it is out of its studies and out of the network, at once, and nobody votes
//     ├── a node of it is refused, and the others go on
//     └── the last member cannot leave, and nothing is done

const limits = Object.fromEntries(
  ['keying', 'contributing', 'witnessing', 'publishing', 'attesting'].map((phase) => [phase, { seconds: 7, blocks: 7 }]),
) as never
const AVERAGING = {
  kind: 'logistic',
  algorithm: 'fedavg',
  rounds: 20,
  localSteps: 2,
  learningRate: 0.5,
  l2: 0.01,
  standardise: 'pooled',
} as unknown as LearnerSpec
const exact = generatedStudy({ sites: 4, rows: 60, change: { limits } })
const averaged = generatedStudy({ sites: 4, rows: 60, learner: AVERAGING, change: { limits, title: 'Averaged' } })
const GONE = 3

describe('hospitals that come and go', { timeout: 240_000 }, () => {
  let hospitals: Hospitals
  let chain: EthersReader
  let studies: readonly StudyId[]

  before(async () => {
    hospitals = await makeHospitals(exact.sites, exact.cohort.label.name, PACED)
    chain = await connectChain({ url: hospitals.chain.url, contracts: address(hospitals.contracts), signer: null, signal: AbortSignal.timeout(600_000) })
    await hospitals.startAll()
    studies = [await hospitals.publish(exact.protocol), await hospitals.publish(averaged.protocol)]
  })
  after(async () => {
    await chain?.stop()
    await hospitals?.stop()
  })

  const folder = (site: number): string => hospitals.folders[site] as string
  const over = (run: RunId) => Promise.all(hospitals.nodes.map((node) => node?.until((e) => e.event === 'run-over' && e.run === run, 120_000)))
  const acts = async (run: RunId, kind: 'Contributed' | 'Abstained'): Promise<readonly Extract<ChainEvent, { kind: 'Contributed' | 'Abstained' }>[]> =>
    (await chain.events(0, { run, kinds: [kind] })).filter((e) => (e.kind === 'Contributed' || e.kind === 'Abstained') && e.site === GONE) as never

  it('one that lost its folder is restored, and takes part again', async () => {
    const file = join(hospitals.dir, 'gone.backup')
    const made = await rota(['backup', '--folder', folder(GONE), '--out', file])
    assert.equal(made.code, 0, made.stderr)
    await over(await hospitals.openRun(studies[0] as StudyId))
    const run = await hospitals.openRun(studies[1] as StudyId)
    await hospitals.nodes[GONE]?.until((e) => e.event === 'progress' && e.progress.kind === 'contributed' && e.progress.run === run && e.progress.round >= 4)
    await hospitals.nodes[GONE]?.end('SIGKILL')
    await rm(folder(GONE), { recursive: true })
    const restored = await rota(['restore', file, '--folder', folder(GONE), '--password-file', join(hospitals.dir, 'password')])
    assert.equal(restored.code, 0, restored.stderr)
    assert.ok(!existsSync(sitePaths(folder(GONE)).differencing), 'the exact run came after the backup')
    const node = await hospitals.start(GONE)
    await node.until((e) => e.event === 'progress' && e.progress.kind === 'contributed' && e.progress.run === run)
    await over(run)
    const sent = await acts(run, 'Contributed')
    assert.equal(new Set(sent.map((e) => e.round)).size, sent.length, 'one vector a round')
    assert.ok(!existsSync(sitePaths(folder(GONE)).restored))

    const again = await hospitals.openRun(studies[0] as StudyId)
    await over(again)
    assert.ok((await acts(again, 'Contributed')).length > 0, 'the same rows are known again')
    assert.equal((await acts(again, 'Abstained')).length, 0)
    assert.ok(existsSync(sitePaths(folder(GONE)).differencing))
  })

  it('one that leaves says what will happen, goes, and the others go on', async () => {
    const plan = JSON.parse((await rota(['leave', '--folder', folder(GONE), '--json'])).stdout)
    assert.deepEqual([plan.left, plan.studies.map((s: { study: number }) => s.study), plan.others.length, plan.nodeRuns], [false, [...studies], 3, true])
    assert.match((await rota(['leave', '--folder', folder(GONE)])).stdout, /Nothing was done/)
    assert.ok(!(await readdir(sitePaths(folder(GONE)).state)).includes('resting'))

    const left = await rota(['leave', '--folder', folder(GONE), '--yes', '--json'])
    assert.equal(left.code, 0, left.stderr)
    const { left: done, site, studies: out } = JSON.parse(left.stdout)
    assert.deepEqual([done, site, out.length], [true, GONE, studies.length])
    for (const record of await chain.studies()) assert.equal((record.approved >> BigInt(GONE)) & 1n, 0n)
    assert.deepEqual(
      (await chain.sites()).map(({ state }) => state),
      ['Active', 'Active', 'Active', 'Removed'],
    )

    await hospitals.nodes[GONE]?.end('SIGTERM')
    hospitals.nodes[GONE] = undefined
    const refused = await rota(['leave', '--folder', folder(GONE), '--json'])
    assert.match(refused.stdout, /ROTA-1204/)
    await over(await hospitals.openRun(studies[0] as StudyId))
  })

  it('the last member cannot leave', async () => {
    const alone = await makeHospitals(exact.sites.slice(0, 1), exact.cohort.label.name)
    try {
      const at = alone.folders[0] as string
      assert.match((await rota(['leave', '--folder', at])).stdout, /last member/)
      const refused = await rota(['leave', '--folder', at, '--yes', '--json'])
      assert.equal(refused.code, 2)
      assert.equal(JSON.parse(refused.stdout).error.code, 'ROTA-5211')
      assert.ok(!existsSync(sitePaths(at).resting))
    } finally {
      await alone.stop()
    }
  })
})
