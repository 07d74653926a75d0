import { bitmapOf, EMPTY, has, sizeOf, withSite } from '#base/bitmap.ts'
import { type Attempt, type Bitmap, type Digest, type RoundNo, type RunId, runId, type SiteId, type StudyId, ZERO_DIGEST } from '#base/ids.ts'
import { HIDDEN_BYTES, heldIn, type KeyedSite, NAME_BYTES, nameOfDeal } from '#core/masking/held-deals.ts'
import type { AttestStatus, ChainEvent, ModelRef, Phase, StudyRules } from '#ports/chain.ts'
import { sha256 } from '../hash.ts'
import { accumulate } from './accumulator.ts'
import { countOf, without } from './bits.ts'
import { type Call, revert } from './call.ts'
import { isCustodian, recordWitness } from './custodians.ts'
import { type Charge, disputed } from './disputing.ts'
import { thirdsPassed } from './limits.ts'
import { firstRound, tellOpening } from './opening.ts'
import { placeOf, type Round, type Run, roundOf } from './round.ts'
import { changeState } from './state.ts'
import { afterAttestation, afterContributing, afterKeying, afterPublication, afterWitness, endPause, type Membership, stepAtLimit } from './steps.ts'
import { count } from './tally.ts'

export interface Studies extends Membership {
  rulesOf(study: StudyId): StudyRules
}

/** What the coordinator asks of the PrivacyLedger. */
export interface Charges {
  policyOf(study: StudyId): object | null
  lastCharged(run: RunId, site: SiteId): RoundNo
}

/** What a site commits to; `opening` is undefined or zero when it does not say for which opening of the round. */
/** What a site keys with. */
export type KeyedWith = Pick<Extract<ChainEvent, { kind: 'Keyed' }>, 'dealDigest' | 'dealCid' | 'holds' | 'heldDeals'>

export interface Commitment {
  readonly root: Digest
  readonly cid: Digest
  readonly cohortRoot: Digest
  readonly opening: Digest | undefined
}

/** Bytes of a justification. */
const LONGEST = 115_200
/** Blocks of which a contract knows the hash. */
const HASHES = 256

/** RoundCoordinator.sol: the order of checks in each call is the contract's, so that the same wrong call fails with the same error. */
export class SimCoordinator {
  readonly #studies: Studies
  readonly #charges: Charges
  readonly #nodeSite: (call: Call) => SiteId
  #runs: readonly Run[] = []

  /** @param nodeSite the site whose node account calls, active or not, or SiteRegistry_NotNode */
  constructor(studies: Studies, charges: Charges, nodeSite: (call: Call) => SiteId) {
    this.#studies = studies
    this.#charges = charges
    this.#nodeSite = nodeSite
  }

  /** Oldest first. A new array after each change. */
  get runs(): readonly Run[] {
    return this.#runs
  }

  run(id: RunId): Run {
    return this.#runs[id - 1] ?? revert('RoundCoordinator_UnknownRun', { run: id })
  }

