import { type Call, ContractError, PROPOSAL_KINDS } from '#adapters/sim/chain/call.ts'
import { SimChain, type SimContracts } from '#adapters/sim/chain/chain.ts'
import type { SiteDetails } from '#adapters/sim/chain/sites.ts'
import { SimRandom } from '#adapters/sim/random.ts'
import { SimTime } from '#adapters/sim/time.ts'
import { fromHex } from '#base/bytes.ts'
import { type Address, type Attempt, type Bitmap, type Digest, digest, type RoundNo, type RunId, type SiteId, type StudyId } from '#base/ids.ts'
import type { EvidenceBytes } from '#core/commit/dispute-parts.ts'
import { ATTEST_STATUSES, type ChainEvent, LAWFUL_BASES, type RelayedWithdrawal, type StudyRules, type TermsOnChain } from '#ports/chain.ts'
import type { Act, Outcome } from './act.ts'

/** The chain in memory, brought to the same block and time as the other side. */
export class SimSide {
  readonly chain: SimChain

  constructor(founders: readonly SiteDetails[], at: { readonly number: number; readonly timestamp: number }, chainId: bigint, consentRegistry: Address) {
    const time = new SimTime((at.timestamp - at.number) * 1000)
    this.chain = new SimChain(founders, time, new SimRandom('differential'), { chainId, consentRegistry })
    this.chain.advance(at.number - 1, at.number - 1)
  }

  act(act: Act): Outcome {
    const method = METHODS[`${act.contract}.${act.method}`]
    if (method === undefined) throw new Error(`the simulator has no ${act.contract}.${act.method}`)
    try {
      this.chain.ledger.transact(act.sender, (call) => method(this.chain.contracts, call, act.args))
      return null
    } catch (error) {
      if (!(error instanceof ContractError)) throw error
      return { error: error.error, details: error.details }
    }
  }

  events(fromBlock: number): readonly ChainEvent[] {
    return this.chain.ledger.eventsFrom(fromBlock)
  }
}

type Args = readonly unknown[]
type Method = (contracts: SimContracts, call: Call, args: Args) => unknown

const run = (args: Args) => args[0] as RunId
const round = (args: Args) => args[1] as RoundNo
const at = (args: Args, i: number) => digest(String(args[i]))

