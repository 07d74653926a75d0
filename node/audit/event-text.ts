import { sitesOf } from '#base/bitmap.ts'
import type { Bitmap, Digest } from '#base/ids.ts'
import { ABSTAIN_REASONS, type ChainEvent, type ChainEventBody } from '#ports/chain.ts'
import { decodeDeskDay } from '#wire/desk-day.ts'

/** An event of the chain as a sentence, for people who read the log. Digests are cut to eight digits. */
export function eventText(event: ChainEventBody): string {
  const write = SENTENCES[event.kind] as (event: ChainEventBody) => string
  return write(event)
}

/** Where an event stands, for one line of a log. */
export const eventPlace = (event: ChainEvent): string => `${event.block}.${event.index} ${new Date(event.timestamp * 1000).toISOString().replace('.000Z', 'Z')}`

type Sentences = { readonly [K in ChainEventBody['kind']]: (event: Extract<ChainEventBody, { kind: K }>) => string }

const short = (digest: string): string => `${digest.slice(0, 10)}…`
const sites = (set: Bitmap): string => sitesOf(set).join(' ') || 'none'
const at = ({ run, round }: { readonly run: number; readonly round: number }): string => `run ${run} round ${round}:`
const reason = (n: number): string => ABSTAIN_REASONS[n] ?? `reason ${n}`

const SENTENCES: Sentences = {
  SiteChanged: (e) => `site ${e.site} is ${e.state}`,
  StudyPublished: (e) => `site ${e.publisher} published study ${e.study}, protocol ${short(e.protocolDigest)}`,
  PolicySet: (e) => `site ${e.site} made study ${e.study} accounted: each contribution is charged to a dataset's privacy`,
  StudyApproved: (e) => `the steward of site ${e.site} approved study ${e.study}`,
  StudyWithdrawn: (e) => `the steward of site ${e.site} withdrew it from study ${e.study}`,
  EpochPublished: (e) => `site ${e.site} drew the key of epoch ${e.epoch} of study ${e.study} for sites ${sites(e.members)}`,
  EpochReported: (e) => `site ${e.site} said that it cannot have the key of epoch ${e.epoch} of study ${e.study}, or by it not those before`,
  RunOpened: (e) => `site ${e.site} opened run ${e.run} of study ${e.study} on model ${short(e.modelRoot)}`,
  RoundOpened: (e) =>
    `${at(e)} opened; site ${e.leader} leads; sites ${e.rota.join(' ')} are in the rota, ${sites(e.awaited)} awaited; base ${short(e.baseRoot)}`,
  Charged: (e) => `${at(e)} the contribution of site ${e.site} is charged to its dataset ${short(e.dataset)}`,
  Keyed: (e) => `${at(e)} site ${e.site} sent out its key shares ${short(e.dealDigest)} and holds those of sites ${sites(e.holds)}`,
  Justified: (e) => `${at(e)} site ${e.site} ${e.justification === '0x' ? 'had no shares to show' : 'showed shares of its deal'} before anybody masked`,
  Contributed: (e) => `${at(e)} site ${e.site} contributed update ${short(e.root)} of cohort ${short(e.cohortRoot)}`,
  Abstained: (e) => `${at(e)} site ${e.site} abstained (${reason(e.reason)})`,
  ContributingExtended: (e) => `${at(e)} site ${e.site} asked for more time`,
  PhaseBegan: (e) => `${at(e)} ${e.phase} began${e.attempt > 0 ? `, attempt ${e.attempt}` : ''}`,
  Witnessed: (e) => `${at(e)} site ${e.site} holds the updates of sites ${sites(e.held)}${e.slice > 0 ? ` (slice ${e.slice})` : ''}`,
  Frozen: (e) => `${at(e)} the set is frozen: sites ${sites(e.included)}`,
  Published: (e) => `${at(e)} site ${e.site} published sum ${short(e.sumRoot)}${e.attempt > 0 ? `, attempt ${e.attempt}` : ''}`,
  Attested: (e) => `${at(e)} site ${e.site} attested ${e.status === 'wrongSum' ? 'that the sum is wrong' : `model ${short(e.modelRoot)} (${e.status})`}`,
  PublicationDiscarded: (e) => `${at(e)} the publication of site ${e.publisher} is discarded${e.wrongSum ? ': a wrong sum' : ''}`,
  Disputed: (e) => `${at(e)} site ${e.site} showed that the sum published by site ${e.publisher} is wrong (leaf ${e.leaf})`,
  RoundClosed: (e) => `${at(e)} closed on model ${short(e.modelRoot)} (${e.status})`,
  RoundRefused: (e) => `${at(e)} refused; the base is kept as ${short(e.modelRoot)}`,
  RoundVoid: (e) => `${at(e)} came to nothing in ${e.phase}`,
  RunStateChanged: (e) => `run ${e.run} is ${e.state}${e.site === null ? '' : `, by site ${e.site}`}${e.state === 'Halted' ? ` (${reason(e.reason)})` : ''}`,
  SiteReady: (e) => `run ${e.run}: site ${e.site} is ready`,
  TermsPublished: (e) => `site ${e.site} published version ${e.version} of the terms of programme ${short(e.programme)} (${e.basis})`,
  ConsentRoot: (e) => `site ${e.site} committed to the consents of programme ${short(e.programme)}, epoch ${e.epoch}`,
  ConsentWithdrawn: (e) => `a consent of programme ${short(e.programme)} was withdrawn`,
  AuditEntry: (e) => `site ${e.site} declared ${declared(e)}`,
}

function declared({ category, subject }: { readonly category: number; readonly subject: Digest }): string {
  const day = decodeDeskDay(category, subject)
  return day === null
    ? `${short(subject)} (category ${category})`
    : `how often people were looked at at its desk on ${day.day}: at most ${day.looksAtMost} times`
}
