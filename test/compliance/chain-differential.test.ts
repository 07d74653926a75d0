/**
 * Random call sequences give the same events, errors and views on the Solidity contracts and on the chain of adapters/sim.
 *
 *   ROTA_DIFF_SEQUENCES=n   how many sequences (default 300)
 *   ROTA_DIFF_FROM=i        the first one: sequence i is the same in every run
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { SiteDetails } from '#adapters/sim/chain/sites.ts'
import { digestOf } from '#adapters/sim/hash.ts'
import { SimRandom } from '#adapters/sim/random.ts'
import { sizeOf } from '#base/bitmap.ts'
import { CONTRACT_ERROR_CODES, codeForContractError } from '#base/chain-errors.ts'
import { type Address, type Bitmap, runId, studyId } from '#base/ids.ts'
import type { ChainEventBody, SiteRecord } from '#ports/chain.ts'
import { type Act, isPause, type Outcome, type Step, tell } from './differential/act.ts'
import {
  consent,
  fromOutside,
  lateness,
  maskedRules,
  membership,
  oldAttestation,
  outsiders,
  pause,
  policy,
  replacement,
  rulesFor,
  spending,
  study,
  tick,
  wrong,
} from './differential/aside.ts'
import { dispute } from './differential/dispute.ts'
import { type EvmNetwork, type EvmSide, openEvmSide } from './differential/evm-side.ts'
import { forward, openRun } from './differential/forward.ts'
import { signedPatients } from './differential/patients.ts'
import { DIFFERING, Scene, type Temper, VAIN } from './differential/scene.ts'
import { SimSide } from './differential/sim-side.ts'

const SEQUENCES = Number(process.env.ROTA_DIFF_SEQUENCES ?? 300)
const FROM = Number(process.env.ROTA_DIFF_FROM ?? 0)
/** Sequences in which rounds come to nothing after their freeze, of networks in which a deep round is unlike others. */
const VAIN_SEQUENCES = Math.ceil(SEQUENCES / 10)
const VAIN_SIZES = [4, 5, 7]
/** Of networks in which some may be silent, and others none. */
const MASKED_SIZES = [7, 5, 7]
/** Sequences about one thing are about no others. */
const DIRECTED: readonly Temper[] = [VAIN, DIFFERING]
/** Networks of so many founders. */
const SIZES = [1, 2, 3, 4, 5, 7]
/** Sites that a masked study has at least. */
const FEWEST_MASKED = 5
const LOOK_EVERY = 8
/** Steps more where deals are justified, so that as much comes after. */
const MOST_MORE = 12
const NOT_COMPARED = /^ModelLedger_|^RotaDirectory_|_BadFounderCount$|_Full$|_NoRecovery$|_TooEarly$/

interface Network {
  readonly founders: readonly SiteDetails[]
  readonly evm: EvmNetwork
}