const METHODS: Readonly<Record<string, Method>> = {
  'RoundCoordinator.openRun': ({ coordinator }, call, a) => coordinator.openRun(call, a[0] as StudyId, { root: at(a, 1), cid: at(a, 2) }),
  'PrivacyLedger.setPolicy': ({ privacy }, call, a) => privacy.setPolicy(call, a[0] as StudyId, { charge: a[1] as bigint, limit: a[2] as bigint }),
  'PrivacyLedger.charge': ({ privacy }, call, a) => privacy.charge(call, run(a), round(a), at(a, 2)),
  'RoundCoordinator.key': ({ coordinator }, call, a) =>
    coordinator.key(call, run(a), round(a), { dealDigest: at(a, 2), dealCid: at(a, 3), holds: a[4] as Bitmap, heldDeals: String(a[5]) }),
  'RoundCoordinator.justify': ({ coordinator }, call, a) => coordinator.justify(call, run(a), round(a), String(a[3]), at(a, 2)),
  'RoundCoordinator.contribute': ({ coordinator }, call, a) =>
    coordinator.contribute(call, run(a), round(a), { root: at(a, 2), cid: at(a, 3), cohortRoot: at(a, 4), opening: at(a, 5) }),
  'RoundCoordinator.abstain': ({ coordinator }, call, a) => coordinator.abstain(call, run(a), round(a), a[2] as number),
  'RoundCoordinator.extend': ({ coordinator }, call, a) => coordinator.extend(call, run(a), round(a)),
  'RoundCoordinator.witness': ({ coordinator }, call, a) => coordinator.witness(call, run(a), round(a), a[2] as number, a[3] as Bitmap),
  'RoundCoordinator.publish': ({ coordinator }, call, a) => coordinator.publish(call, run(a), round(a), a[2] as Attempt, at(a, 3), at(a, 4)),
  'RoundCoordinator.attest': ({ coordinator }, call, a) =>
    coordinator.attest(call, run(a), round(a), a[2] as Attempt, { root: at(a, 3), cid: at(a, 4) }, ATTEST_STATUSES[a[5] as number] as 'continue', at(a, 6)),
  'RoundCoordinator.dispute': ({ coordinator }, call, a) =>
    coordinator.dispute(call, run(a), round(a), { evidence: evidenceOf(a[2] as AbiEvidence), done: 0, partialSum: new Uint8Array(0) }),
  'RoundCoordinator.disputePart': ({ coordinator }, call, a) =>
    coordinator.dispute(call, run(a), round(a), { evidence: evidenceOf(a[2] as AbiEvidence), done: a[3] as number, partialSum: fromHex(String(a[4])) }),
  'RoundCoordinator.tick': ({ coordinator }, call, a) => coordinator.tick(call, run(a)),
  'RoundCoordinator.ready': ({ coordinator }, call, a) => coordinator.ready(call, run(a)),
  'RoundCoordinator.halt': ({ coordinator }, call, a) => coordinator.halt(call, run(a), a[1] as number),

  'StudyRegistry.publish': ({ studies }, call, a) => studies.publish(call, at(a, 0), at(a, 1), rulesOf(a[2] as AbiRules)),
  'StudyRegistry.approve': ({ studies }, call, a) => studies.approve(call, a[0] as StudyId, at(a, 1)),
  'StudyRegistry.withdrawSite': ({ studies }, call, a) => studies.withdrawSite(call, a[0] as StudyId),
  'StudyRegistry.publishEpoch': ({ studies }, call, a) => studies.publishEpoch(call, a[0] as StudyId, a[1] as number, at(a, 2), at(a, 3)),
  'StudyRegistry.reportEpoch': ({ studies }, call, a) => studies.reportEpoch(call, a[0] as StudyId, a[1] as number),

  'SiteRegistry.requestAdmission': ({ sites }, call, a) => sites.requestAdmission(call, a[0] as SiteDetails),
  'SiteRegistry.propose': ({ sites }, call, a) => sites.propose(call, PROPOSAL_KINDS[a[0] as number] as 'suspend', a[1] as SiteId),
  'SiteRegistry.resign': ({ sites }, call, a) => sites.resign(call, a[0] as SiteId),
  'SiteRegistry.rotateNode': ({ sites }, call, a) => sites.rotateNode(call, a[0] as SiteId, a[1] as Address),
  'SiteRegistry.rotateSteward': ({ sites }, call, a) => sites.rotateSteward(call, a[0] as SiteId, a[1] as Address),
  'SiteRegistry.vote': ({ sites }, call, a) => sites.vote(call, a[0] as number, a[1] as boolean),

  'ConsentRegistry.setRoot': ({ consents }, call, a) => consents.setRoot(call, at(a, 0), a[1] as number, at(a, 2)),
  'ConsentRegistry.withdraw': ({ consents }, call, a) => consents.withdraw(call, at(a, 0), at(a, 1), a[2] as Address, String(a[3])),
  'ConsentRegistry.publishTerms': ({ consents }, call, a) => consents.publishTerms(call, at(a, 0), termsOf(a[1] as AbiTerms)),
  'ConsentRegistry.withdrawMany': ({ consents }, call, a) => consents.withdrawMany(call, at(a, 0), (a[1] as readonly AbiWithdrawal[]).map(relayedOf)),
  'ConsentRegistry.withdrawByOmbudsman': ({ consents }, call, a) => consents.withdrawByOmbudsman(call, at(a, 0), at(a, 1), String(a[2])),
  'AuditLog.record': ({ audits }, call, a) => audits.record(call, a[0] as number, at(a, 1)),
}

/** Terms as the contract's ABI has them. */
type AbiTerms = Omit<TermsOnChain, 'basis' | 'ombudsman'> & { readonly basis: number; readonly ombudsman: Address }

const termsOf = ({ basis, ombudsman, ...terms }: AbiTerms): TermsOnChain => ({
  ...terms,
  basis: LAWFUL_BASES[basis] as 'consent',
  ombudsman: BigInt(ombudsman) === 0n ? null : ombudsman,
})

interface AbiWithdrawal extends Pick<RelayedWithdrawal, 'blind' | 'patientKey'> {
  readonly r: Digest
  readonly vs: Digest
}

const relayedOf = ({ blind, patientKey, r, vs }: AbiWithdrawal): RelayedWithdrawal => {
  const parity = BigInt(vs) >> 255n
  const s = (BigInt(vs) & ((1n << 255n) - 1n)).toString(16).padStart(64, '0')
  return { blind, patientKey, signature: `${r}${s}${parity === 1n ? '1c' : '1b'}` }
}

/** Evidence as the contract's ABI has it: bytes as hex. */
type AbiEvidence = { readonly [K in keyof EvidenceBytes]: EvidenceBytes[K] extends number ? number : string }

const evidenceOf = ({ leaf, leaves, contributions, updates, sum }: AbiEvidence): EvidenceBytes => ({
  ...{ leaf, leaves },
  contributions: fromHex(contributions),
  updates: fromHex(updates),
  sum: fromHex(sum),
})

/** StudyRules as the contract's ABI has it. */
export type AbiRules = Omit<StudyRules, 'mode' | 'limits' | 'arithmeticVersion'> & {
  readonly mode: number
  readonly limits: readonly { readonly seconds_: number; readonly blocks: number }[]
  readonly arithmeticVersion: Digest
}

const rulesOf = (rules: AbiRules): StudyRules => ({
  ...rules,
  mode: (['open', 'masked', 'groups'] as const)[rules.mode] as 'open',
  limits: rules.limits.map((limit) => ({ seconds: limit.seconds_, blocks: limit.blocks })),
})
