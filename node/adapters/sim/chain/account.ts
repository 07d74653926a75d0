import { type Address, type Attempt, address, type Bitmap, type Digest, type RoundNo, type RunId, type SiteId, type StudyId, studyId } from '#base/ids.ts'
import type { DisputeEvidence } from '#core/commit/dispute.ts'
import { partsOf } from '#core/commit/dispute-parts.ts'
import {
  ABSTAIN_REASONS,
  type AbstainReason,
  type AttestStatus,
  type Chain,
  type ChainEvent,
  type ChainEventBody,
  type EpochRecord,
  type Head,
  type ModelRef,
  type PrivacyPolicy,
  type RelayedWithdrawal,
  type RunState,
  type RunView,
  type SiteRecord,
  type StudyRecord,
  type StudyRules,
  type TermsOnChain,
} from '#ports/chain.ts'
import type { Call, ProposalKind } from './call.ts'
import type { SimChain, SimContracts } from './chain.ts'
import { asRotaError } from './ledger.ts'
import type { SiteDetails } from './sites.ts'

/** Any address will do, as long as it is always the same. */
const COORDINATOR = address(`0x${'5c'.repeat(20)}`)

/** The simulated chain for one account: the port, and what stewards and candidates do. */
export class SimAccount implements Chain {
  readonly account: Address
  readonly chainId: bigint
  readonly genesis: Digest
  readonly coordinator = COORDINATOR
  readonly #chain: SimChain
  readonly #stops: (() => void)[] = []

  constructor(chain: SimChain, account: Address) {
    this.#chain = chain
    this.account = account
    this.chainId = chain.chainId
    this.genesis = chain.ledger.genesis
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop()
  }

  async head(): Promise<Head> {
    return this.#chain.head()
  }

  async sites(): Promise<readonly SiteRecord[]> {
    return this.#chain.sites()
  }

  study(study: StudyId): Promise<StudyRecord> {
    return this.#read(() => this.#chain.study(study))
  }

  async studies(): Promise<readonly StudyRecord[]> {
    const { studies } = this.#chain.contracts
    return this.#chain.answer('studies', () => Array.from({ length: studies.count }, (_, i) => this.#chain.study(studyId(i + 1))))
  }

  async runs(): Promise<readonly { readonly run: RunId; readonly study: StudyId; readonly state: RunState }[]> {
    return this.#chain.answer('runs', () => this.#chain.contracts.coordinator.runs.map(({ id, study, state }) => ({ run: id, study, state })))
  }

  run(run: RunId): Promise<RunView> {
    return this.#read(() => this.#chain.run(run))
  }

  epoch(study: StudyId, epoch: number): Promise<EpochRecord> {
    return this.#read(() => this.#chain.contracts.studies.epochOf(study, epoch))
  }

  async policy(study: StudyId): Promise<PrivacyPolicy | null> {
    return this.#chain.contracts.privacy.policyOf(study)
  }

  async spent(site: SiteId, dataset: Digest): Promise<bigint> {
    return this.#chain.contracts.privacy.spentOf(site, dataset)
  }

  async isWithdrawn(programme: Digest, tag: Digest): Promise<boolean> {
    return this.#chain.contracts.consents.isWithdrawn(programme, tag)
  }

  async events(from: number, filter: { readonly run?: RunId; readonly kinds?: readonly ChainEventBody['kind'][] } = {}): Promise<readonly ChainEvent[]> {
    const { run, kinds } = filter
    const ofRun = (event: ChainEvent) => run === undefined || ('run' in event && event.run === run)
    const wanted = () => this.#chain.ledger.eventsFrom(from).filter((event) => ofRun(event) && (kinds?.includes(event.kind) ?? true))
    return this.#chain.answer(`events/${from}/${run}/${kinds?.join()}`, wanted)
  }

  onChange(wake: () => void): () => void {
    const stop = this.#chain.onChange(wake)
    this.#stops.push(stop)
    return stop
  }

  openRun(study: StudyId, model: ModelRef): Promise<RunId> {
    return this.#send((call, { coordinator }) => coordinator.openRun(call, study, model))
  }

  key(run: RunId, round: RoundNo, dealDigest: Digest, dealCid: Digest, holds: Bitmap, heldDeals: string): Promise<void> {
    return this.#send((call, { coordinator }) => coordinator.key(call, run, round, { dealDigest, dealCid, holds, heldDeals }))
  }

  justify(run: RunId, round: RoundNo, justification: string, began?: Digest): Promise<void> {
    return this.#send((call, { coordinator }) => coordinator.justify(call, run, round, justification, began))
  }

  charge(run: RunId, round: RoundNo, dataset: Digest): Promise<void> {
    return this.#send((call, { privacy }) => privacy.charge(call, run, round, dataset))
  }

  contribute(run: RunId, round: RoundNo, root: Digest, cid: Digest, cohortRoot: Digest, opening?: Digest): Promise<void> {
    return this.#send((call, { coordinator }) => coordinator.contribute(call, run, round, { root, cid, cohortRoot, opening }))
  }

  abstain(run: RunId, round: RoundNo, reason: AbstainReason): Promise<void> {
    return this.#send((call, { coordinator }) => coordinator.abstain(call, run, round, ABSTAIN_REASONS.indexOf(reason)))
  }

