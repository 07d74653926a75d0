import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { SimAccount } from '#adapters/sim/chain/account.ts'
import { NO_FAULTS } from '#adapters/sim/faults.ts'
import { addressOf } from '#adapters/sim/hash.ts'
import { SimModelStore } from '#adapters/sim/model-store.ts'
import type { SimPorts } from '#adapters/sim/site.ts'
import { sha256 } from '#app/sha256.ts'
import { type SimulationOptions, simulateNetwork } from '#app/simulate/simulated-network.ts'
import { rulesOf } from '#app/study/studies.ts'
import { has } from '#base/bitmap.ts'
import { RotaError } from '#base/errors.ts'
import { type Digest, siteId } from '#base/ids.ts'
import { outlineOf } from '#core/commit/outline.ts'
import type { NeuralSpec } from '#core/protocol/protocol.ts'
import type { ChainEvent } from '#ports/chain.ts'
import type { Trainer } from '#ports/trainer.ts'
import { generatedStudy, largeNetwork } from '../support/studies.ts'

// given a member that attacks
// ├── when it leads and publishes a wrong sum of a model too large to be re-added by all, it is thrown out, though custodians are a minority
// ├── when it publishes the right sum under another object's CID, the publication is thrown out: the log could not be replayed from it
// ├── when it wraps a wrong key to one site, that site stays up, reports it, and takes part under the next key
// ├── when nobody gives the bundle of an epoch and stewards go on to approve, another key is drawn all the same
// ├── when its update is beyond the norm that the protocol allows, it is left out, and the others go on
// └── when it repeats another's update as its own, it is left out, and nobody counts twice

type Of<K extends ChainEvent['kind']> = Extract<ChainEvent, { kind: K }>
const only = <K extends ChainEvent['kind']>(events: readonly ChainEvent[], kind: K): Of<K>[] => events.filter((e): e is Of<K> => e.kind === kind)

const large = largeNetwork(2)
const tiny: NeuralSpec = {
  ...large,
  layers: [
    { className: 'Dense', config: { units: 40, activation: 'relu', useBias: true } },
    { className: 'Dense', config: { units: 1, activation: 'sigmoid', useBias: true } },
  ],
  normBound: 1,
}
const shrinking: Trainer = { backend: 'none', train: async (task) => task.weights.map((w) => 0.99 * w), stop: async () => undefined }

/** Far beyond the norm bound, to which honest sites cut it. */
const far: Trainer = { ...shrinking, train: async (task) => task.weights.map((w) => w + 100) }
const small = generatedStudy({ sites: 4, rows: 60 })
const rules = await rulesOf(small.protocol)

/** Plays a run in which each site's ports may be tampered with at the start of its life. */
async function play(study: typeof small, tamper: (ports: SimPorts) => void, options: Partial<SimulationOptions> = {}, runs = 1) {
  const network = await simulateNetwork({
    seed: 1,
    sites: study.sites,
    protocol: study.protocol,
    rules: study === small ? rules : await rulesOf(study.protocol),
    hooks: (ports) => {
      tamper(ports)
      return {}
    },
    ...options,
  })
  try {
    let view = await network.finish(await network.openRun())
    for (let more = runs; more > 1; more--) view = await network.finish(await network.openRun())
    return { view, events: await network.events() }
  } finally {
    network.stop()
  }
}

/** In place of what the bad site's node sends to the chain, until the test ends. */
function tamper<K extends 'publish' | 'publishEpoch' | 'contribute'>(t: TestContext, method: K, make: (before: SimAccount[K]) => SimAccount[K]): void {
  const original = SimAccount.prototype[method] as (...args: unknown[]) => unknown
  const change = (account: SimAccount, ...args: unknown[]) => (make(original.bind(account) as SimAccount[K]) as (...args: unknown[]) => unknown)(...args)
  t.mock.method(SimAccount.prototype, method, function (this: SimAccount, ...args: unknown[]) {
    return this.account === addressOf('node', BAD) ? change(this, ...args) : original.apply(this, args)
  } as never)
}

const BAD = siteId(0)

