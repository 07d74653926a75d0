import type { HardhatEthers } from '@nomicfoundation/hardhat-ethers/types'
import {
  type Contract,
  type ContractTransactionReceipt,
  type ContractTransactionResponse,
  concat,
  dataSlice,
  id as digestOf,
  type Interface,
  type Signer,
  sha256,
} from 'ethers'
import { network } from 'hardhat'

/** One hospital with its three accounts. */
export interface Hospital {
  readonly id: number
  readonly node: Signer
  readonly steward: Signer
  readonly recovery: Signer
}

export interface Limit {
  readonly seconds_: number
  readonly blocks: number
}

export interface Rules {
  readonly minSites: number
  readonly quorum: number
  readonly maxRounds: number
  readonly wordBits: number
  readonly slices: number
  readonly mode: number
  readonly exact: boolean
  readonly limits: readonly Limit[]
  readonly arithmeticVersion: string
}

/** What a transaction did: gas and its events by name, over all contracts. */
export interface Outcome {
  readonly gas: number
  readonly receipt: ContractTransactionReceipt
  readonly events: readonly SeenEvent[]
}

export interface SeenEvent {
  readonly name: string
  readonly args: Record<string, unknown>
}

export const PHASE = { Keying: 0, Contributing: 1, Witnessing: 2, Publishing: 3, Attesting: 4 } as const
export const STATE = { Active: 0, Paused: 1, Finished: 2, Halted: 3, Ended: 4 } as const
export const STATUS = { continue: 0, finished: 1, refused: 2, wrongSum: 3 } as const
export const NO_SITE = 65535
export const LIMIT = { seconds: 60, blocks: 40 } as const

export const connection = await network.create()
export const ethers: HardhatEthers = connection.ethers
export const helpers = connection.networkHelpers

/** A digest that reads well in a test. Deterministic, so that calldata costs the same in every run. */
export const digest = (label: string): string => digestOf(label)

export const bits = (...sites: readonly number[]): bigint => sites.reduce((set, site) => set | (1n << BigInt(site)), 0n)
const sitesOf = (set: bigint): readonly number[] => [...set.toString(2)].flatMap((bit, i, { length }) => (bit === '1' ? [length - 1 - i] : [])).reverse()

/** What a site keys with: root and CID. */
export const dealOf = (round: number, site: number): readonly [string, string] => [digest(`deal ${round} ${site}`), digest(`deal cid ${round} ${site}`)]

/** By which deals, and what the site hides of those below it. */
export const heldDeals = (site: number, round: number, holds: bigint, others = 0n): string =>
  concat(
    sitesOf(holds).flatMap((dealer) => [
      dataSlice(sha256(concat(others & bits(dealer) ? [digest(`another deal ${round} ${dealer}`), ZERO] : dealOf(round, dealer))), 0, 20),
      dealer < site ? `0x${'ab'.repeat(32)}` : '0x',
    ]),
  )

export const rulesFor = (sites: number, change: Partial<Rules> = {}): Rules => ({
  minSites: sites,
  quorum: Math.max(1, sites - 1),
  maxRounds: 5000,
  wordBits: 64,
  slices: 1,
  mode: 0,
  exact: true,
  limits: Array.from({ length: 5 }, () => ({ seconds_: LIMIT.seconds, blocks: LIMIT.blocks })),
  arithmeticVersion: digest('arithmetic'),
  ...change,
})

export const details = async (h: Omit<Hospital, 'id'>, name: string) => ({
  name,
  node: await h.node.getAddress(),
  steward: await h.steward.getAddress(),
  recovery: await h.recovery.getAddress(),
  peerId: `12D3KooW${name}`,
  encryptionKey: digest(`key of ${name}`),
  multiaddrs: [`/dns4/${name}/tcp/443/wss`],
})

/** A network with its contracts and, unless told otherwise, nothing in them but founders. */
export class World {
  readonly hospitals: readonly Hospital[]
  readonly spare: readonly Signer[]
  readonly sites: Contract
  readonly studies: Contract
  readonly rounds: Contract
  readonly ledger: Contract
  readonly privacy: Contract
  readonly consents: Contract
  readonly audits: Contract
  readonly directory: Contract

  private constructor(
    hospitals: readonly Hospital[],
    spare: readonly Signer[],
    c: Record<'sites' | 'studies' | 'rounds' | 'ledger' | 'privacy' | 'consents' | 'audits' | 'directory', Contract>,
  ) {
    this.hospitals = hospitals
    this.spare = spare
    this.sites = c.sites
    this.studies = c.studies
    this.rounds = c.rounds
    this.ledger = c.ledger
    this.privacy = c.privacy
    this.consents = c.consents
    this.audits = c.audits
    this.directory = c.directory
  }