describe('contracts and the chain in memory', { timeout: 100_000 + SEQUENCES * 300 }, () => {
  let side: EvmSide
  const networks: Network[] = []
  const seen = {
    errors: new Map<string, number>(),
    events: new Map<string, number>(),
    steps: 0,
    deep: { opened: 0, frozen: 0, unheard: 0 },
    deals: { same: 0, differed: 0, justified: 0, silent: 0, vain: 0 },
  }

  before(async () => {
    side = await openEvmSide()
    for (const size of SIZES) {
      const founders = Array.from({ length: size }, (_, i) => founder(i, side.accounts))
      networks.push({ founders, evm: await side.deploy(founders) })
    }
  })
  after(() => side?.stop())

  it(`agree on ${SEQUENCES} random sequences of calls`, async () => {
    let snapshot = await side.snapshot()
    for (let i = FROM; i < FROM + SEQUENCES; i++) {
      await playBoth(i)
      await side.restore(snapshot)
      snapshot = await side.snapshot()
    }
    console.log(
      `${SEQUENCES} sequences, ${seen.steps} steps, ${[...seen.errors.values()].reduce((a, b) => a + b, 0)} refused calls of ${seen.errors.size} kinds, ${seen.events.size} kinds of events`,
    )
  })

  it(`agree on ${VAIN_SEQUENCES} in which deals are justified`, async () => {
    let snapshot = await side.snapshot()
    for (let i = 0; i < VAIN_SEQUENCES; i++) {
      await playBoth(SIZES.indexOf(MASKED_SIZES[i % MASKED_SIZES.length] as number) + SIZES.length * i, DIFFERING)
      await side.restore(snapshot)
      snapshot = await side.snapshot()
    }
    const { same, differed, justified, silent, vain } = seen.deals
    console.log(
      `${same} masked rounds whose deals all held, ${justified} in which they were justified (${silent} without some), and ${differed} in which they were to be (${vain} void)`,
    )
    if (VAIN_SEQUENCES >= 30) assert.ok(same >= 20 && justified >= 25 && silent >= 5 && vain >= 5)
  })

  it(`agree on ${VAIN_SEQUENCES} in which deep rounds follow on others`, async () => {
    let snapshot = await side.snapshot()
    for (let i = 0; i < VAIN_SEQUENCES; i++) {
      await playBoth(SIZES.indexOf(VAIN_SIZES[i % VAIN_SIZES.length] as number) + SIZES.length * i, VAIN)
      await side.restore(snapshot)
      snapshot = await side.snapshot()
    }
    const { opened, frozen, unheard } = seen.deep
    console.log(`${opened} deep rounds, of which ${frozen} were frozen and ${unheard} void before that`)
    if (VAIN_SEQUENCES >= 30) assert.ok(frozen >= 5 && unheard >= 5)
  })

  it('met every error and event of the rules it compares', { skip: SEQUENCES < 300 ? 'fewer than 300 sequences do not meet all' : false }, () => {
    assert.deepEqual(
      EXPECTED_ERRORS.filter((name) => !seen.errors.has(name)),
      [],
    )
    assert.deepEqual(
      EXPECTED_EVENTS.filter((kind) => !seen.events.has(kind)),
      [],
    )
  })

  async function playBoth(number: number, temper?: Temper): Promise<void> {
    const random = new SimRandom(`${temper === undefined ? 'sequence' : temper === VAIN ? 'vain' : 'differing'} ${number}`)
    const { founders, evm } = networks[number % networks.length] as Network
    const start = await side.head()
    const sim = new SimSide(founders, start, evm.link.chainId, evm.link.addresses.ConsentRegistry)
    const spare = side.accounts.slice(3 * Math.max(...SIZES), 3 * Math.max(...SIZES) + 6)
    const scene = new Scene(sim, random, spare, await signedPatients(side.accounts, evm.link.chainId, evm.link.addresses.ConsentRegistry), temper)
    const tale: string[] = []
    const same = (actual: unknown, expected: unknown, what: string) =>
      assert.deepEqual(actual, expected, `sequence ${number}: ${what} differ (memory, contracts) after\n${tale.join('\n')}\n`)

    const make = async (step: Step): Promise<void> => {
      tale.push(tell(step))
      seen.steps++
      if (isPause(step)) {
        sim.chain.advance(step.seconds, step.blocks)
        return evm.pause(step)
      }
      scene.done.push(step)
      const outcome = sim.act(step)
      const expected = await evm.act(await onEvm(scene, evm, step))
      if (outcome !== null) tale.push(`    ${outcome.error}`)
      same(named(outcome), named(expected), 'outcomes')
      if (outcome !== null) seen.errors.set(outcome.error, (seen.errors.get(outcome.error) ?? 0) + 1)
    }
    const look = async (): Promise<void> => {
      for (let run = scene.runs; run > 0 && run > scene.runs - 2; run--) same(sim.chain.run(runId(run)), await evm.run(run), `views of run ${run}`)
      same(sim.chain.study(studyId(1)), await evm.study(1), 'views of study 1')
    }

    for (const step of opening(scene)) await make(step())
    const { steps } = scene
    const justified = () => Math.min(MOST_MORE, scene.done.filter(({ method }) => method === 'justify').length)
    for (let i = 1; i <= steps + justified(); i++) {
      await make(next(scene))
      if (i % LOOK_EVERY === 0) await look()
    }
    await look()
    const events = sim.events(start.number + 1)
    same(events.map(comparable), (await evm.events(start.number + 1)).map(comparable), 'events')
    for (const event of events) seen.events.set(event.kind, (seen.events.get(event.kind) ?? 0) + 1)
    countDeals(sim)
    for (const { round, past } of sim.chain.contracts.coordinator.runs)
      for (const one of [round, ...past].filter(({ deep, rota }) => deep && rota.length > 3)) {
        seen.deep.opened++
        if (one.included !== 0n) seen.deep.frozen++
        else if (one !== round) seen.deep.unheard++
      }
  }

  /** Rounds in which all who keyed held the same deals, others in which deals were justified, and of these the ones that went on, with all or at the limit, or were void. */
  function countDeals({ chain }: SimSide): void {
    for (const { round, past } of chain.contracts.coordinator.runs)
      for (const one of [round, ...past]) {
        const { phase, keyed, held, justifying, justified, abstained } = one
        if (justifying) seen.deals.differed++
        if (justifying && one !== round) seen.deals.vain++
        if (keyed === 0n || phase === 'Keying') continue
        if (held === null) seen.deals.justified++
        else seen.deals.same++
        if (held === null && (keyed & abstained & ~justified) !== 0n) seen.deals.silent++
      }
  }
})