describe('a member that attacks', () => {
  it('cannot pass a wrong sum of a large model, whoever leads', async () => {
    const study = generatedStudy({ sites: 7, rows: 40, learner: large })
    const { view, events } = await play(study, () => undefined, { trainer: shrinking, faults: { ...NO_FAULTS, liars: [siteId(1)] } })
    assert.equal(view.state, 'Finished')
    const lies = only(events, 'Published').filter((e) => e.site === siteId(1))
    assert.ok(lies.length > 0)
    const discarded = only(events, 'PublicationDiscarded')
    for (const lie of lies)
      assert.ok(
        discarded.some((d) => d.round === lie.round && d.attempt === lie.attempt),
        `the lie of round ${lie.round} stood`,
      )
  })

  it('cannot publish the right sum under the CID of something else', async (t) => {
    tamper(t, 'publish', (publish) => (run, round, attempt, root) => publish(run, round, attempt, root, root))
    const { view, events } = await play(small, () => undefined)
    assert.equal(view.state, 'Finished')
    const published = only(events, 'Published').filter((e) => e.site === BAD)
    assert.ok(published.length > 0)
    const closed = only(events, 'RoundClosed')
    for (const e of published) assert.ok(!closed.some((c) => c.round === e.round && c.attempt === e.attempt), `round ${e.round} closed on it`)
  })

  it('cannot end a node by wrapping a wrong key to it', async () => {
    const victim = siteId(2)
    const { view, events } = await play(
      small,
      ({ id, vault }) => {
        if (id !== BAD) return
        const wrong = new Uint8Array(32)
        const wrap = vault.wrap.bind(vault)
        vault.wrap = (key, recipients, context) => recipients.flatMap((recipient, i) => wrap(i === victim ? wrong : key, [recipient], context))
      },
      {},
      2,
    )
    assert.equal(view.state, 'Finished')
    assert.ok(only(events, 'EpochPublished').length > 1, 'it was reported, and another key drawn')
    assert.ok(
      only(events, 'Frozen').some((e) => has(e.included, victim)),
      'the victim takes part',
    )
  })

  it('cannot keep a study from its next key by withholding the bundle of this one', async (t) => {
    const refuse = (): Promise<void> => Promise.reject(new RotaError('ROTA-5010', { error: 'it draws no other' }))
    tamper(
      t,
      'publishEpoch',
      (publish) =>
        (study, epoch, ...rest) =>
          epoch === 0 ? publish(study, epoch, ...rest) : refuse(),
    )
    const network = await simulateNetwork({
      seed: 1,
      sites: small.sites,
      protocol: small.protocol,
      rules,
      faults: { ...NO_FAULTS, withholding: [BAD] },
    })
    try {
      const { world, study } = network
      const record = () => world.node(world.site(1)).study(study)
      while ((await record()).epoch.members === 0n) await world.time.sleep(200)
      await world.steward(world.site(3)).studyDesk().withdrawSite(study)
      const untilMs = world.time.nowMs + 300_000
      while ((await record()).epoch.epoch === 0 && world.time.nowMs < untilMs) await world.time.sleep(1_000)
      assert.equal((await record()).epoch.epoch, 1)
    } finally {
      network.stop()
    }
  })

  it('cannot have every sum of a neural study refused by weights beyond the norm', async (t) => {
    const study = generatedStudy({ sites: 4, rows: 40, learner: tiny })
    const put = SimModelStore.prototype.put
    const forged = new Map<Digest, { readonly root: Digest; readonly cid: Digest }>()
    t.mock.method(SimModelStore.prototype, 'put', async function (this: SimModelStore, ...[bytes, outline, kind, key, signal]: Parameters<typeof put>) {
      const kept = await put.call(this, bytes, outline, kind, key, signal)
      if (kind !== 'update' || bytes.length < 1_000) return kept
      // Each coordinate inside its range, all of them together far beyond the norm.
      const wrong = bytes.slice()
      new Int32Array(wrong.buffer, wrong.byteOffset + 36).fill(2 ** 20)
      forged.set(outline.root, await put.call(this, wrong, outlineOf(wrong, sha256), kind, key, signal))
      return kept
    })
    tamper(t, 'contribute', (contribute) => (run, round, root, cid, cohort) => {
      const told = forged.get(root) ?? { root, cid }
      return contribute(run, round, told.root, told.cid, cohort)
    })
    const { view, events } = await play(study, () => undefined, { trainer: far })
    assert.equal(view.state, 'Finished')
    assert.ok(forged.size > 0)
    assert.equal(only(events, 'RoundRefused').length, 0)
    const frozen = only(events, 'Frozen')
    assert.ok(frozen.some((e) => !has(e.included, BAD)))
    for (const honest of [siteId(1), siteId(2), siteId(3)])
      assert.ok(
        frozen.every((e) => has(e.included, honest)),
        'who is cut to the bound is not beyond it',
      )
  })

  it("cannot count twice by giving another's update as its own", async (t) => {
    const copier = siteId(3)
    const contribute = SimAccount.prototype.contribute
    const heard = new Map<number, PromiseWithResolvers<{ readonly root: Digest; readonly cid: Digest }>>()
    const first = (round: number) => heard.get(round) ?? heard.set(round, Promise.withResolvers()).get(round)
    t.mock.method(SimAccount.prototype, 'contribute', async function (this: SimAccount, ...[run, round, root, cid, cohort]: Parameters<typeof contribute>) {
      if (this.account !== addressOf('node', copier)) first(round)?.resolve({ root, cid })
      const told = await first(round)?.promise
      const named = this.account === addressOf('node', copier) && told !== undefined ? told : { root, cid }
      return contribute.call(this, run, round, named.root, named.cid, cohort)
    })
    const { view, events } = await play(small, () => undefined)
    assert.equal(view.state, 'Finished')
    const contributed = only(events, 'Contributed')
    assert.ok(
      contributed.some((e) => e.site === copier && contributed.some((other) => other.site !== copier && other.round === e.round && other.root === e.root)),
    )
    for (const { round, included } of only(events, 'Frozen')) {
      const roots = contributed.filter((e) => e.round === round && has(included, e.site)).map((e) => e.root)
      assert.equal(new Set(roots).size, roots.length, `an update counts twice in round ${round}`)
    }
  })
})
