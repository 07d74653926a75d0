import assert from 'node:assert/strict'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { SimPorts } from '#adapters/sim/site.ts'
import type { SimWorld } from '#adapters/sim/world.ts'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { sha256 } from '#app/sha256.ts'
import { dropOuts } from '#app/simulate/drop-outs.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { blockFile, openFolder } from '#audit/folder-source.ts'
import type { AuditReport } from '#audit/report.ts'
import { verifyLog } from '#audit/verify.ts'
import { sizeOf } from '#base/bitmap.ts'
import type { Digest, SiteId } from '#base/ids.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import type { FedAvgSpec } from '#core/protocol/protocol.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { generatedStudy } from '../../support/studies.ts'
import { transcribe } from './transcribe.ts'

/*
 * given a masked run by the code of real nodes, in which sites drop out
 * ├── the audit takes the masks off with its own code, and every round is recomputed
 * └── when a release is missing or holds a wrong share, or a byte of an update is changed, it says whose
 */
const FEDAVG: FedAvgSpec = { kind: 'logistic', algorithm: 'fedavg', rounds: 2, localSteps: 2, learningRate: 0.5, l2: 0, standardise: 'pooled' }

let root: string
let told: Awaited<ReturnType<typeof transcribe>>
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'rota-masked-run-'))
  told = await play()
})
after(() => rm(root, { recursive: true, force: true }))

async function play() {
  const study = generatedStudy({ sites: 7, rows: 40, learner: FEDAVG, change: { mode: 'masked', minSites: 5, quorum: 4, maxSites: 7 } })
  const { protocol } = study
  const ports = new Map<SiteId, SimPorts>()
  let world: SimWorld | null = null
  const leave = dropOuts(protocol, 0.3, 3)
  const network = await simulateNetwork({
    ...{ seed: 'audited', sites: study.sites, protocol, rules: await rulesOf(protocol) },
    onWorld: (made) => {
      world = made
    },
    hooks: (site) => {
      ports.set(site.id, site)
      return leave(site, () => (world as unknown as SimWorld).time)
    },
  })
  await network.finish(await network.openRun())
  const transcript = await transcribe(root, network.world, ports.get(0 as SiteId) as SimPorts, protocol)
  network.stop()
  return transcript
}

const audit = async (events: readonly ChainEvent[] = told.events): Promise<AuditReport> =>
  verifyLog({
    chain: { ...told.chain, events: async () => events },
    reader: told.reader,
    sources: [await openFolder(root)],
    learnerFor: (protocol) => learnerFor(protocol, sha256),
  })

type Attested = Extract<ChainEvent, { kind: 'Attested' }>
/** The first one of the round that most sites attested: its shares are more than enough. */
function attestation(): Attested {
  const all = told.events.filter((e): e is ChainEvent & Attested => e.kind === 'Attested' && e.status !== 'wrongSum')
  const count = (round: number): number => all.filter((e) => e.round === round).length
  return all.reduce((best, e) => (count(e.round) > count(best.round) ? e : best))
}

const verdictOf = (report: AuditReport, round: number): string | undefined => report.rounds.find((one) => one.round === round)?.verdict

const fileOf = (cid: Digest): string => join(root, blockFile(cid))

describe('an audit of a masked run by real nodes’ code', () => {
  it('recomputes every round, those with drop-outs too', async (t) => {
    const report = await audit()
    t.diagnostic(report.rounds.map(({ round, included, verdict }) => `round ${round} (${included.join(' ')}): ${verdict}`).join('\n'))
    assert.deepEqual([report.faults, report.notes], [[], []])
    assert.ok(report.rounds.length >= 3 && report.rounds.every(({ verdict }) => verdict === 'recomputed'))
    assert.ok(report.ok)
    const keyed = told.events.filter((e) => e.kind === 'Keyed').length
    const frozen = told.events.filter((e) => e.kind === 'Frozen').reduce((sum, { included }) => sum + sizeOf(included), 0)
    assert.ok(keyed > frozen, 'somebody keyed in and dropped out')
  })

  it('says which release is missing', async () => {
    const { site, round, own } = attestation()
    await rename(fileOf(own), `${fileOf(own)}.away`)
    const report = await audit()
    await rename(`${fileOf(own)}.away`, fileOf(own))
    assert.equal(verdictOf(report, round), 'recomputed')
    assert.deepEqual(report.notes, [`run 1: what site ${site} released is not in the stores, for 1 of its rounds; the masks came off without it`])
  })

  it('names the site that released a wrong share', async () => {
    const { site, round, own } = attestation()
    const wrong = await told.altered(own, 0, (made) => {
      const { release } = made.release
      const shares = release.shares.with(
        0,
        (release.shares[0] as Uint8Array).map((byte, i) => (i === 3 ? byte ^ 1 : byte)),
      )
      return { ...made, release: { ...made.release, release: { ...release, shares } } }
    })
    const events = told.events.map((e) => (e.kind === 'Attested' && e.round === round && e.own === own ? { ...e, own: wrong } : e))
    const report = await audit(events)
    assert.equal(verdictOf(report, round), 'recomputed')
    assert.match(report.notes[0] ?? '', new RegExp(`: site ${site} released a wrong share of the mask of site \\d$`))
  })

  it('names the update in which one byte is changed', async () => {
    const frozen = told.events.find((e) => e.kind === 'Frozen' && e.round === attestation().round)
    const update = told.events.find((e) => e.kind === 'Contributed' && e.round === frozen?.['round' as never])
    assert.ok(update?.kind === 'Contributed')
    const whole = await readFile(fileOf(update.cid))
    await writeFile(fileOf(update.cid), whole.with(whole.length - 5, (whole.at(-5) as number) ^ 16))
    const report = await audit()
    await writeFile(fileOf(update.cid), whole)
    assert.match(report.faults[0]?.message ?? '', new RegExp(`^update of site ${update.site} .* no longer hashes to its CID`))
    assert.equal(report.ok, false)
  })
})
