import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Lie, NO_FAULTS } from '#adapters/sim/faults.ts'
import type { SimPorts } from '#adapters/sim/site.ts'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { sha256 } from '#app/sha256.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import type { verifyLog } from '#audit/verify.ts'
import { EMPTY, has, sitesOf, sizeOf } from '#base/bitmap.ts'
import { type Bitmap, type SiteId, siteId, studyId } from '#base/ids.ts'
import type { Model } from '#core/model/model.ts'
import type { SplitTable } from '#core/model/table.ts'
import type { LearnerSpec } from '#core/protocol/protocol.ts'
import type { ChainEvent, RunView } from '#ports/chain.ts'
import { watchDraw } from '#round/masking/study-draw.ts'
import type { RowName } from '#round/next.ts'
import type { Progress } from '#round/progress.ts'
import { auditOf } from '../support/audit-of.ts'
import { generatedStudy } from '../support/studies.ts'

// given a study in groups, of fifteen sites, in which one hides numbers inside the bounds that spoil a sum, and others drop out
// ├── its first round draws three groups of five
// ├── each mean that the model takes over lies between those of the groups without the liar
// ├── with two groups left all sit out, and the sum is not shown of which three sites are in a group; both rounds are void, and the run goes on
// └── an auditor recomputes all of it
const FEDAVG: LearnerSpec = { kind: 'logistic', algorithm: 'fedavg', rounds: 1, localSteps: 3, learningRate: 0.5, l2: 0.01, standardise: 'pooled' }
const SITES = 15
const LIAR = 4

interface Played {
  readonly view: RunView
  readonly models: readonly Model[]
  readonly sets: readonly Bitmap[]
  readonly events: readonly ChainEvent[]
  readonly told: readonly Progress[]
  readonly tables: readonly SplitTable[]
  readonly audit: Awaited<ReturnType<typeof verifyLog>>
}

/** @param away the sites that are away from a row of a round, of the groups that it has */
async function play(lie: Lie, away: (round: number, row: RowName, groups: readonly Bitmap[]) => readonly SiteId[]): Promise<Played> {
  const change = { mode: 'groups', minSites: SITES, quorum: 12, maxSites: SITES } as const
  const study = generatedStudy({ sites: SITES, rows: 60, learner: FEDAVG, change })
  const told: Progress[] = []
  const ports = new Map<SiteId, SimPorts>()
  let draw: ReturnType<typeof watchDraw> | undefined
  const network = await simulateNetwork({
    seed: 1,
    sites: study.sites,
    protocol: study.protocol,
    rules: await rulesOf(study.protocol),
    faults: { ...NO_FAULTS, lies: [{ site: siteId(LIAR), lie }] },
    tell: (_, progress) => void told.push(progress),
    hooks: (site) => {
      ports.set(site.id, site)
      draw ??= watchDraw({ chain: site.chain, sha256 }, studyId(1))
      return {
        async beforeRow(row, { run, round: { round } }) {
          const groups = (await draw?.())?.sets ?? []
          if (!away(round, row, groups).includes(site.id)) return
          while ((await site.chain.run(run)).round.round === round) await network.world.time.sleep(500, site.crashed)
        },
      }
    },
  })
  try {
    const view = await network.finish(await network.openRun(), 3_600_000)
    const events = await network.events()
    const models = events.flatMap((e) => (e.kind === 'RoundClosed' ? [network.model(e.modelRoot) as Model] : []))
    const audit = await auditOf(network, ports.get(siteId(0)) as SimPorts, study.protocol)
    return { view, models, sets: (await draw?.())?.sets ?? [], events, told, tables: study.sites.map(({ rows }) => rows), audit }
  } finally {
    network.stop()
  }
}

/** Of each feature, over the train rows of a group. */
function meansIn(tables: readonly SplitTable[], group: Bitmap): number[] {
  const rows = sitesOf(group).map((site) => (tables[site] as SplitTable).train)
  const n = rows.reduce((sum, table) => sum + table.rows, 0)
  const columns = rows[0]?.columns ?? []
  return columns.map((_, j) => rows.reduce((sum, { values }) => sum + values.reduce((all, x, i) => (i % columns.length === j ? all + x : all), 0), 0) / n)
}

describe('a study in groups', () => {
  it('bears a site that hides a poison, and sites that drop out', async () => {
    // Without three of one group there are two groups; without two, that contribute nothing when all have keyed, a group of three.
    const away = (round: number, row: RowName, [first, second]: readonly Bitmap[]): readonly SiteId[] => {
      if (round === 2) return row === 'key' ? sitesOf(second ?? EMPTY).slice(0, 3) : []
      return round === 4 && row === 'contribute' ? sitesOf(first ?? EMPTY).slice(0, 2) : []
    }
    const { view, models, sets, events, told, tables, audit } = await play('hidden-poison', away)
    assert.deepEqual([view.state, models.map(({ stage }) => stage)], ['Finished', ['moments', 'fit', 'evaluation', 'done']])
    assert.deepEqual(sets.map(sizeOf), [5, 5, 5])

    const frozen = events.flatMap((e) => (e.kind === 'Frozen' ? [e.included] : []))
    const voids = events.flatMap((e) => (e.kind === 'RoundVoid' ? [`${e.round} ${e.phase}`] : []))
    assert.deepEqual(
      [frozen.slice(0, 3).map(sizeOf), voids],
      [
        [15, 15, 13],
        ['2 Contributing', '4 Publishing'],
      ],
    )
    assert.ok(told.some((p) => p.kind === 'abstained' && p.round === 2 && p.detail.startsWith('ROTA-2333')))
    const means = models[1]?.state.mean as readonly number[]
    const good = sets.filter((set) => !has(set, siteId(LIAR))).map((set) => meansIn(tables, set))
    for (const [j, mean] of means.entries()) {
      const between = good.map((of) => of[j] as number)
      assert.ok(mean >= Math.min(...between) - 1e-6 && mean <= Math.max(...between) + 1e-6, `feature ${j}: ${mean} of ${between}`)
    }
    assert.deepEqual(
      audit.rounds.map(({ status, verdict }) => `${status} ${verdict}`),
      ['continue recomputed', 'continue recomputed', 'continue recomputed', 'finished recomputed'],
    )
    assert.deepEqual(audit.faults, [])
    // The poison is beyond what metrics may be, and inside the bounds of all else.
    const liars = sitesOf(sets.find((set) => has(set, siteId(LIAR))) ?? EMPTY)
    assert.deepEqual([...new Set(told.flatMap((p) => (p.kind === 'group-left-out' ? [`${p.round} ${p.sites}`] : [])))], [`6 ${liars}`])
    assert.match(audit.notes.at(-1) ?? '', new RegExp(`the group of site ${liars.join(', ')} was left out`))
  })
})
