import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type FaultPlan, NO_FAULTS } from '#adapters/sim/faults.ts'
import type { SimGossip } from '#adapters/sim/gossip.ts'
import { replacing } from '#adapters/sim/liar.ts'
import { changingShares } from '#adapters/sim/masking-lies.ts'
import type { SimPorts } from '#adapters/sim/site.ts'
import { logged } from '#app/node/log-trouble.ts'
import { rulesOf } from '#app/protocol/study-rules.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { withSite } from '#base/bitmap.ts'
import { type SiteId, siteId } from '#base/ids.ts'
import { createStoryteller } from '#cli/output/node-story.ts'
import type { Output } from '#cli/output/output.ts'
import { plain } from '#cli/output/style.ts'
import type { LearnerSpec } from '#core/protocol/protocol.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { PlayHooks } from '#round/player.ts'
import type { Progress } from '#round/progress.ts'
import type { ReleaseMessage } from '#wire/masking/release.ts'
import { decodeMessage, wordsApart } from '#wire/message.ts'
import { generatedStudy } from '../support/studies.ts'

// given a masked run of seven, and the log of a node in it
// ├── when a site shows shares of another round, or about a stranger, however often, each node names it once a round, with the code; the sum is unmasked without it
// ├── when a site's shares come after the sum was unmasked, they are late; those of one that says again what it said in time are not
// ├── when a site shows other shares than it was given, log and story name it
// └── when too few of a round are left, each node says once that nobody can unmask it
const FEDAVG: LearnerSpec = { kind: 'logistic', algorithm: 'fedavg', rounds: 3, localSteps: 2, learningRate: 0.5, l2: 0.01, standardise: 'pooled' }
const SITES = 7

interface Options {
  readonly lies?: FaultPlan['lies']
  readonly hooks?: (ports: SimPorts) => PlayHooks | undefined
  readonly until?: (events: readonly ChainEvent[]) => boolean
}

async function play({ lies = [], hooks = () => undefined, until = () => false }: Options) {
  const study = generatedStudy({ sites: SITES, rows: 60, learner: FEDAVG, change: { mode: 'masked', minSites: 5, quorum: 4, maxSites: SITES } })
  const ports = new Map<SiteId, SimPorts>()
  const told: (Progress & { readonly at: SiteId })[] = []
  const network = await simulateNetwork({
    ...{ seed: 1, sites: study.sites, protocol: study.protocol, rules: await rulesOf(study.protocol), faults: { ...NO_FAULTS, lies } },
    // As a node does.
    tell: (site, progress) => logged(site.host.log, (each) => void told.push({ ...each, at: site.id }))(progress),
    hooks(site) {
      ports.set(site.id, site)
      return hooks(site) ?? {}
    },
  })
  try {
    const run = await network.openRun()
    const { world } = network
    for (let s = 0; s < 2_000 && world.chain.run(run).state === 'Active' && !until(await network.events()); s++) await world.time.sleep(1_000)
    await world.time.sleep(10_000)
    return { view: world.chain.run(run), events: await network.events(), told, ports }
  } finally {
    network.stop()
  }
}

/** As they left a node: who and what, by round. */
const linesAt = ({ ports }: Awaited<ReturnType<typeof play>>, at: number, event: string) =>
  (ports.get(siteId(at)) as SimPorts).host.log.lines
    .filter((line) => line.event === event)
    .map(({ level, fields: { site, round, code } }) => ({ level, site, round, code }))

/** What a site says goes another way. */
function speaksBy(gossip: SimGossip, change: (honest: SimGossip) => SimGossip): void {
  const honest = replacing(gossip, { publish: gossip.publish.bind(gossip), start: gossip.start.bind(gossip) })
  const { publish, start } = change(honest)
  Object.assign(gossip, { publish, start })
}

const isRelease = (message: Uint8Array): boolean => wordsApart(message).some((word) => decodeMessage(word).kind === 'release')

const ofAnotherRound = ({ release, ...said }: ReleaseMessage): ReleaseMessage => ({
  ...said,
  release: { ...release, ctx: release.ctx.map((byte) => byte ^ 1) },
})

/** And of one that is in no round. */
const ofAStranger = ({ release, ...said }: ReleaseMessage): ReleaseMessage => ({
  ...said,
  release: { ...release, about: withSite(release.about, siteId(SITES + 2)), shares: [...release.shares, release.shares[0] as Uint8Array] },
})

/** A round takes some 100 ms here: its sum is unmasked then, and the one after is not over. */
const LATE_MS = 100

/** What it shows it says three times. */
const sayingOften = (honest: SimGossip): SimGossip =>
  replacing(honest, {
    async publish(message) {
      for (let more = isRelease(message) ? 2 : 0; more > 0; more--) await honest.publish(message)
      return honest.publish(message)
    },
  })

