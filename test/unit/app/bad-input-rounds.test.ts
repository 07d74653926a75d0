import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SimPorts } from '#adapters/sim/site.ts'
import { SimWorld } from '#adapters/sim/world.ts'
import { sha256 } from '#app/sha256.ts'
import { simulateNetwork } from '#app/simulate/simulated-network.ts'
import { rulesOf } from '#app/study/studies.ts'
import { sitesOf } from '#base/bitmap.ts'
import { isRotaError } from '#base/errors.ts'
import { attemptNo, type Digest, roundNo, runId, siteId } from '#base/ids.ts'
import { merkleRoot } from '#core/commit/merkle.ts'
import { outlineOf } from '#core/commit/outline.ts'
import { learnerFor } from '#core/learner/learner-for.ts'
import type { SplitTable, Table } from '#core/model/table.ts'
import { vectorBytes } from '#core/ring/layout.ts'
import type { PlayHooks } from '#round/player.ts'
import type { Progress } from '#round/progress.ts'
import { createHoldings } from '#round/updates/holdings.ts'
import { type Announce, decodeAnnounce, encodeAnnounce } from '#wire/announce.ts'
import { toCbor } from '#wire/cbor.ts'
import { generatedStudy } from '../../support/studies.ts'

// given four hospitals in a run
// ├── when a member sends messages that are oversized, truncated, no message, of an unknown version or of another round, and a stranger
// │   sends one too, each has its error, only what the member made badly costs its score, and the run loses no round and no site
// ├── when updates come short, long, beyond their range, or under another root, each is refused by name and the others are held
// ├── when a site's own numbers cannot be sent, it abstains with the code, its node goes on, and the others finish
// └── when a site has fewer rows than minRows, it abstains, says why, and the others finish

const study = generatedStudy({ sites: 4, rows: 60 })
const rules = await rulesOf(study.protocol)
const BAD = siteId(3)
const digestOf = (byte: number): Digest => `0x${byte.toString(16).padStart(2, '0').repeat(32)}` as Digest

const good: Announce = { kind: 'update', run: runId(1), round: roundNo(2), attempt: attemptNo(0), root: digestOf(1), cid: digestOf(2), inline: null }
const bytes = encodeAnnounce(good)
const oversized = new Uint8Array(8_000_000)
/** Each bad message, its code, and whether it costs its sender. */
const MESSAGES = [
  { is: 'oversized (8 MB)', bytes: oversized, code: 'ROTA-4002', costs: true },
  { is: 'truncated', bytes: bytes.subarray(0, -1), code: 'ROTA-4001', costs: true },
  { is: 'empty', bytes: new Uint8Array(0), code: 'ROTA-4001', costs: true },
  { is: 'something else', bytes: toCbor([1, 0, 1, 2]), code: 'ROTA-4001', costs: true },
  // A newer node is no attacker: versions N and N-1 work together.
  { is: 'of an unknown version', bytes: toCbor([2, 'what comes next']), code: 'ROTA-4003', costs: false },
  { is: 'of another round', bytes: encodeAnnounce({ ...good, round: roundNo(900) }), code: null, costs: false },
  { is: 'of another run', bytes: encodeAnnounce({ ...good, run: runId(77) }), code: null, costs: false },
] as const

describe('bad messages', () => {
  for (const { is, bytes, code } of MESSAGES)
    it(`${code ?? 'no error, and no effect'}: ${is}`, () => {
      if (code === null) assert.ok(decodeAnnounce(bytes))
      else
        assert.throws(
          () => decodeAnnounce(bytes),
          (error) => isRotaError(error, code) || assert.fail(String(error)),
        )
    })

  it('cost their sender, name it, and change nothing else', async () => {
    const alive = new Map<number, SimPorts>()
    let sent = 0
    const hooks = (ports: SimPorts): PlayHooks => {
      alive.set(ports.id, ports)
      return ports.id === BAD
        ? {
            async beforeRow(row, view) {
              if (row !== 'contribute' || view.round.round !== 2 || sent++ > 0) return
              const others = network.world.sites.map(({ id }) => id).filter((id) => id !== BAD)
              for (const { bytes } of MESSAGES) network.world.network.send(bytes, BAD, others)
              await network.world.stranger().gossip.publish(bytes)
              await ports.gossip.publish(oversized).then(
                () => assert.fail('it leaves'),
                (error) => assert.ok(isRotaError(error, 'ROTA-4002')),
              )
            },
          }
        : {}
    }
    const network = await simulateNetwork({ seed: 1, sites: study.sites, protocol: study.protocol, rules, hooks })
    try {
      const view = await network.finish(await network.openRun())
      assert.equal(sent, 1)
      const costs = MESSAGES.filter((message) => message.costs).length
      for (const site of [0, 1, 2]) assert.equal(alive.get(site)?.gossip.scoreOf(BAD), -100 * costs, `at site ${site}`)
      assert.equal(view.state, 'Finished')
      const frozen = (await network.events()).filter((e) => e.kind === 'Frozen')
      assert.ok(frozen.length > 2)
      for (const e of frozen) assert.deepEqual(sitesOf(e.included), [0, 1, 2, 3], 'the bad messages cost it no contribution')
    } finally {
      network.stop()
    }
  })
})

