import { sitesOf } from '#base/bitmap.ts'
import { attemptNo, type Digest, roundNo, runId, studyId } from '#base/ids.ts'
import { ATTEST_STATUSES, type ChainEventBody, LAWFUL_BASES, PHASES, RUN_STATES, SITE_STATES } from '#ports/chain.ts'
import type { ContractName } from './abi.ts'
import { fieldsOf } from './log-fields.ts'
import type { RawLog } from './rpc.ts'
import { accountOf, bitmapOf, digestOf, NO_SITE, numberOf, placeIn, type Struct, siteOf } from './views.ts'

/**
 * A contract's event in the port's words: none for those that rounds need not know, several for a batch.
 * @throws TypeError when the log is no whole event
 */
export function decodeEvents(contract: ContractName, log: Pick<RawLog, 'topics' | 'data'>): readonly ChainEventBody[] {
  const event = fieldsOf(contract, log)
  if (event?.name === 'ConsentsWithdrawn') return batchOf(event.fields)
  const body = event === null ? undefined : DECODERS[event.name]?.(event.fields)
  return body === undefined ? [] : [body]
}

/** Nobody else need know whether a withdrawal came alone. */
function batchOf({ programme, tags }: Struct): readonly ChainEventBody[] {
  const under = digestOf(programme)
  return (tags as readonly string[]).map((tag) => ({ kind: 'ConsentWithdrawn', programme: under, tag: digestOf(tag) }))
}

/** Of digests that come again and again (each site attests the same model, and sends the same cohort's root in each round) one copy is kept in memory. */
function shared(digest: Digest): Digest {
  const known = recent.get(digest)
  if (known !== undefined) return known
  recent.set(digest, digest)
  const oldest = recent.keys().next().value
  if (recent.size > RECENT && oldest !== undefined) recent.delete(oldest)
  return digest
}

const recent = new Map<Digest, Digest>()
/** A round of 256 sites has about half as many. */
const RECENT = 1_024

const run = (a: Struct) => runId(numberOf(a.run))
const study = (a: Struct) => studyId(numberOf(a.study))
const inRound = (a: Struct) => ({ run: run(a), round: roundNo(numberOf(a.round)) })
const inAttempt = (a: Struct) => ({ ...inRound(a), attempt: attemptNo(numberOf(a.attempt)) })
const model = (a: Struct) => ({ modelRoot: shared(digestOf(a.modelRoot)), modelCid: shared(digestOf(a.modelCid)) })

