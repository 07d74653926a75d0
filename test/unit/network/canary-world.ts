import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemRandom } from '#adapters/host/system-host.ts'
import { arithmeticVersion } from '#app/arithmetic-version.ts'
import { type CanaryReport, runCanary } from '#app/canary/canary.ts'
import { type CanaryDesk, serveCanary } from '#app/canary/canary-answer.ts'
import type { CanaryParts } from '#app/canary/canary-parts.ts'
import { type CanaryRounds, createCanaryRounds } from '#app/canary/canary-rounds.ts'
import type { CanaryRow } from '#app/canary/canary-rows.ts'
import { bitmapOf } from '#base/bitmap.ts'
import { RotaError } from '#base/errors.ts'
import { digest, siteId, studyId, ZERO_DIGEST } from '#base/ids.ts'
import type { SplitTable } from '#core/model/table.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { ChainReader, RunState, StudyRecord } from '#ports/chain.ts'
import type { ConsentedCohort } from '#ports/cohort.ts'
import type { Trainer } from '#ports/trainer.ts'
import { clock, type TestNode, TestWorld, type WorldOptions } from './world.ts'

export const NAMES = ['Cleveland', 'Budapest', 'Basel']
export const PROTOCOL_DIGEST = digest(`0x${'77'.repeat(32)}`)
const golden = await arithmeticVersion()

interface Open {
  readonly desk: CanaryDesk
  readonly rounds: CanaryRounds
}

/** Three members with real hosts and stores, of whose chain a test decides all that a canary reads. */
export class CanaryWorld {
  readonly hosts: TestWorld
  readonly protocol: Protocol
  readonly signal = AbortSignal.timeout(90_000)
  /** Taken in place of the site's own part in rounds. */
  readonly rounds = new Map<number, (honest: CanaryRounds) => CanaryRounds>()
  approved = [0, 1, 2]
  runs: { state: RunState; rota: number[] }[] = []
  rows: readonly SplitTable[]
  /** How often each site's cohort was asked for. */
  readonly asked: number[] = [0, 0, 0]
  /** Of Basel. */
  dataFault: RotaError | null = null
  noProtocol = false
  readonly #states: string[] = []
  readonly #open: Open[] = []

  private constructor(hosts: TestWorld, protocol: Protocol, rows: readonly SplitTable[]) {
    this.hosts = hosts
    this.protocol = protocol
    this.rows = rows
  }

  /** @param connect how the hosts come to know each other, if not as they are */
  static async of(
    { protocol, sites }: { readonly protocol: Protocol; readonly sites: readonly { readonly rows: SplitTable }[] },
    options: WorldOptions = {},
    connect?: (hosts: TestWorld) => Promise<void>,
  ): Promise<CanaryWorld> {
    const same: WorldOptions = { ...options, network: (site) => ({ versions: { software: '0.1.0', arithmetic: golden }, ...options.network?.(site) }) }
    const hosts = connect === undefined ? await TestWorld.of(3, same) : new TestWorld(same)
    if (connect !== undefined) for (const site of [0, 1, 2]) await hosts.add(site)
    await connect?.(hosts)
    const world = new CanaryWorld(
      hosts,
      protocol,
      sites.map(({ rows }) => rows),
    )
    for (const site of [0, 1, 2]) world.#states[site] = await mkdtemp(join(tmpdir(), 'rota-canary-'))
    await world.afresh()
    return world
  }

  /** Every site answers as if its node had just begun. */
  async afresh(): Promise<void> {
    await this.closeDesks()
    for (const node of this.hosts.nodes.slice(0, 3)) {
      const parts = this.partsOf(node)
      const honest = createCanaryRounds(parts)
      const rounds = this.rounds.get(node.site)?.(honest) ?? honest
      this.#open.push({ desk: await serveCanary(parts, rounds), rounds })
    }
  }

  /** How this site takes part now. */
  at(site: number): Open {
    return this.#open[site] as Open
  }

  async closeDesks(): Promise<void> {
    for (const { desk } of this.#open.splice(0)) await desk.stop()
  }

  canaryAt(site: number, waitMs = 20_000): Promise<CanaryReport> {
    const { rounds } = this.at(site)
    return runCanary(this.partsOf(this.hosts.nodes[site] as TestNode), rounds, { study: studyId(1), waitMs }, this.signal)
  }

  /** Blocks and folders that are still there, at all sites. */
  async left(): Promise<string[]> {
    const found: string[] = []
    for (const { dir } of this.hosts.nodes) found.push(...(await readdir(dir, { recursive: true })).filter((name) => name.endsWith('.data')))
    for (const state of this.#states) found.push(...(await readdir(state)))
    return found
  }

  async stop(): Promise<void> {
    await this.closeDesks()
    await this.hosts.stop()
    await Promise.all(this.#states.map((state) => rm(state, { recursive: true, force: true })))
  }

  partsOf(node: TestNode): CanaryParts {
    return {
      site: node.site,
      name: NAMES[node.site] as string,
      chain: this.#chain(),
      network: node.network,
      store: node.store,
      storeDir: node.dir,
      state: this.#states[node.site] as string,
      cohort: {
        consented: async () => {
          this.asked[node.site] = (this.asked[node.site] ?? 0) + 1
          if (this.dataFault !== null && node.site === 2) throw this.dataFault
          return cohortOf(this.rows[node.site] as SplitTable)
        },
        remember: async () => undefined,
      },
      trainer: IDLE,
      clock,
      random: systemRandom,
      protocol: async () => {
        if (this.noProtocol && node.site === 2) throw new RotaError('ROTA-1207', { study: 1 })
        return this.protocol
      },
    }
  }

  #chain(): ChainReader {
    const rules = { arithmeticVersion: golden, mode: 'open' }
    const record = () => ({ id: studyId(1), protocolDigest: PROTOCOL_DIGEST, approved: bitmapOf(this.approved.map(siteId)), rules }) as unknown as StudyRecord
    return {
      study: async () => record(),
      sites: async () => NAMES.map((name, i) => ({ id: siteId(i), name, state: 'Active' })),
      runs: async () => this.runs.map(({ state }, i) => ({ run: i + 1, study: 1, state })),
      run: async (run: number) => ({ round: { rota: this.runs[run - 1]?.rota ?? [] } }),
      events: async () => [],
    } as unknown as ChainReader
  }
}

/** Training is measured elsewhere: this one is done at once. */
const IDLE: Trainer = { backend: 'idle', train: async ({ weights }) => weights.slice(), stop: async () => undefined }

export const rowOf = (report: CanaryReport, name: string): CanaryRow => report.rows.find((row) => row.name === name) as CanaryRow

const cohortOf = (table: SplitTable): ConsentedCohort => ({
  table,
  patients: [],
  testing: [],
  tags: [],
  rootIn: () => ZERO_DIGEST,
  without: () => cohortOf(table),
})