describe('bad vectors of others', () => {
  const learner = learnerFor(study.protocol, sha256)
  const layout = learner.layout(learner.initial())
  const size = vectorBytes(layout)
  const key = new Uint8Array(32).fill(5)
  const signal = new AbortController().signal

  const vectors = [
    { is: 'short', bytes: new Uint8Array(size - 8), code: 'ROTA-5506' },
    { is: 'long', bytes: new Uint8Array(size + 8), code: 'ROTA-5506' },
    { is: 'empty', bytes: new Uint8Array(0), code: 'ROTA-5506' },
    { is: 'beyond its range', bytes: new Uint8Array(size).fill(0x3f), code: 'ROTA-5506' },
    { is: 'under another root', bytes: new Uint8Array(size), root: digestOf(9), code: 'ROTA-4011' },
  ]
  for (const { is, bytes, code, root } of vectors)
    it(`${code}: one that is ${is} is refused by name, the others are held`, async () => {
      const world = SimWorld.create({ seed: is, sites: 3 })
      try {
        const [me, honest, bad] = world.sites.map((site) => world.start(site)) as [SimPorts, SimPorts, SimPorts]
        const put = async (ports: SimPorts, bytes: Uint8Array, claimed = merkleRoot(bytes, sha256)) => {
          const { cid } = await ports.store.put(bytes, { ...outlineOf(bytes, sha256), root: claimed }, 'update', key, signal)
          return { site: ports.id, root: claimed, cid }
        }
        const updates = [await put(honest, new Uint8Array(size)), await put(bad, bytes, root)]
        const holdings = createHoldings(me, { run: runId(1), round: roundNo(1), layout, key, cut: 1 }, () => undefined)
        holdings.want(updates, [0])
        await world.time.sleep(5_000)
        holdings.stop()
        assert.deepEqual(sitesOf(holdings.held(0)), [honest.id])
        const refused = me.host.log.lines.filter((line) => line.event === 'update.refused')
        assert.deepEqual(
          refused.map(({ fields }) => [fields['site'], fields['code']]),
          [[bad.id, code]],
        )
      } finally {
        world.stop()
      }
    })
})

describe('a site below minRows', () => {
  it('abstains with ROTA-3019, and the others finish', async () => {
    const few = (table: Table): Table => ({ ...table, rows: 4, values: table.values.slice(0, 4 * table.columns.length), label: table.label.slice(0, 4) })
    const cut = (rows: SplitTable): SplitTable => ({ train: few(rows.train), test: few(rows.test) })
    const sites = study.sites.map((site, i) => (i === BAD ? { ...site, rows: cut(site.rows) } : site))
    const told: { readonly site: number; readonly progress: Progress }[] = []
    const network = await simulateNetwork({
      seed: 2,
      sites,
      protocol: study.protocol,
      rules,
      tell: (ports, progress) => told.push({ site: ports.id, progress }),
    })
    try {
      const view = await network.finish(await network.openRun())
      assert.equal(view.state, 'Finished')
      const abstained = told.flatMap(({ site, progress }) => (progress.kind === 'abstained' ? [{ site, ...progress }] : []))
      assert.ok(abstained.length > 0)
      for (const { site, reason, detail } of abstained) {
        assert.deepEqual([site, reason], [BAD, 'belowMinRows'])
        assert.match(detail, /^ROTA-3019 4 rows are fewer than the protocol's 10/)
      }
      for (const e of await network.events()) if (e.kind === 'Frozen') assert.deepEqual(sitesOf(e.included), [0, 1, 2])
    } finally {
      network.stop()
    }
  })
})

describe('a site whose own numbers cannot be sent', () => {
  it('abstains with ROTA-2105, its node goes on, and the others finish', async () => {
    const spoilt = (table: Table): Table => ({ ...table, values: table.values.map((x, i) => (i === 0 ? Number.NaN : x)) })
    const sites = study.sites.map((site, i) => (i === BAD ? { ...site, rows: { ...site.rows, train: spoilt(site.rows.train) } } : site))
    const told: string[] = []
    const tell = (ports: SimPorts, progress: Progress) => void (progress.kind === 'abstained' && told.push(`${ports.id} ${progress.reason} ${progress.detail}`))
    const network = await simulateNetwork({ seed: 3, sites, protocol: study.protocol, rules, tell })
    try {
      assert.equal((await network.finish(await network.openRun())).state, 'Finished')
      assert.ok(told.length > 0)
      for (const line of told) assert.match(line, /^3 dataError ROTA-2105 Column /)
      for (const e of await network.events()) if (e.kind === 'Frozen') assert.deepEqual(sitesOf(e.included), [0, 1, 2])
    } finally {
      network.stop()
    }
  })
})