/** The two sides have blocks of the same numbers, and other hashes. */
async function onEvm({ blocks }: Scene, evm: EvmNetwork, act: Act): Promise<Act> {
  const place = NAMING_BLOCKS.get(act.method)
  const block = place === undefined ? undefined : blocks.get(act.args[place])
  return place === undefined || block === undefined ? act : { ...act, args: act.args.with(place, await evm.hashOf(block)) }
}

/** Which argument is a block's hash. */
const NAMING_BLOCKS: ReadonlyMap<string, number> = new Map([
  ['contribute', 5],
  ['justify', 2],
])

/** A study that can be worked with, approved by nearly all, with its keys and a run. */
function opening(scene: Scene): (() => Act)[] {
  const { random } = scene
  const publisher = random.pick(scene.sites)
  const masked = scene.sites.length >= FEWEST_MASKED && (scene.temper === DIFFERING || random.chance(scene.temper === VAIN ? 0.25 : 0.7))
  const approving = scene.sites.filter(() => random.chance(masked ? 0.95 : 0.85))
  const accounted = !DIRECTED.includes(scene.temper) && scene.apart.chance(0.2)
  const impatient = random.chance(0.2) ? [random.pick(scene.sites)] : []
  const epoch = (site: SiteRecord) => (): Act => ({
    sender: site.node,
    contract: 'StudyRegistry',
    method: 'publishEpoch',
    args: [1, 0, scene.digest('key'), scene.digest('bundle')],
  })
  const one = studyId(1)
  return [
    () => study(scene, publisher.node, (masked ? maskedRules : rulesFor)(scene, scene.sites.length + 3)),
    ...(accounted ? [() => policy(scene, 1, publisher.node)] : []),
    ...approving.map(
      (site) => (): Act => ({ sender: site.steward, contract: 'StudyRegistry', method: 'approve', args: [1, scene.sim.chain.study(one).protocolDigest] }),
    ),
    ...impatient.map(epoch),
    epoch(publisher),
    () => openRun(scene),
  ]
}

function next(scene: Scene): Step {
  const { random, temper } = scene
  if (temper.members > 0 && scene.apart.chance(0.01)) return replacement(scene)
  if (scene.runs > 0 && !DIRECTED.includes(temper) && scene.apart.chance(0.015)) return spending(scene)
  if (random.chance(temper.members)) return membership(scene)
  if (random.chance(temper.others)) return consent(scene)
  if (scene.runs === 0) return random.chance(0.5) ? openRun(scene) : membership(scene)
  const late = outsiders(scene)
  if (late.length > 0 && random.chance(0.3)) return fromOutside(scene, random.pick(late))
  if (random.chance(temper.wrong)) return wrong(scene)
  if (random.chance(temper.old)) return oldAttestation(scene)
  if (mayDiffer(scene) && scene.deals.chance(0.2)) return pause(scene)
  if (mayGoOn(scene) && scene.deals.chance(0.35)) return pause(scene)
  if (random.chance(temper.vain > 0 && isDeep(scene) ? 2 * temper.time : temper.time)) return pause(scene)
  if (random.chance(mayBeDisputed(scene) ? 0.2 : 0.01)) return dispute(scene)
  if (scene.run().round.phase === 'Publishing' && random.chance(temper.late)) return lateness(scene)
  return random.chance(0.05) ? tick(scene) : forward(scene)
}

