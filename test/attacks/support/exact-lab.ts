import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DifferencingLedger } from '#adapters/cohort/differencing-ledger.ts'
import type { SimPorts } from '#adapters/sim/site.ts'
import type { SimWorld } from '#adapters/sim/world.ts'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { sha256 } from '#app/sha256.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { sizeOf } from '#base/bitmap.ts'
import { type Digest, type RunId, type SiteId, type StudyId, siteId } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { decodeSum } from '#core/ring/decode.ts'
import type { SumValues } from '#core/ring/vectors.ts'
import { createKeyring } from '#round/keyring.ts'
import { encodeModel } from '#wire/model.ts'
import { encodeProtocol, protocolDigest } from '#wire/protocol.ts'
import { only } from './outsider.ts'

/**
 * `off`: any cohort may be used again, as if exact runs showed nothing. `together`: those who train and those who test are counted together, as if sums
 * were over both.
 */
export type Rule = 'on' | 'off' | 'together'

const ATTACKER = siteId(2)

/** Hospitals with the real rule about cohorts, or without one, and several studies over the same rows. */
export interface ExactLab {
  readonly world: SimWorld
  readonly first: StudyId
  publish(protocol: Protocol): Promise<StudyId>
  /** Plays one run to its end. */
  run(study: StudyId): Promise<RunId>
  /** The sum of a run's round 1, as another member reads it. */
  firstSum(run: RunId, protocol: Protocol): Promise<SumValues>
  /** Sites that stayed out of a run's first round, so that no two results differ by a few patients. */
  abstained(run: RunId): readonly SiteId[]
  stop(): void
}

export async function openLab(
  study: { readonly protocol: Protocol; readonly sites: Parameters<typeof simulateNetwork>[0]['sites'] },
  rule: Rule,
): Promise<ExactLab> {
  const folder = mkdtempSync(join(tmpdir(), 'rota-differencing-'))
  const ports = new Map<SiteId, SimPorts>()
  const network = await simulateNetwork({
    ...{ seed: 'exact lab', sites: study.sites, protocol: study.protocol, rules: await rulesOf(study.protocol) },
    onWorld: (world) => keepBooks(world, folder, rule),
    hooks: (of) => {
      ports.set(of.id, of)
      return {}
    },
  })
  const { world } = network
  const protocols = new Map<StudyId, Protocol>([[network.study, study.protocol]])
  const events = () => world.chain.ledger.eventsFrom(0)
  return {
    world,
    first: network.study,
    async publish(protocol) {
      const cids = await Promise.all([...ports.values()].map(({ store, crashed }) => store.putPlain(encodeProtocol(protocol), crashed)))
      const id = await world.within(world.publishStudy(protocolDigest(protocol, sha256), cids[0] as Digest, await rulesOf(protocol)), 60_000)
      protocols.set(id, protocol)
      return id
    },
    async run(id) {
      const run = await world.within(openRun(world, ports.get(0 as SiteId) as SimPorts, id, protocols.get(id) as Protocol), 120_000)
      await network.finish(run)
      return run
    },
    async firstSum(run, protocol) {
      const site = ports.get(ATTACKER) as SimPorts
      const first = <E extends { readonly run: RunId; readonly round: number }>(of: readonly E[]): E => of.findLast((e) => e.run === run && e.round === 1) as E
      const [{ epoch }, { included }, { sumRoot: root, sumCid: cid }] = [
        first(only(events(), 'RoundOpened')),
        first(only(events(), 'Frozen')),
        first(only(events(), 'Published')),
      ]
      const key = await createKeyring({ ...site, sha256 }, world.chain.run(run).study, protocol).key(epoch, site.crashed)
      const bytes = await world.within(site.store.get({ cid, kind: 'sum', root }, key, site.crashed), 60_000)
      const learner = learnerFor(protocol, sha256)
      return decodeSum(bytes, learner.layout(learner.initial()), sizeOf(included))
    },
    abstained: (run) =>
      only(events(), 'Abstained')
        .filter((e) => e.run === run && e.round === 1 && e.reason === 2)
        .map(({ site }) => site),
    stop() {
      network.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Each site's real ledger on its disk, in place of the simulator's; time stands still while it reads. */
function keepBooks(world: SimWorld, folder: string, rule: Rule): void {
  const told = (testing: readonly Digest[]): readonly Digest[] => (rule === 'together' ? [] : testing)
  for (const site of world.sites) {
    const ledger = new DifferencingLedger(join(folder, `${site.name}.jsonl`))
    const real: Pick<DifferencingLedger, 'mayJoin' | 'whoRests' | 'record' | 'roots'> = {
      mayJoin: (patients, testing) => (rule === 'off' ? Promise.resolve({ ok: true }) : world.time.hold(ledger.mayJoin(patients, told(testing)))),
      whoRests: (patients, testing) => world.time.hold(ledger.whoRests(patients, told(testing))),
      record: (patients, root, testing) => world.time.hold(ledger.record(patients, root, told(testing))),
      roots: () => world.time.hold(ledger.roots()),
    }
    Object.assign(site.differencing, real)
  }
}

const LOOK_MS = 200

async function openRun(world: SimWorld, site: SimPorts, study: StudyId, protocol: Protocol): Promise<RunId> {
  while ((await site.chain.study(study)).epoch.members === 0n) await world.time.sleep(LOOK_MS)
  const key = await createKeyring({ ...site, sha256 }, study, protocol).key((await site.chain.study(study)).epoch.epoch, site.crashed)
  const bytes = encodeModel(learnerFor(protocol, sha256).initial())
  const { root, cid } = await site.store.put(bytes, outlineOf(bytes, sha256), 'model', key, site.crashed)
  return site.chain.openRun(study, { root, cid })
}
