import { digestOf } from '#adapters/sim/hash.ts'
import type { SimRandom } from '#adapters/sim/random.ts'
import type { Address, Digest, RoundNo, RunId, SiteId } from '#base/ids.ts'
import type { RunView, SiteRecord, StudyRecord } from '#ports/chain.ts'
import type { Act } from './act.ts'
import type { SimSide } from './sim-side.ts'

/** What a sequence is like: how often its steps go wrong, let time pass, or change who belongs. */
export interface Temper {
  readonly wrong: number
  readonly time: number
  readonly members: number
  readonly others: number
  /** Probability that whoever is to publish lets a third of the limit pass. */
  readonly late: number
  /** Probability that then nobody publishes, to the end of the limit. */
  readonly vain: number
  /** Probability of an attestation of a round that is about to leave the ring. */
  readonly old: number
  /** Probability that a publication meets with agreement; else with one of `dissent`. */
  readonly agreement: number
  readonly dissent: readonly Verdict[]
}

const CALM: Temper = {
  wrong: 0.01,
  time: 0.02,
  members: 0.01,
  others: 0,
  late: 0.15,
  vain: 0,
  old: 0.04,
  agreement: 0.95,
  dissent: ['refused', 'wrongSum', 'split', 'torn'],
}
/** Leaders miss their turns, so that they are passed over and forgiven. */
const SLOW: Temper = { ...CALM, wrong: 0, time: 0, members: 0, old: 0, late: 0.45, agreement: 1 }
/** Every publication is disbelieved, until they are spent. */
const DISBELIEVING: Temper = { ...CALM, time: 0, members: 0, late: 0, agreement: 0, dissent: ['wrongSum', 'wrongSum', 'wrongSum', 'split'] }
/** What is frozen often comes to nothing, so that deep rounds follow. */
export const VAIN: Temper = { ...CALM, wrong: 0, members: 0, time: 0.15, late: 0.35, vain: 0.9, agreement: 1 }
/** Of masked rounds whose deals not all hold, so that they are justified by all or, at the limit, by some. */
export const DIFFERING: Temper = { ...CALM, wrong: 0.03, members: 0.02, late: 0, old: 0, agreement: 1 }
/** Long, so that turns come round again and again. */
const STEADY: readonly Temper[] = [CALM, SLOW, DISBELIEVING]
const LONG: readonly Temper[] = [...STEADY, VAIN, DIFFERING]

const moody = (random: SimRandom): Temper => ({
  wrong: random.pick([0, 0.05, 0.15, 0.3]),
  time: random.pick([0, 0.03, 0.08, 0.25]),
  members: random.pick([0, 0, 0.04, 0.15, 0.4]),
  others: random.pick([0, 0.03, 0.15]),
  late: random.pick([0, 0.1, 0.3]),
  vain: 0,
  old: 0,
  agreement: random.pick([1, 0.9, 0.5, 0]),
  dissent: ['refused', 'wrongSum', 'split', 'torn', 'torn'],
})

/** What the next step is drawn from. Reads the simulator's state only, so that both sides get the same steps. */
export class Scene {
  readonly sim: SimSide
  readonly random: SimRandom
  /** For what is drawn besides: the other steps do not depend on it. */
  readonly apart: SimRandom
  /** For deals that sites say they hold, and what they show of their own. */
  readonly deals: SimRandom
  readonly temper: Temper
  /** Accounts that belong to no founder: strangers, candidates, patients. */
  readonly spare: readonly Address[]
  readonly patients: readonly Patient[]
  readonly done: Act[] = []
  /** Published sums of masked vectors by their roots, and how far each dispute in parts has come. */
  readonly sums = new Map<string, Uint8Array>()
  readonly parts = new Map<string, number>()
  /** Blocks in which rounds opened and phases began, as far as calls name them, by their hash on the simulator's side. */
  readonly blocks = new Map<unknown, number>()
  readonly #verdicts = new Map<string, Verdict>()
  readonly #differing = new Map<string, boolean>()
  #names = 0

  constructor(sim: SimSide, random: SimRandom, spare: readonly Address[], patients: readonly Patient[], temper?: Temper) {
    this.sim = sim
    this.random = random
    this.apart = random.fork('apart')
    this.deals = random.fork('deals')
    this.spare = spare
    this.patients = patients
    this.temper = temper ?? (random.chance(0.15) ? random.pick(STEADY) : moody(random))
  }

  /** After the opening. */
  get steps(): number {
    return LONG.includes(this.temper) ? 100 : this.random.pick([20, 25, 30, 40])
  }

  get sites(): readonly SiteRecord[] {
    return this.sim.chain.sites()
  }

  get runs(): number {
    return this.sim.chain.contracts.coordinator.runs.length
  }

  get studies(): number {
    return this.sim.chain.contracts.studies.count
  }

  /** Contributions of a round in order of arrival. */
  arrivals(run: RunId, round: RoundNo): readonly { readonly site: SiteId; readonly root: Digest }[] {
    const events = this.sim.chain.ledger.eventsFrom(0)
    return events.flatMap((e) => (e.kind === 'Contributed' && e.run === run && e.round === round ? [{ site: e.site, root: e.root }] : []))
  }

  /** Mostly the last run. */
  run(): RunView {
    const { random } = this
    return this.sim.chain.run((random.chance(0.85) ? this.runs : random.int(1, this.runs)) as RunView['run'])
  }

  study(): StudyRecord {
    const { random } = this
    return this.sim.chain.study((random.chance(0.85) ? 1 : random.int(1, this.studies)) as StudyRecord['id'])
  }

  node(site: SiteId): Address {
    return (this.sites[site] as SiteRecord).node
  }

  anySite(): SiteRecord {
    return this.random.pick(this.sites)
  }

  /** Mostly a node, at times another account of a site, or nobody's. */
  anyAccount(): Address {
    const site = this.anySite()
    return this.random.chance(0.8) ? site.node : this.random.pick([site.steward, site.recovery, ...this.spare])
  }

  digest(label: string): Digest {
    return digestOf(label, this.#names++)
  }

  /** Whether some say that they hold other deals than the rest: drawn once a round. Not where it is about what comes after the freeze. */
  dealsDiffer(round: string): boolean {
    const known = this.#differing.get(round) ?? (this.temper !== VAIN && this.deals.chance(this.temper === DIFFERING ? 0.9 : 0.6))
    this.#differing.set(round, known)
    return known
  }

  /** What sites make of a publication: drawn once for all of them. */
  verdict(key: string): Verdict {
    const known = this.#verdicts.get(key)
    if (known !== undefined) return known
    const { agreement, dissent } = this.temper
    const verdict = this.random.chance(agreement)
      ? this.random.pick(['continue', 'continue', 'continue', 'continue', 'finished'] as const)
      : this.random.pick(dissent)
    this.#verdicts.set(key, verdict)
    return verdict
  }
}

/** torn: between a result and a refusal. */
export type Verdict = 'continue' | 'finished' | 'refused' | 'wrongSum' | 'split' | 'torn'

/** A patient's one-time key with a withdrawal signed in advance. */
export interface Patient {
  readonly key: Address
  /** Whether its account can send transactions itself. */
  readonly sends: boolean
  readonly programme: Digest
  readonly blind: Digest
  readonly signature: string
  readonly tag: Digest
  /** The ombudsman's over the same withdrawal. */
  readonly byOmbudsman: string
}