  static async deploy(count: number): Promise<World> {
    const signers = await ethers.getSigners()
    const hospitals = Array.from({ length: count }, (_, i) => hospital(i, signers.slice(3 * i, 3 * i + 3)))
    const founders = await Promise.all(hospitals.map((h) => details(h, `hospital-${h.id}`)))
    const sites = await ethers.deployContract('SiteRegistry', [founders])
    const studies = await ethers.deployContract('StudyRegistry', [sites])
    const rounds = await ethers.deployContract('RoundCoordinator', [sites, studies])
    const ledger = await ethers.getContractAt('ModelLedger', String(await read(rounds, 'ledger')))
    const privacy = await ethers.getContractAt('PrivacyLedger', String(await read(rounds, 'privacy')))
    const consents = await ethers.deployContract('ConsentRegistry', [sites])
    const audits = await ethers.deployContract('AuditLog', [sites])
    const directory = await ethers.deployContract('RotaDirectory', [rounds, consents, audits])
    return new World(hospitals, signers.slice(3 * count), { sites, studies, rounds, ledger, privacy, consents, audits, directory })
  }

  /** A study that all hospitals approved, with epoch 0 of its keys. */
  async study(change: Partial<Rules> = {}): Promise<number> {
    const first = this.hospital(0)
    await this.send(first.node, this.studies, 'publish', digest('protocol'), digest('protocol cid'), rulesFor(this.hospitals.length, change))
    const study = Number(await read(this.studies, 'studyCount'))
    for (const h of this.hospitals) await this.send(h.steward, this.studies, 'approve', study, digest('protocol'))
    await this.send(first.node, this.studies, 'publishEpoch', study, 0, digest('commitment'), digest('bundle'))
    return study
  }

  /** A run with its first round open. */
  async run(change: Partial<Rules> = {}): Promise<RunDriver> {
    const study = await this.study(change)
    return this.openRun(study)
  }

  async openRun(study: number, site = 0): Promise<RunDriver> {
    await this.send(this.hospital(site).node, this.rounds, 'openRun', study, digest('model 0'), digest('model cid 0'))
    return new RunDriver(this, Number(await read(this.rounds, 'runCount')), study)
  }

  hospital(i: number): Hospital {
    const h = this.hospitals[i]
    if (h === undefined) throw new RangeError(`no hospital ${i}`)
    return h
  }

  /** Sends and waits; throws with the contract's error as ethers reads it. */
  async send(from: Signer, contract: Contract, method: string, ...args: readonly unknown[]): Promise<Outcome> {
    const tx: ContractTransactionResponse = await connect(contract, from)
      .getFunction(method)
      .send(...args)
    const receipt = await tx.wait()
    if (receipt === null) throw new Error('not mined')
    return { gas: Number(receipt.gasUsed), receipt, events: this.seen(receipt) }
  }

  private seen(receipt: ContractTransactionReceipt): SeenEvent[] {
    const all: Interface[] = [this.rounds, this.sites, this.studies, this.ledger, this.privacy, this.consents, this.audits].map((c) => c.interface)
    return receipt.logs.map((log) => {
      for (const iface of all) {
        const event = iface.parseLog(log)
        if (event !== null) return { name: event.name, args: event.args.toObject() }
      }
      throw new Error('an event that no contract declares')
    })
  }
}

const hospital = (id: number, signers: readonly Signer[]): Hospital => {
  const [node, steward, recovery] = signers
  if (node === undefined || steward === undefined || recovery === undefined) throw new RangeError('too few accounts')
  return { id, node, steward, recovery }
}

export const connect = (contract: Contract, signer: Signer): Contract => contract.connect(signer) as Contract

export const read = async (contract: Contract, method: string, ...args: readonly unknown[]): Promise<unknown> =>
  contract.getFunction(method).staticCall(...args)

const hashOf = async (block: bigint): Promise<string> => String((await ethers.provider.getBlock(Number(block)))?.hash)

/** Lets a limit pass, in seconds and in blocks; nobody calls meanwhile. */
export const pass = (thirds = 3): Promise<void> =>
  helpers.mine(Math.ceil((LIMIT.blocks * thirds) / 3) + 1, { interval: Math.ceil(LIMIT.seconds / LIMIT.blocks) })

/** One run, called as its sites would. */
export class RunDriver {
  readonly world: World
  readonly run: number
  readonly study: number

  constructor(world: World, run: number, study: number) {
    this.world = world
    this.run = run
    this.study = study
  }

  send(site: number, method: string, ...args: readonly unknown[]): Promise<Outcome> {
    return this.world.send(this.world.hospital(site).node, this.world.rounds, method, this.run, ...args)
  }