function saysLate({ host }: SimPorts, honest: SimGossip, silent: SimGossip): SimGossip {
  return replacing(silent, {
    async publish(message) {
      if (isRelease(message)) void host.clock.sleep(LATE_MS, new AbortController().signal).then(() => honest.publish(message))
      return silent.publish(message)
    },
  })
}

const HONEST = [0, 2, 3, 5, 6]

describe('shares that are not right', () => {
  it('are told of once a site and round, with its name and the code, however often they are said', async () => {
    const played = await play({
      hooks({ id, gossip }) {
        if (id === 1) speaksBy(gossip, (honest) => changingShares(sayingOften(honest), ofAnotherRound))
        if (id === 4) speaksBy(gossip, (honest) => changingShares(sayingOften(honest), ofAStranger))
        return undefined
      },
    })
    assert.equal(played.view.state, 'Finished')
    const rounds = only(played.events, 'RoundClosed').map(({ round }) => round)
    assert.ok(rounds.length >= 3)
    for (const at of HONEST) {
      const lines = linesAt(played, at, 'masking.refused').filter(({ level }) => level === 'warn')
      const named = lines.map(({ site, round, code }) => `${round} ${site} ${code}`).sort()
      assert.deepEqual(named, rounds.flatMap((round) => [`${round} 1 ROTA-2323`, `${round} 4 ROTA-2321`]).sort())
    }
  })

  it('are late once the sum is unmasked, but not where they are said again', async () => {
    const played = await play({
      hooks(ports) {
        const { id, gossip } = ports
        if (id === 1)
          speaksBy(gossip, (honest) =>
            saysLate(
              ports,
              honest,
              changingShares(honest, () => null),
            ),
          )
        if (id === 4) speaksBy(gossip, (honest) => saysLate(ports, honest, honest))
        return undefined
      },
    })
    assert.equal(played.view.state, 'Finished')
    const closed = only(played.events, 'RoundClosed').slice(0, -1)
    assert.ok(closed.length >= 2)
    for (const at of HONEST) {
      const late = linesAt(played, at, 'masking.refused')
      assert.deepEqual([...new Set(late.map(({ level, code }) => `${level} ${code}`))], ['info ROTA-2322'])
      for (const { round } of closed) assert.equal(late.filter((line) => line.site === 1 && line.round === round).length, 1, `round ${round} at site ${at}`)
      for (const name of late.map(({ site, round }) => `${round} ${site}`))
        assert.equal(late.filter(({ site, round }) => `${round} ${site}` === name).length, 1)
    }
    // What it said first can be a moment late somewhere; what it says again is in no log.
    const repeater = HONEST.flatMap((at) => linesAt(played, at, 'masking.refused')).filter(({ site }) => site === 4)
    assert.ok(repeater.length < closed.length, `${repeater.length} of ${closed.length * HONEST.length}`)
  })

  it('are told of in log and story where a site was given others', async () => {
    const played = await play({ lies: [{ site: siteId(0), lie: 'wrong-share' }] })
    assert.equal(played.view.state, 'Finished')
    for (const at of [1, 2, 3, 4, 5, 6]) {
      const lines = linesAt(played, at, 'masking.wrong-shares')
      assert.ok(lines.length > 0 && lines.every(({ level, site, code }) => level === 'warn' && site === 0 && code === 'ROTA-2321'))
      assert.equal(new Set(lines.map(({ round }) => round)).size, lines.length)
    }
    assert.ok(storyOf(played.told, 'wrong-shares').every((line) => line.includes('site 0 ') && line.includes('ROTA-2321')))
  })
})

describe('a round of which too few are left', () => {
  it('is told of once by each node that is there', async () => {
    const played = await play({
      hooks: ({ id }) => ({ beforeRow: async (row) => (id > 3 && row === 'contribute' ? new Promise(() => {}) : undefined) }),
      until: (events) => only(events, 'RoundVoid').length > 0,
    })
    assert.deepEqual(
      only(played.events, 'RoundVoid').map(({ round, phase }) => `${round} ${phase}`),
      ['1 Contributing'],
    )
    for (const at of [0, 1, 2, 3]) {
      const lines = linesAt(played, at, 'masking.cannot-unmask').map(({ level, round, code }) => `${level} ${round} ${code}`)
      assert.deepEqual(lines, ['warn 1 ROTA-2327'])
    }
    assert.ok(storyOf(played.told, 'cannot-unmask').every((line) => line.includes('ROTA-2327') && line.includes('4 of the 7')))
  })
})

const only = <K extends ChainEvent['kind']>(events: readonly ChainEvent[], kind: K) =>
  events.filter((event): event is Extract<ChainEvent, { kind: K }> => event.kind === kind)

/** Lines that a person reads, one at least. */
function storyOf(told: readonly Progress[], kind: Progress['kind']): readonly string[] {
  const lines: string[] = []
  const tell = createStoryteller({ style: plain, line: (text: string) => void lines.push(text) } as unknown as Output)
  for (const progress of told) if (progress.kind === kind) tell({ event: 'progress', progress })
  assert.ok(lines.length > 0)
  return lines
}
