import assert from 'node:assert/strict'
import { join } from 'node:path'
import process from 'node:process'
import { after, before, describe, it } from 'node:test'
import { connectChain, type EthersReader } from '#adapters/chain/ethers-chain.ts'
import { recordConsents } from '#app/consent/consent-record.ts'
import { address, type RunId, runId, type StudyId } from '#base/ids.ts'
import { type Hospitals, makeHospitals, PACED } from '../support/hospitals.ts'
import { exactStudy } from '../support/studies.ts'
import { rota } from '../unit/cli/rota.ts'

// given three hospitals, and an exact run that one of them opened by `rota study start`
// ├── when patients of another withdraw while it goes on and it was started with --once, it is halted, and nobody opens another
// └── when more withdraw in a run that was started without, the opener's node opens it anew, nobody is asked, and it finishes with all three

const OPENER = 0
const HERE = 1
/** Stands still while patients withdraw, so that the run waits for it. */
const SLOW = 2
/** The fewest that may come between two fits. */
const LEAVING = 10
/** A hospital that stands still is waited for longer than any withdrawal takes. */
const study = exactStudy({ sites: 3, limit: 90 })
const { programme } = study.protocol

describe('an exact run that a withdrawal halts', { timeout: 240_000 }, () => {
  let hospitals: Hospitals
  let chain: EthersReader
  let id: StudyId

  before(async () => {
    hospitals = await makeHospitals(study.sites, study.cohort.label.name, PACED)
    chain = await connectChain({ url: hospitals.chain.url, contracts: address(hospitals.contracts), signer: null, signal: AbortSignal.timeout(240_000) })
    await hospitals.startAll()
    id = await hospitals.publish(study.protocol)
    for (const time of [1, 2]) {
      const names = Array.from({ length: LEAVING }, (_, i) => `line ${2 + LEAVING * time + i}`)
      await recordConsents({
        folder: folder(HERE),
        password: null,
        signal: AbortSignal.timeout(180_000),
        programme,
        patients: { names },
        receipts: receipts(time),
      })
    }
  })
  after(async () => {
    await chain?.stop()
    await hospitals?.stop()
  })

  const folder = (site: number): string => hospitals.folders[site] as string
  const receipts = (time: number): string => join(hospitals.dir, `leaving-${time}`)
  const over = (site: number, run: RunId) => hospitals.nodes[site]?.until((e) => e.event === 'run-over' && e.run === run)
  const states = async () => (await chain.runs()).map(({ run, state }) => [run, state])
  const acts = async (run: RunId) => (await chain.events(0, { run, kinds: ['Contributed', 'Abstained'] })) as readonly { kind: string; site: number }[]

  async function told(words: readonly string[]): Promise<unknown> {
    const { code, stdout, stderr } = await rota([...words, '--json'])
    assert.equal(code, 0, stdout + stderr)
    return JSON.parse(stdout)
  }

  /** As its keeper does, as soon as the nodes hold the study's key. */
  const start = async (...more: readonly string[]): Promise<RunId> =>
    runId(((await told(['study', 'start', `${id}`, '--folder', folder(OPENER), ...more])) as { run: number }).run)

  /** In the middle of the run, once the hospital whose patients they are has contributed. */
  async function withdraw(time: number, run: RunId): Promise<void> {
    await hospitals.nodes[SLOW]?.until((e) => e.event === 'round' && e.story.run === run && e.story.state === 'closed')
    const { pid } = hospitals.nodes[SLOW] ?? assert.fail()
    process.kill(pid, 'SIGSTOP')
    try {
      await told(['consent', 'withdraw', '--receipts', receipts(time), '--chain', hospitals.chain.url, '--contracts', hospitals.contracts])
      await over(OPENER, run)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await over(SLOW, run)
    const [halted] = (await chain.events(0, { run, kinds: ['RunStateChanged'] })).slice(-1) as readonly { state: string; site: number }[]
    assert.deepEqual([halted?.state, halted?.site], ['Halted', HERE])
  }

  it('stays halted where it was started with --once', async () => {
    const run = await start('--once')
    await withdraw(1, run)
    assert.deepEqual(await states(), [[run, 'Halted']])
  })

  it('is opened anew by the node of its opener, and finishes', async () => {
    const run = await start()
    assert.equal(run, 2, 'nobody opened one in the place of the first')
    await withdraw(2, run)
    const anew = runId(run + 1)
    await over(OPENER, anew)
    assert.deepEqual(await states(), [
      [1, 'Halted'],
      [run, 'Halted'],
      [anew, 'Finished'],
    ])
    const sites = new Set((await acts(anew)).flatMap(({ kind, site }) => (kind === 'Contributed' ? [site] : [])))
    assert.deepEqual([...sites].sort(), [OPENER, HERE, SLOW])
    assert.match(hospitals.nodes[OPENER]?.said() ?? '', /run\.opened-without-withdrawn/)
  })
})