const DECODERS: Readonly<Record<string, (a: Struct) => ChainEventBody>> = {
  SiteChanged: (a) => ({ kind: 'SiteChanged', site: siteOf(a.site), state: placeIn(SITE_STATES, a.state) }),

  StudyPublished: (a) => ({
    kind: 'StudyPublished',
    study: study(a),
    publisher: siteOf(a.publisher),
    protocolDigest: digestOf(a.protocolDigest),
    protocolCid: digestOf(a.protocolCid),
  }),
  StudyApproved: (a) => ({ kind: 'StudyApproved', study: study(a), site: siteOf(a.site) }),
  PolicySet: (a) => ({ kind: 'PolicySet', study: study(a), site: siteOf(a.site), charge: a.charge as bigint, limit: a.limit as bigint }),
  StudyWithdrawn: (a) => ({ kind: 'StudyWithdrawn', study: study(a), site: siteOf(a.site) }),
  EpochPublished: (a) => ({
    ...{ kind: 'EpochPublished', study: study(a), epoch: numberOf(a.epoch), site: siteOf(a.site) },
    ...{ commitment: digestOf(a.commitment), bundle: digestOf(a.bundle), members: bitmapOf(a.members) },
  }),
  EpochReported: (a) => ({ kind: 'EpochReported', study: study(a), epoch: numberOf(a.epoch), site: siteOf(a.site) }),

  RunOpened: (a) => ({ kind: 'RunOpened', run: run(a), study: study(a), site: siteOf(a.site), ...model(a) }),
  RoundOpened: (a) => ({
    ...{ kind: 'RoundOpened', ...inRound(a), leader: siteOf(a.leader), turn: numberOf(a.turn), rota: sitesOf(bitmapOf(a.rota)) },
    ...{ awaited: bitmapOf(a.awaited), baseRoot: shared(digestOf(a.baseRoot)), baseCid: shared(digestOf(a.baseCid)), epoch: numberOf(a.epoch) },
  }),
  Charged: (a) => ({ kind: 'Charged', ...inRound(a), site: siteOf(a.site), dataset: shared(digestOf(a.dataset)), spent: a.spent as bigint }),
  Keyed: (a) => ({
    ...{ kind: 'Keyed', ...inRound(a), site: siteOf(a.site) },
    ...{ dealDigest: digestOf(a.dealDigest), dealCid: digestOf(a.dealCid), holds: bitmapOf(a.holds), heldDeals: a.heldDeals as string },
  }),
  Justified: (a) => ({ kind: 'Justified', ...inRound(a), site: siteOf(a.site), justification: a.justification as string }),
  Contributed: (a) => ({
    kind: 'Contributed',
    ...inRound(a),
    site: siteOf(a.site),
    root: digestOf(a.root),
    cid: digestOf(a.cid),
    cohortRoot: shared(digestOf(a.cohortRoot)),
  }),
  Abstained: (a) => ({ kind: 'Abstained', ...inRound(a), site: siteOf(a.site), reason: numberOf(a.reason) }),
  ContributingExtended: (a) => ({ kind: 'ContributingExtended', ...inRound(a), site: siteOf(a.site) }),
  PhaseBegan: (a) => ({ kind: 'PhaseBegan', ...inAttempt(a), phase: placeIn(PHASES, a.phase) }),
  Witnessed: (a) => ({ kind: 'Witnessed', ...inRound(a), site: siteOf(a.site), slice: numberOf(a.slice), held: bitmapOf(a.held) }),
  Frozen: (a) => ({ kind: 'Frozen', ...inRound(a), included: bitmapOf(a.included), accumulator: digestOf(a.accumulator) }),
  Published: (a) => ({ kind: 'Published', ...inAttempt(a), site: siteOf(a.site), sumRoot: digestOf(a.sumRoot), sumCid: digestOf(a.sumCid) }),
  Attested: (a) => ({ kind: 'Attested', ...inAttempt(a), site: siteOf(a.site), ...model(a), status: placeIn(ATTEST_STATUSES, a.status), own: digestOf(a.own) }),
  PublicationDiscarded: (a) => ({ kind: 'PublicationDiscarded', ...inAttempt(a), publisher: siteOf(a.publisher), wrongSum: Boolean(a.wrongSum) }),
  Disputed: (a) => ({ kind: 'Disputed', ...inAttempt(a), site: siteOf(a.site), publisher: siteOf(a.publisher), leaf: numberOf(a.leaf) }),
  RoundClosed: (a) => ({ kind: 'RoundClosed', ...inAttempt(a), status: numberOf(a.status) === 1 ? 'finished' : 'continue', ...model(a) }),
  RoundRefused: (a) => ({ kind: 'RoundRefused', ...inAttempt(a), ...model(a) }),
  RoundVoid: (a) => ({ kind: 'RoundVoid', ...inRound(a), phase: placeIn(PHASES, a.phase) }),
  RunStateChanged: (a) => ({
    kind: 'RunStateChanged',
    run: run(a),
    state: placeIn(RUN_STATES, a.state),
    site: numberOf(a.site) === NO_SITE ? null : siteOf(a.site),
    reason: numberOf(a.reason),
  }),
  SiteReady: (a) => ({ kind: 'SiteReady', run: run(a), site: siteOf(a.site) }),

  TermsPublished: (a) => ({
    ...{ kind: 'TermsPublished', programme: digestOf(a.programme), site: siteOf(a.site), version: numberOf(a.version), digest: digestOf(a.digest) },
    ...{ basis: placeIn(LAWFUL_BASES, a.basis), ombudsman: accountOf(a.ombudsman), expiresAt: numberOf(a.expiresAt), text: String(a.text) },
  }),
  ConsentRoot: (a) => ({ kind: 'ConsentRoot', site: siteOf(a.site), programme: digestOf(a.programme), epoch: numberOf(a.epoch), root: digestOf(a.root) }),
  ConsentWithdrawn: (a) => ({ kind: 'ConsentWithdrawn', programme: digestOf(a.programme), tag: digestOf(a.tag) }),
  AuditEntry: (a) => ({ kind: 'AuditEntry', site: siteOf(a.site), category: numberOf(a.category), subject: digestOf(a.subject) }),
}