  extend(run: RunId, round: RoundNo): Promise<void> {
    return this.#send((call, { coordinator }) => coordinator.extend(call, run, round))
  }

  witness(run: RunId, round: RoundNo, slice: number, held: Bitmap): Promise<void> {
    return this.#send((call, { coordinator }) => coordinator.witness(call, run, round, slice, held))
  }

  publish(run: RunId, round: RoundNo, attempt: Attempt, sumRoot: Digest, sumCid: Digest): Promise<void> {
    return this.#send((call, { coordinator }) => coordinator.publish(call, run, round, attempt, sumRoot, sumCid))
  }

  attest(run: RunId, round: RoundNo, attempt: Attempt, model: ModelRef, status: AttestStatus, own: Digest): Promise<void> {
    return this.#send((call, { coordinator }) => coordinator.attest(call, run, round, attempt, model, status, own))
  }

  async dispute(run: RunId, round: RoundNo, evidence: DisputeEvidence): Promise<void> {
    for (const part of partsOf(evidence)) await this.#send((call, { coordinator }) => coordinator.dispute(call, run, round, part))
  }

  tick(run: RunId): Promise<void> {
    return this.#send((call, { coordinator }) => coordinator.tick(call, run))
  }

  ready(run: RunId): Promise<void> {
    return this.#send((call, { coordinator }) => coordinator.ready(call, run))
  }

  halt(run: RunId, reason: AbstainReason): Promise<void> {
    return this.#send((call, { coordinator }) => coordinator.halt(call, run, ABSTAIN_REASONS.indexOf(reason)))
  }

  publishEpoch(study: StudyId, epoch: number, commitment: Digest, bundle: Digest): Promise<void> {
    return this.#send((call, { studies }) => studies.publishEpoch(call, study, epoch, commitment, bundle))
  }

  reportEpoch(study: StudyId, epoch: number): Promise<void> {
    return this.#send((call, { studies }) => studies.reportEpoch(call, study, epoch))
  }

  publishTerms(programme: Digest, terms: TermsOnChain): Promise<void> {
    return this.#send((call, { consents }) => consents.publishTerms(call, programme, terms))
  }

  consentRoot(programme: Digest, epoch: number, root: Digest): Promise<void> {
    return this.#send((call, { consents }) => consents.setRoot(call, programme, epoch, root))
  }

  withdraw(programme: Digest, blind: Digest, patientKey: Address, signature: string): Promise<void> {
    return this.#send((call, { consents }) => consents.withdraw(call, programme, blind, patientKey, signature))
  }

  async withdrawMany(programme: Digest, withdrawals: readonly RelayedWithdrawal[]): Promise<readonly Digest[]> {
    return withdrawals.length === 0 ? [] : this.#send((call, { consents }) => consents.withdrawMany(call, programme, withdrawals))
  }

  withdrawByOmbudsman(programme: Digest, tag: Digest, signature: string | null): Promise<void> {
    return this.#send((call, { consents }) => consents.withdrawByOmbudsman(call, programme, tag, signature ?? '0x'))
  }

  audit(category: number, subject: Digest): Promise<void> {
    return this.#send((call, { audits }) => audits.record(call, category, subject))
  }

  /** What a publisher's node and the stewards do. */
  studyDesk() {
    return {
      publish: (protocolDigest: Digest, protocolCid: Digest, rules: StudyRules): Promise<StudyId> =>
        this.#send((call, { studies }) => studies.publish(call, protocolDigest, protocolCid, rules)),
      setPolicy: (study: StudyId, policy: PrivacyPolicy): Promise<void> => this.#send((call, { privacy }) => privacy.setPolicy(call, study, policy)),
      approve: (study: StudyId, protocolDigest: Digest): Promise<void> => this.#send((call, { studies }) => studies.approve(call, study, protocolDigest)),
      withdrawSite: (study: StudyId): Promise<void> => this.#send((call, { studies }) => studies.withdrawSite(call, study)),
    }
  }

  /** What candidates and voting members do. */
  membership() {
    return {
      requestAdmission: (details: SiteDetails): Promise<number> => this.#send((call, { sites }) => sites.requestAdmission(call, details)),
      propose: (kind: ProposalKind, subject: SiteId): Promise<number> => this.#send((call, { sites }) => sites.propose(call, kind, subject)),
      resign: (site: SiteId): Promise<void> => this.#send((call, { sites }) => sites.resign(call, site)),
      rotateNode: (site: SiteId, account: Address): Promise<void> => this.#send((call, { sites }) => sites.rotateNode(call, site, account)),
      rotateSteward: (site: SiteId, account: Address): Promise<void> => this.#send((call, { sites }) => sites.rotateSteward(call, site, account)),
      vote: (proposal: number, support: boolean): Promise<void> => this.#send((call, { sites }) => sites.vote(call, proposal, support)),
    }
  }

  async #read<T>(look: () => T): Promise<T> {
    try {
      return look()
    } catch (error) {
      throw asRotaError(error)
    }
  }

  async #send<T>(act: (call: Call, contracts: SimContracts) => T): Promise<T> {
    try {
      return await this.#chain.mine(this.account, (call) => act(call, this.#chain.contracts))
    } catch (error) {
      throw asRotaError(error)
    }
  }
}