  openRun(call: Call, study: StudyId, model: ModelRef): RunId {
    const rules = this.#studies.rulesOf(study)
    const site = this.#nodeSite(call)
    if (!has(this.#studies.membersNow(study), site)) revert('RoundCoordinator_NotMember', { study, site })
    notZero(model.root, model.cid)
    const rota = this.#studies.rotaNow(study)
    const sites = countOf(rota.sites)
    if (sites < rules.minSites) revert('RoundCoordinator_TooFewSites', { study, sites, minSites: rules.minSites })
    const id = runId(this.#runs.length + 1)
    const round = firstRound(rota, rules, call)
    const fresh = {
      closedRounds: 0,
      voidsInARow: 0,
      ready: EMPTY,
      passedOver: new Map(),
      past: [],
      opened: round.round,
      closed: null,
      base: null,
      kept: new Map(),
      revealed: new Set<Digest>(),
      accounted: this.#charges.policyOf(study) !== null,
    }
    const run: Run = { id, study, rules, state: 'Active', model, round, ...fresh }
    call.emit({ kind: 'RunOpened', run: id, study, site, modelRoot: model.root, modelCid: model.cid })
    tellOpening(run, round, call)
    this.#runs = [...this.#runs, run]
    return id
  }

  key(call: Call, id: RunId, round: RoundNo, { dealDigest, dealCid, holds, heldDeals }: KeyedWith): void {
    const { run, site } = this.#enter(call, id)
    this.#inPhase(run, round, 'Keying')
    this.#approved(run, site)
    inRota(run, site)
    notZero(dealDigest, dealCid)
    const { keyed, abstained, awaited, rotaSet, justifying } = run.round
    const strangers = (without(holds, rotaSet) | (has(holds, site) ? bitmapOf([site]) : EMPTY)) as Bitmap
    if (strangers !== 0n) revert('RoundCoordinator_NoSuchDeal', { run: id, round, strangers })
    const below = sizeOf((holds & ((1n << BigInt(site)) - 1n)) as Bitmap)
    const [expected, actual] = [NAME_BYTES * sizeOf(holds) + HIDDEN_BYTES * below, heldDeals.length / 2 - 1]
    if (expected !== actual) revert('RoundCoordinator_WrongHeldDeals', { run: id, round, expected, actual })
    if (has(keyed, site)) revert('RoundCoordinator_AlreadyKeyed', { run: id, round, site })
    if (has(abstained, site)) revert('RoundCoordinator_AlreadyAbstained', { run: id, round, site })
    if (!has(awaited, site)) revert('RoundCoordinator_NotAwaited', { run: id, round, site })
    if (justifying) revert('RoundCoordinator_Justifying', { run: id, round })
    call.emit({ kind: 'Keyed', run: id, round, site, dealDigest, dealCid, holds, heldDeals })
    const held = dealsOf({ site, dealDigest, dealCid, holds, heldDeals })
    const isSame = keyed === EMPTY || run.round.held === held
    this.#store(afterKeying(withRound(run, { keyed: withSite(keyed, site), held: isSame ? held : null }), this.#studies, call))
  }

  justify(call: Call, id: RunId, round: RoundNo, justification: string, began: Digest | undefined): void {
    const { run, site } = this.#enter(call, id)
    this.#inPhase(run, round, 'Keying')
    this.#approved(run, site)
    const { justifying, keyed, justified } = run.round
    if (!justifying) revert('RoundCoordinator_NotJustifying', { run: id, round })
    if (!has(keyed, site)) revert('RoundCoordinator_NotKeyed', { run: id, round, site })
    if (has(justified, site)) revert('RoundCoordinator_AlreadyJustified', { run: id, round, site })
    const length = justification.length / 2 - 1
    if (length > LONGEST) revert('RoundCoordinator_TooLong', { run: id, round, length, most: LONGEST })
    checkHistory(run, run.round.since.block, began, call)
    call.emit({ kind: 'Justified', run: id, round, site, justification })
    this.#store(afterKeying(withRound(run, { justified: withSite(justified, site) }), this.#studies, call))
  }

  contribute(call: Call, id: RunId, round: RoundNo, { root, cid, cohortRoot, opening }: Commitment): void {
    const { run, site } = this.#enter(call, id)
    this.#inPhase(run, round, 'Contributing')
    this.#approved(run, site)
    inRota(run, site)
    const { keyed } = run.round
    if (keyed !== 0n && !has(keyed, site)) revert('RoundCoordinator_NotKeyed', { run: id, round, site })
    if (run.accounted && this.#charges.lastCharged(id, site) !== round) revert('RoundCoordinator_NotCharged', { run: id, round, site })
    notZero(root, cid, cohortRoot)
    checkHistory(run, run.rules.mode === 'masked' ? run.round.since.block : run.round.openedAtBlock, opening, call)
    this.#notYetIn(run, site)
    const { contributed, accumulator } = run.round
    call.emit({ kind: 'Contributed', run: id, round, site, root, cid, cohortRoot })
    const after = withRound(run, { contributed: withSite(contributed, site), accumulator: accumulate(accumulator, site, root) })
    this.#store(afterContributing(after, this.#studies, call))
  }

  abstain(call: Call, id: RunId, round: RoundNo, reason: number): void {
    const { run, site } = this.#enter(call, id)
    const keying = run.round.phase === 'Keying'
    this.#inPhase(run, round, keying ? 'Keying' : 'Contributing')
    this.#approved(run, site)
    inRota(run, site)
    this.#notYetIn(run, site)
    call.emit({ kind: 'Abstained', run: id, round, site, reason })
    const after = withRound(run, { abstained: withSite(run.round.abstained, site) })
    this.#store(keying ? afterKeying(after, this.#studies, call) : afterContributing(after, this.#studies, call))
  }

  extend(call: Call, id: RunId, round: RoundNo): void {
    const { run, site } = this.#enter(call, id)
    this.#inPhase(run, round, 'Contributing')
    this.#approved(run, site)
    inRota(run, site)
    this.#notYetIn(run, site)
    if (!has(run.round.awaited, site)) revert('RoundCoordinator_NotAwaited', { run: id, round, site })
    if (run.round.asker !== null) revert('RoundCoordinator_AlreadyExtended', { run: id, round })
    call.emit({ kind: 'ContributingExtended', run: id, round, site, began: call.hashOf(call.block) })
    this.#store(withRound(run, { asker: site, since: { block: call.block, timestamp: call.timestamp } }))
  }

  witness(call: Call, id: RunId, round: RoundNo, slice: number, held: Bitmap): void {
    const { run, site } = this.#enter(call, id)
    this.#inPhase(run, round, 'Witnessing')
    this.#approved(run, site)
    const { slices, contributed } = run.round
    const asked = slices[slice] ?? revert('RoundCoordinator_UnknownSlice', { slice, slices: slices.length })
    if (!isCustodian(run.round, site, slice)) revert('RoundCoordinator_NotCustodian', { run: id, round, site, slice })
    if (has(asked.witnessed, site)) revert('RoundCoordinator_AlreadyWitnessed', { run: id, round, site, slice })
    const strangers = without(held, contributed)
    if (strangers !== 0n) revert('RoundCoordinator_NotContributed', { run: id, round, strangers })
    call.emit({ kind: 'Witnessed', run: id, round, site, slice, held })
    this.#store(afterWitness({ ...run, round: recordWitness(run.round, slice, site, held) }, this.#studies, call))
  }

  publish(call: Call, id: RunId, round: RoundNo, attempt: Attempt, sumRoot: Digest, sumCid: Digest): void {
    const { run, site } = this.#enter(call, id)
    this.#inPhase(run, round, 'Publishing')
    if (attempt !== run.round.attempt) revert('RoundCoordinator_WrongAttempt', { run: id, round, attempt, current: run.round.attempt })
    this.#approved(run, site)
    mayPublish(run, site, call)
    notZero(sumRoot, sumCid)
    call.emit({ kind: 'Published', run: id, round, attempt, site, sumRoot, sumCid })
    const publication = { attempt, publisher: site, sumRoot, sumCid }
    const after = withRound(run, { publications: run.round.publications + 1, publication, attested: EMPTY, tally: [] })
    const isFirst = run.rules.mode === 'masked' && attempt === 0
    const shown = isFirst ? { ...after, revealed: new Set(run.revealed).add(run.model.root) } : after
    this.#store(afterPublication(shown, site, call))
  }

  attest(call: Call, id: RunId, round: RoundNo, attempt: Attempt, model: ModelRef, status: AttestStatus, own: Digest): void {
    const { run, site } = this.#enter(call, id)
    const judged = roundOf(run, round) ?? revert('RoundCoordinator_NotCurrentRound', { run: id, round, current: run.round.round })
    if (attempt >= judged.publications) revert('RoundCoordinator_WrongAttempt', { run: id, round, attempt, current: judged.publications })
    this.#approved(run, site)
    if (!has(judged.included, site)) revert('RoundCoordinator_NotIncluded', { run: id, round, site })
    checkTuple(model, status)
    const ofLast = attempt === judged.publications - 1
    if (ofLast && has(judged.attested, site)) revert('RoundCoordinator_AlreadyAttested', { run: id, round, site })
    call.emit({ kind: 'Attested', run: id, round, attempt, site, modelRoot: model.root, modelCid: model.cid, status, own })
    const after = ofLast ? replaceRound(run, { ...judged, attested: withSite(judged.attested, site) }) : run
    const counts = run.state === 'Active' && judged === run.round && judged.phase === 'Attesting' && ofLast
    this.#store(counts ? afterAttestation(withRound(after, { tally: count(judged.tally, model, status) }), this.#studies, call) : after)
  }

  dispute(call: Call, id: RunId, round: RoundNo, charge: Charge): void {
    const { run, site } = this.#enter(call, id)
    if (run.rules.mode !== 'masked') revert('RoundCoordinator_NotMasked', { run: id })
    this.#member(run, site)
    this.#store(disputed(run, round, site, charge, this.#studies, call))
  }

  /** Anyone may call. */
  tick(call: Call, id: RunId): void {
    const run = this.run(id)
    this.#store(run.state === 'Paused' ? endPause(run, null, this.#studies, call) : stepAtLimit(run, this.#studies, call))
  }

  ready(call: Call, id: RunId): void {
    const { run, site } = this.#enter(call, id)
    notOver(run)
    this.#member(run, site)
    if (has(run.ready, site)) revert('RoundCoordinator_AlreadyReady', { run: id, site })
    call.emit({ kind: 'SiteReady', run: id, site })
    this.#store(endPause({ ...run, ready: withSite(run.ready, site) }, site, this.#studies, call))
  }

  halt(call: Call, id: RunId, reason: number): void {
    const { run, site } = this.#enter(call, id)
    notOver(run)
    if (!run.rules.exact) revert('RoundCoordinator_NotExact', { run: id })
    this.#member(run, site)
    this.#store(changeState(run, 'Halted', site, reason, call))
  }

  /** What every call begins with. */
  #enter(call: Call, id: RunId): { readonly run: Run; readonly site: SiteId } {
    const run = this.run(id)
    const site = this.#nodeSite(call)
    return { run: stepAtLimit(run, this.#studies, call), site }
  }

  #inPhase(run: Run, round: RoundNo, phase: Phase): void {
    if (run.state !== 'Active') revert('RoundCoordinator_RunNotActive', { run: run.id, state: run.state })
    if (run.round.round !== round) revert('RoundCoordinator_NotCurrentRound', { run: run.id, round, current: run.round.round })
    if (run.round.phase !== phase) revert('RoundCoordinator_WrongPhase', { run: run.id, round, phase: run.round.phase })
  }

  #approved(run: Run, site: SiteId): void {
    if (!has(this.#studies.approvals(run.study), site)) revert('RoundCoordinator_NotApproved', { study: run.study, site })
  }

  #member(run: Run, site: SiteId): void {
    if (!has(this.#studies.membersNow(run.study), site)) revert('RoundCoordinator_NotMember', { study: run.study, site })
  }

  #notYetIn(run: Run, site: SiteId): void {
    const { round, contributed, abstained } = run.round
    if (has(contributed, site)) revert('RoundCoordinator_AlreadyContributed', { run: run.id, round, site })
    if (has(abstained, site)) revert('RoundCoordinator_AlreadyAbstained', { run: run.id, round, site })
  }

  #store(run: Run): void {
    if (this.#runs[run.id - 1] !== run) this.#runs = this.#runs.with(run.id - 1, run)
  }
}

/** Its own among them: of two that are the same each names the deal that the other keyed with. */
function dealsOf(said: KeyedSite): string {
  const names = new Map([...heldIn(said)].map(([dealer, { name }]) => [dealer, name])).set(said.site, nameOfDeal(said, sha256))
  return JSON.stringify([...names].sort(([a], [b]) => a - b))
}

const withRound = (run: Run, changes: Partial<Round>): Run => ({ ...run, round: { ...run.round, ...changes } })

const replaceRound = (run: Run, round: Round): Run =>
  run.round.round === round.round ? { ...run, round } : { ...run, past: run.past.map((r) => (r.round === round.round ? round : r)) }

function inRota(run: Run, site: SiteId): void {
  if (placeOf(run.round, site) < 0) revert('RoundCoordinator_NotInRota', { run: run.id, round: run.round.round, site })
}

function checkHistory({ id, round: { round } }: Run, known: number, hash: Digest | undefined, call: Call): void {
  const age = call.block - known
  if (hash === undefined || hash === ZERO_DIGEST || age > HASHES || (age > 0 && hash === call.hashOf(known))) return
  revert('RoundCoordinator_OtherOpening', { run: id, round, known })
}

function mayPublish(run: Run, site: SiteId, call: Call): void {
  inRota(run, site)
  const place = placeOf(run.round, site)
  const { round, firstPlace } = run.round
  const waited = place - firstPlace
  if (waited < 0 || !thirdsPassed(run.rules, run.round, call, waited)) revert('RoundCoordinator_NotItsTurn', { run: run.id, round, site, place, firstPlace })
}

function notOver(run: Run): void {
  if (run.state !== 'Active' && run.state !== 'Paused') revert('RoundCoordinator_RunNotActive', { run: run.id, state: run.state })
}

function notZero(...digests: readonly Digest[]): void {
  if (digests.includes(ZERO_DIGEST)) revert('RoundCoordinator_ZeroDigest')
}

/** A wrong sum names no model, every other status a whole one. */
function checkTuple(model: ModelRef, status: AttestStatus): void {
  const zeros = [model.root, model.cid].filter((digest) => digest === ZERO_DIGEST).length
  if (zeros !== (status === 'wrongSum' ? 2 : 0)) revert('RoundCoordinator_BadTuple', { status, modelRoot: model.root, modelCid: model.cid })
}
