import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connectChain, type EthersChain } from '#adapters/chain/ethers-chain.ts'
import { studyDesk } from '#adapters/chain/studies.ts'
import { type DevChain, startAnvil } from '#adapters/devchain/anvil.ts'
import { systemClock, systemRandom } from '#adapters/host/system-host.ts'
import { encryptionKeyOf } from '#adapters/vault/key-wrap.ts'
import { createReader } from '#adapters/vault/reader.ts'
import { keyholder } from '#adapters/vault/secrets-vault.ts'
import { auditLog, auditVerify } from '#app/audit/audit.ts'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { openFolder } from '#audit/folder-source.ts'
import type { AuditReport } from '#audit/report.ts'
import { isRotaError } from '#base/errors.ts'
import type { Address } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { Metrics } from '#web/metrics.ts'
import { readerAccess } from '#web/reader-access.ts'
import { startWeb, type Web } from '#web/server.ts'
import { deployFor, keyOf } from '../compliance/ethers-world.ts'
import { buildWorld, flip, leafFile, type World } from '../unit/audit/audit-world.ts'

/*
 * given a run on a real chain whose contracts took every call, a store folder, a node's endpoint, and a reader's keystore
 * ├── `rota audit verify` from the folder, and from the endpoint: every round is recomputed, exit 0
 * ├── after a byte of a stored sum was changed: the round, object and leaf are named, exit 1
 * ├── `rota audit log` tells every event
 * └── of a run that is not there neither says anything: ROTA-5110
 */

const SITES = 4
const SUM_LEAF = 3

let root: string
let devChain: DevChain
let contracts: Address
let chains: EthersChain[] = []
let world: World
let web: Web
let given: string[]

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'rota-audit-chain-'))
  devChain = await startAnvil()
  contracts = await deployFor(devChain.url, SITES)
  chains = await Promise.all(Array.from({ length: SITES }, (_, site) => connectChain({ url: devChain.url, contracts, signer: keyOf(site, 'node') })))
  const keystore = join(root, 'auditor.json')
  const reader = await createReader(keystore, 'pass for tests', systemRandom)
  await writeFile(join(root, 'auditor.pw'), 'pass for tests\n')
  const chain = chains[0] as EthersChain
  const learner = { kind: 'logistic', algorithm: 'fedavg', rounds: 1, localSteps: 1, learningRate: 0.5, l2: 0, standardise: 'pooled' } as const
  world = await buildWorld(join(root, 'blocks'), { sites: SITES, rounds: 3, learner, recipient: reader.encryptionKey, chain })
  await replay(world)
  const vault = keyholder(encryptionKeyOf(systemRandom.bytes(32)), systemRandom)
  const access = readerAccess(async () => [reader.encryptionKey], vault, { clock: systemClock, random: systemRandom })
  const blocks = await openFolder(world.dir)
  web = await startWeb({
    port: 0,
    health: () => assert.fail('not asked here'),
    metrics: new Metrics(),
    blocks: { access, read: (digest) => blocks.block(digest) },
  })
  given = ['--chain', devChain.url, '--contracts', contracts, '--reader', keystore, '--password-file', join(root, 'auditor.pw'), '--json']
})

after(async () => {
  await web?.stop()
  await Promise.all(chains.map((chain) => chain.stop()))
  await devChain?.stop()
  await rm(root, { recursive: true, force: true })
})

/** Does on the real chain what the made-up log tells; the contracts decide the rest, and must come to the same. */
async function replay({ events, protocol }: World): Promise<void> {
  const link = (chains[0] as EthersChain).link
  const rules = await rulesOf(protocol)
  for (const e of events) {
    const chain = chains['site' in e && e.site !== null ? e.site : 0] as EthersChain
    await act(e, chain).catch((error) => {
      // The last custodian and the last attester come after the majority has decided.
      if (!isRotaError(error) || error.reaction !== 'ignore') throw error
    })
  }

  async function act(e: ChainEvent, chain: EthersChain): Promise<unknown> {
    if (e.kind === 'StudyPublished') return studyDesk(link, keyOf(0, 'node')).publish(e.protocolDigest, e.protocolCid, rules)
    if (e.kind === 'StudyApproved') return studyDesk(link, keyOf(e.site, 'steward')).approve(e.study, (await chain.study(e.study)).protocolDigest)
    if (e.kind === 'EpochPublished') return chain.publishEpoch(e.study, e.epoch, e.commitment, e.bundle)
    if (e.kind === 'RunOpened') return chain.openRun(e.study, { root: e.modelRoot, cid: e.modelCid })
    if (e.kind === 'Contributed') return chain.contribute(e.run, e.round, e.root, e.cid, e.cohortRoot)
    if (e.kind === 'Witnessed') return chain.witness(e.run, e.round, e.slice, e.held)
    if (e.kind === 'Published') return chain.publish(e.run, e.round, e.attempt, e.sumRoot, e.sumCid)
    if (e.kind === 'Attested') return chain.attest(e.run, e.round, e.attempt, { root: e.modelRoot, cid: e.modelCid }, e.status, e.own)
    return null
  }
}