/** What a deep round waits for does not come at times either. */
const isDeep = (scene: Scene): boolean => scene.sim.chain.contracts.coordinator.run(scene.run().run).round.deep

/** So many keyed that the limit has deals justified without those who did not. */
function mayDiffer(scene: Scene): boolean {
  const { run, round } = scene.sim.chain.run(runId(scene.runs))
  if (round.phase !== 'Keying' || round.justifying || !scene.dealsDiffer(`${run}/${round.round}`)) return false
  return sizeOf(round.keyed) >= round.threshold && sizeOf(round.keyed) < sizeOf(round.awaited)
}

/** So many justified that the limit goes on without those who did not. */
function mayGoOn(scene: Scene): boolean {
  const { round } = scene.sim.chain.run(runId(scene.runs))
  const said = (round.justified & ~round.abstained) as Bitmap
  return round.justifying && sizeOf(said) >= round.threshold && sizeOf(said) < sizeOf(round.keyed)
}

/** A masked run of which something is published, or closed. */
function mayBeDisputed(scene: Scene): boolean {
  const run = scene.sim.chain.contracts.coordinator.run(scene.run().run)
  return run.rules.mode === 'masked' && (run.closed !== null || run.round.publications > 0)
}

const founder = (i: number, accounts: readonly Address[]): SiteDetails => ({
  name: `hospital ${i}`,
  node: accounts[3 * i] as Address,
  steward: accounts[3 * i + 1] as Address,
  recovery: accounts[3 * i + 2] as Address,
  peerId: `peer ${i}`,
  encryptionKey: digestOf('encryption key', i),
  multiaddrs: [],
})

/** Same error, same code, and of its arguments those that a person is told of. */
function named(outcome: Outcome) {
  if (outcome === null) return 'done'
  const { error, details } = outcome
  const told = Object.entries(details).filter(([name]) => !TOLD_OTHERWISE.has(name))
  return { error, code: codeForContractError(error), details: Object.fromEntries(told.map(([name, value]) => [name, String(value).toLowerCase()])) }
}

/** Enumerations that the two sides name differently in an error's details; the error itself is compared. */
const TOLD_OTHERWISE: ReadonlySet<string> = new Set(['mode', 'status', 'state', 'error'])

function comparable(event: object): object {
  const { index: _, timestamp: __, tx: ___, opening: ____, began: _____, ...rest } = event as Record<string, unknown>
  return rest
}

/** All that the compared calls can meet; left out are a network's making (SiteRegistry_BadFounderCount, _Full) and the recovery of accounts. */
const EXPECTED_ERRORS: readonly string[] = Object.keys(CONTRACT_ERROR_CODES).filter((name) => !NOT_COMPARED.test(name))
const EXPECTED_EVENTS: readonly ChainEventBody['kind'][] = [
  ...([
    'SiteChanged',
    'StudyPublished',
    'StudyApproved',
    'StudyWithdrawn',
    'EpochPublished',
    'PolicySet',
    'RunOpened',
    'RoundOpened',
    'Charged',
    'Keyed',
    'Justified',
    'Contributed',
    'Abstained',
    'ContributingExtended',
  ] as const),
  ...(['PhaseBegan', 'Witnessed', 'Frozen', 'Published', 'Attested', 'PublicationDiscarded', 'Disputed', 'RoundClosed', 'RoundRefused', 'RoundVoid'] as const),
  ...(['RunStateChanged', 'SiteReady', 'ConsentRoot', 'ConsentWithdrawn', 'AuditEntry'] as const),
]