  /** On any history, or on that of this block: of the opening, or of a masked study that in which the phase began. */
  contribute(site: number, round: number, opening = ZERO): Promise<Outcome> {
    return this.send(site, 'contribute', round, digest(`root ${round} ${site}`), digest(`cid ${round} ${site}`), digest(`cohort ${site}`), opening)
  }

  /** Of masked studies: the site's shares are out, and it holds everybody's, or these; of `others` among them it says that it holds another deal. */
  key(site: number, round: number, holds = this.allBut(site), others = 0n): Promise<Outcome> {
    return this.send(site, 'key', round, ...dealOf(round, site), holds, heldDeals(site, round, holds, others))
  }

  /** What it dealt to those who do not hold its deal, or nothing; on any history, or on that of this block. */
  justify(site: number, round: number, justification = '0x', began = ZERO): Promise<Outcome> {
    return this.send(site, 'justify', round, began, justification)
  }

  allBut(...sites: readonly number[]): bigint {
    return bits(...this.world.hospitals.map((h) => h.id).filter((id) => !sites.includes(id)))
  }

  /** Hash of the block in which the current round opened. */
  async opening(): Promise<string> {
    return hashOf((await this.view()).round.openedAtBlock)
  }

  /** Hash of the block in which its phase began, or began anew. */
  async began(): Promise<string> {
    return hashOf((await this.view()).round.sinceBlock)
  }

  abstain(site: number, round: number, reason = 1): Promise<Outcome> {
    return this.send(site, 'abstain', round, reason)
  }

  witness(site: number, round: number, held: bigint, slice = 0): Promise<Outcome> {
    return this.send(site, 'witness', round, slice, held)
  }

  publish(site: number, round: number, attempt = 0): Promise<Outcome> {
    return this.send(site, 'publish', round, attempt, digest(`sum ${round} ${attempt}`), digest(`sum cid ${round} ${attempt}`))
  }

  attest(site: number, round: number, status: number = STATUS.continue, attempt = 0, label = 'model'): Promise<Outcome> {
    const [root, cid] = status === STATUS.wrongSum ? [ZERO, ZERO] : [digest(`${label} ${round} ${status}`), digest(`${label} cid ${round} ${status}`)]
    return this.send(site, 'attest', round, attempt, root, cid, status, digest(`own ${site}`))
  }

  tick(): Promise<Outcome> {
    return this.send(0, 'tick')
  }

  /** Contributions of these sites, then bitmaps of the custodians that are needed. */
  async freeze(round: number, contributors: readonly number[], custodians: readonly number[]): Promise<void> {
    for (const site of contributors) await this.contribute(site, round)
    for (const site of custodians) await this.witness(site, round, bits(...contributors))
  }

  /** A whole round in which everybody does its duty; site `leader` publishes. */
  async round(round: number, leader: number, status: number = STATUS.continue): Promise<void> {
    const n = this.world.hospitals.length
    const all = Array.from({ length: n }, (_, i) => i)
    await this.freeze(round, all, [...new Set([leader, (leader + 1) % n])])
    await this.publish(leader, round)
    for (const site of all) await this.attest(site, round, status)
  }

  async view(round?: number): Promise<ViewOfRun> {
    const { rounds } = this.world
    return (round === undefined ? await read(rounds, 'run', this.run) : await read(rounds, 'runAt', this.run, round)) as ViewOfRun
  }
}

export const ZERO = `0x${'00'.repeat(32)}`

/** As ethers returns RunView: named tuples of bigints. */
export interface ViewOfRun {
  readonly run: bigint
  readonly study: bigint
  readonly state: bigint
  readonly modelRoot: string
  readonly modelCid: string
  readonly closedRounds: bigint
  readonly voidsInARow: bigint
  readonly ready: bigint
  readonly round: {
    readonly round: bigint
    readonly phase: bigint
    readonly attempt: bigint
    readonly rota: bigint
    readonly turn: bigint
    readonly leader: bigint
    readonly openedAtBlock: bigint
    readonly epoch: bigint
    readonly sinceBlock: bigint
    readonly sinceTimestamp: bigint
    readonly awaited: bigint
    readonly contributed: bigint
    readonly abstained: bigint
    readonly custodianPlaces: readonly bigint[]
    readonly witnessed: readonly bigint[]
    readonly included: bigint
    readonly firstPlace: bigint
    readonly publications: bigint
    readonly publisher: bigint
    readonly sumRoot: string
    readonly sumCid: string
    readonly attested: bigint
    readonly accumulator: string
    readonly extended: boolean
    readonly keyed: bigint
    readonly justifying: boolean
    readonly justified: bigint
    readonly threshold: bigint
  }
}