/** The command as a person runs it. */
function rota(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../node/cli/bin.mjs'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (part) => (stdout += part))
  child.stderr.setEncoding('utf8').on('data', (part) => (stderr += part))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr })))
}

const verify = async (store: string): Promise<{ code: number; report: AuditReport }> => {
  const { code, stdout, stderr } = await rota('audit', 'verify', ...given, '--store', store)
  assert.ok(stdout.startsWith('{'), stdout + stderr)
  return { code, report: JSON.parse(stdout) as AuditReport }
}

describe('rota audit on a real chain', () => {
  it('recomputes every round from a folder', async () => {
    const { code, report } = await verify(world.dir)
    assert.deepEqual(report.faults, [])
    assert.deepEqual([code, report.ok, report.rounds.map((round) => round.verdict)], [0, true, ['recomputed', 'recomputed', 'recomputed']])
    const [first] = report.rounds
    assert.deepEqual([first?.run, first?.round, first?.leader, first?.included], [1, 1, 0, [0, 1, 2, 3]])
    assert.match(`${first?.sumRoot} ${first?.modelRoot}`, /^0x[0-9a-f]{64} 0x[0-9a-f]{64}$/)
  })

  it("recomputes every round from a node's endpoint", async () => {
    const { code, report } = await verify(web.url)
    assert.deepEqual([code, report.rounds.map((round) => round.verdict)], [0, ['recomputed', 'recomputed', 'recomputed']])
  })

  it('names the leaf of a changed byte in a stored sum, and ends with 1', async () => {
    const sum = world.made[2]?.sum
    assert.ok(sum)
    const mend = await flip((await leafFile(world, sum.cid)).path, SUM_LEAF * 1024 + 1)
    const { code, report } = await verify(world.dir).finally(mend)
    assert.deepEqual([code, report.ok], [1, false])
    assert.deepEqual([report.faults.length, report.faults[0]?.object?.cid, report.faults[0]?.leaf], [1, sum.cid, SUM_LEAF])
    assert.match(report.rounds[2]?.verdict ?? '', /^does not hold: sum/)
  })

  it('with --strict does not take rounds that were only attested', async () => {
    const lenient = await rota('audit', 'verify', ...given)
    const strict = await rota('audit', 'verify', ...given, '--strict')
    const read = (text: string) => JSON.parse(text) as { ok: boolean; recomputed: number }
    assert.deepEqual([lenient.code, read(lenient.stdout).ok, read(lenient.stdout).recomputed], [0, true, 0])
    assert.deepEqual([strict.code, read(strict.stdout).ok, read(strict.stdout).recomputed], [1, false, 0])
  })

  it('tells the log in words and as JSON', async () => {
    const words = await rota('audit', 'log', ...given.slice(0, 4))
    assert.equal(words.code, 0, words.stderr)
    assert.match(words.stdout, /run 1 round 3: closed on model 0x[0-9a-f]{8}… \(finished\)/)
    const { events } = JSON.parse((await rota('audit', 'log', ...given.slice(0, 4), '--run', '1', '--json')).stdout) as { events: ChainEvent[] }
    assert.equal(events.filter((event) => event.kind === 'RoundClosed').length, 3)
  })

  it('says what is missing', async () => {
    const { code, stderr } = await rota('audit', 'verify', '--chain', devChain.url)
    assert.equal(code, 2)
    assert.match(stderr, /ROTA-1006.*--contracts is missing/)
  })

  it('does not say of a run that is not there that all its rounds hold', async () => {
    const signal = AbortSignal.timeout(120_000)
    const asked = { url: devChain.url, contracts, run: 9, reader: given[5] as string, password: { file: given[7] as string }, stores: [world.dir] }
    for (const answer of [() => auditVerify(asked, signal, () => undefined), () => auditLog(asked, signal)])
      await assert.rejects(answer, (error) => isRotaError(error, 'ROTA-5110'))
  })
})
