import type { TagInRound } from '#app/consent/consent-history.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest, RoundNo, RunId } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { ABSTAIN_REASONS, type AbstainReason, type RunView } from '#ports/chain.ts'
import { type Ancestor, followLineage, LINEAGE_KINDS } from '#round/lineage.ts'
import { type Method, plainWords, type RunDigests, type UnlearningCertificate } from './certificate.ts'
import { type Membership, membershipOf, type NoFigure } from './membership.ts'
import { findStandIn, type StandIn } from './stand-in.ts'
import type { UnlearnSite } from './unlearn-site.ts'
import { type Way, wayWithout } from './unlearn-way.ts'

/** Whose record, and how their withdrawal stands. */
export interface WithdrawnRecord {
  readonly tag: Digest | null
  readonly withdrawnAtBlock: number | null
}

/** How far it is. */
export interface Unlearning {
  readonly protocol: Protocol
  readonly view: RunView
  readonly way: Way
  readonly rounds: readonly RoundNo[]
  readonly standIn: StandIn | null
}

/** @throws ROTA-5110 no such run, 6032 the protocol has not reached this site */
export async function unlearningOf(site: UnlearnSite, run: RunId): Promise<Unlearning> {
  const view = await site.chain.run(run)
  const record = await site.chain.study(view.study)
  const protocol = await site.protocol(view.study)
  if (protocol === null) throw new RotaError('ROTA-6032', { run, study: view.study })
  const contributions = await site.contributions(protocol.programme)
  // What is not known any more counts as if the record had been there.
  const rounds = roundsWith(contributions.filter((part) => part.run === run))
  // Only networks train on; a fit with noise is not exact, and is made again too.
  const isFitted = record.rules.exact || protocol.learner.kind !== 'neural'
  const way = wayWithout(rounds[0] ?? null, isFitted, await keptModels(site, run, protocol))
  return { protocol, view, way, rounds, standIn: await findStandIn(site, run, way, contributions) }
}

const roundsWith = (parts: readonly TagInRound[]): RoundNo[] => parts.flatMap(({ round, cohort }) => (cohort === 'not in' ? [] : [round])).sort((a, b) => a - b)

/** Of large models a site keeps the last and every tenth: what is gone cannot be gone back to. */
async function keptModels(site: UnlearnSite, run: RunId, protocol: Protocol): Promise<readonly Ancestor[]> {
  const events = await site.chain.events(0, { run, kinds: LINEAGE_KINDS })
  const { models } = followLineage(events, await site.initialRoot(protocol))
  const kept = await Promise.all(models.map(({ cid }) => site.has(cid)))
  return models.filter((_, i) => kept[i])
}

/** A protocol under which training goes on from before the record; for stewards to approve like any other. */
export function protocolFrom(protocol: Protocol, run: RunId, way: Extract<Way, { kind: 'train on' }>): Protocol {
  const { round, root, cid } = way.from
  return { ...protocol, title: `${protocol.title.slice(0, MOST_TITLE)} (on from run ${run}, round ${round})`, start: { run, round, root, cid } }
}

/** As long as the form of a title allows, with what is added. */
const MOST_TITLE = 60

/** Once the run that stands in is over. */
export async function certificateOf(
  site: UnlearnSite,
  { tag, withdrawnAtBlock }: WithdrawnRecord,
  { protocol, view, way, rounds }: Unlearning,
  standIn: Extract<StandIn, { kind: 'run' }>,
  at: string,
): Promise<UnlearningCertificate> {
  const after = await site.chain.run(standIn.run)
  const start = (await site.protocol(standIn.study))?.start
  const declared = (await site.contributions(protocol.programme)).filter((part) => part.run === standIn.run)
  const figures = await membership(site, protocol, view, after)
  const facts = {
    ...({ version: 1, kind: 'rota/unlearning', at, programme: protocol.programme, tag, withdrawnAtBlock } as const),
    site: { id: site.id, name: site.name },
    before: { ...(await digestsOf(site, view)), roundsWithRecord: rounds },
    method: methodOf(way, start !== undefined, protocol.learner.kind !== 'neural'),
    checkpoint: start === undefined ? null : { run: start.run, round: start.round, root: start.root as Digest, cid: start.cid as Digest },
    after: {
      ...(await digestsOf(site, after)),
      declared: declared.map(({ round, cohortRoot }) => ({ round, cohortRoot })),
      abstained: declared.length === 0 ? await abstainedFrom(site, standIn.run) : null,
    },
    membership: typeof figures === 'string' ? null : figures,
  }
  return { ...facts, says: plainWords(facts, typeof figures === 'string' ? figures : null) }
}

async function abstainedFrom({ id, chain }: UnlearnSite, run: RunId): Promise<AbstainReason | null> {
  const said = (await chain.events(0, { run, kinds: ['Abstained'] })).findLast((e) => e.kind === 'Abstained' && e.site === id)
  return said?.kind === 'Abstained' ? (ABSTAIN_REASONS[said.reason] ?? null) : null
}

const methodOf = (way: Way, isOn: boolean, exact: boolean): Method => {
  if (way.kind === 'train on' && isOn) return 'trained on from a model before the record'
  return exact ? 'fitted again from the first round' : 'trained again from the first round'
}

async function digestsOf(site: UnlearnSite, { study, run, closedRounds, model }: RunView): Promise<RunDigests> {
  const { protocolDigest } = await site.chain.study(study)
  return { study, protocolDigest, run, closedRounds, model: { root: model.root, cid: model.cid } }
}

async function membership(site: UnlearnSite, protocol: Protocol, before: RunView, after: RunView): Promise<Membership | NoFigure> {
  const rows = await site.rows(protocol, before.run, after.run)
  const [old, fresh] = await Promise.all([site.model(before.run, before.model.root), site.model(after.run, after.model.root)])
  if (rows === null) return 'the rows can no longer be read'
  if (old === null || fresh === null) return 'one of the two models is not on the disk of this hospital'
  if (rows.withdrawn.rows === 0) return 'the record was held out to test the models, and none was trained on it'
  if (rows.others.rows === 0) return 'this hospital has no other records, that neither run or that both were made with, to compare with'
  const found = membershipOf(protocol, old, fresh, rows)
  return found.before === null || found.after === null ? 'these models foretell nothing about one row' : found
}
