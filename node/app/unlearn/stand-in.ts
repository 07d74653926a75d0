import type { TagInRound } from '#app/consent/consent-history.ts'
import type { RunId, StudyId } from '#base/ids.ts'
import type { RunState } from '#ports/chain.ts'
import type { UnlearnSite } from './unlearn-site.ts'
import type { Way } from './unlearn-way.ts'

/** What stands in the place of a run whose model a record had a part in. */
export type StandIn =
  /** Its steward approved it or not: it waits for a run. */
  { readonly kind: 'study'; readonly study: StudyId } | { readonly kind: 'run'; readonly study: StudyId; readonly run: RunId; readonly state: RunState }

/**
 * Looks for a later run that the record had no part in: of the same study from its first round or, for a network, of a study that goes on from a
 * model before the record. A finished one before one that goes on; runs that were halted or ended stand in for nothing.
 */
export async function findStandIn(site: UnlearnSite, run: RunId, way: Way, contributions: readonly TagInRound[]): Promise<StandIn | null> {
  if (way.kind === 'not needed') return null
  const { study } = await site.chain.run(run)
  const goesOn = way.kind === 'train on' ? await studiesFrom(site, run, way.from.round) : []
  const studies = [study, ...goesOn]
  const isClean = (later: RunId): boolean => contributions.every((part) => part.run !== later || part.cohort === 'not in')
  const runs = (await site.chain.runs()).filter((each) => each.run > run && studies.includes(each.study) && isClean(each.run))
  const found = runs.findLast(({ state }) => state === 'Finished') ?? runs.findLast(({ state }) => state === 'Active' || state === 'Paused')
  if (found !== undefined) return { kind: 'run', ...found }
  const last = goesOn.at(-1)
  return last === undefined ? null : { kind: 'study', study: last }
}

/** Studies that go on from a model of this run, of a round up to this one. */
async function studiesFrom(site: UnlearnSite, run: RunId, upTo: number): Promise<readonly StudyId[]> {
  const studies = await site.chain.studies()
  const protocols = await Promise.all(studies.map(async ({ id }) => [id, await site.protocol(id)] as const))
  return protocols.flatMap(([id, protocol]) => (protocol?.start?.run === run && protocol.start.round <= upTo ? [id] : []))
}
