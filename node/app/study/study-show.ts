import { type NamedParticipation, namedParticipation } from '#app/audit/participation.ts'
import { readShares, type ToldShares } from '#app/audit/participation-shares.ts'
import { type RoundNote, readRoundNotes } from '#app/node/round-notes.ts'
import { type RoundStory, roundStories } from '#app/node/round-story.ts'
import { type Budget, budgetsOf, datasetsIn, readLedger } from '#app/privacy/budgets.ts'
import { type NamedRound, namedRound, type RunNow, runNow } from '#app/site/site-status.ts'
import { nameOf, type SiteView, withSiteView } from '#app/site/site-view.ts'
import { type Participation, participationOf } from '#audit/participation.ts'
import { whyNotIn } from '#audit/participation-text.ts'
import { has, sitesOf } from '#base/bitmap.ts'
import { isRotaError } from '#base/errors.ts'
import type { StudyId } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { ABSTAIN_REASONS, type RunState, type StudyRecord, type StudyRules } from '#ports/chain.ts'
import { type ToldError, toldError } from '../told-error.ts'
import { haltedBy } from './halted-by.ts'
import { protocolOf } from './studies.ts'

export interface ShownStudy {
  readonly study: StudyId
  readonly digest: string
  readonly publisher: string
  /** Of the protocol; while that is not here, as the chain has it, which takes groups for masked. */
  readonly mode: StudyRules['mode']
  readonly protocol: Protocol | null
  /** Why the protocol is not shown. */
  readonly problem: ToldError | null
  readonly approved: readonly string[]
  /** Active members whose stewards have not approved, or have withdrawn. */
  readonly notApproved: readonly string[]
  /** Null before the first key is drawn. */
  readonly epoch: { readonly number: number; readonly members: readonly string[]; readonly due: boolean } | null
  /** What datasets have spent and have left, of each site that was charged for the study; null for one without differential privacy, or whose protocol is not here. */
  readonly budgets: readonly ShownBudget[] | null
  readonly runs: readonly ShownRun[]
}

export interface ShownBudget extends Pick<Budget, 'dataset' | 'rounds' | 'enforced' | 'left' | 'roundsLeft'> {
  readonly site: string
}

export interface ShownRun extends RunNow {
  /** By which site and for which reason it was halted; null: it was not. */
  readonly halted: { readonly by: string | null; readonly reason: string } | null
  readonly modelRoot: string
  readonly rounds: readonly ShownRound[]
  /** Of all rounds, whichever are shown. */
  readonly participation: NamedParticipation
}

export interface ShownRound extends NamedRound {
  /** Chain time in seconds. */
  readonly openedAt: number
  readonly endedAt: number | null
  readonly abstained: readonly { readonly site: string; readonly reason: string }[]
  /** Sites of the rota that were not in, each with the reason in words. */
  readonly absent: readonly { readonly site: string; readonly why: string }[]
  /** Publications that the others threw out. */
  readonly discarded: readonly string[]
  /** Sites of each group whose sum this site left out of the model, where a masked round was repeated in groups. */
  readonly leftOut: readonly (readonly string[])[]
  /** What this site moved, and how long it trained and worked; null for a round that it did not see end. */
  readonly here: Pick<RoundNote, 'bytesIn' | 'bytesOut' | 'trainMs' | 'workMs'> | null
}

/** Runs and rounds of a study as the chain tells them, beside what this site noted. @throws ROTA-5301 no such study */
export const showStudy = (call: {
  readonly folder: string
  readonly study: StudyId
  readonly last: number | undefined
  readonly signal: AbortSignal
}): Promise<ShownStudy> =>
  withSiteView(call.folder, call.signal, async (view) => {
    const record = await view.chain.study(call.study)
    const name = nameOf(view.sites)
    const notes = readRoundNotes(view.paths.rounds)
    const told = await readShares(view.paths.shares)
    const runs = (await view.chain.runs()).filter(({ study }) => study === call.study)
    const known = await protocolPart(view, record, call.signal)
    return {
      study: record.id,
      digest: record.protocolDigest,
      publisher: name(record.publisher),
      mode: known.protocol?.mode ?? record.rules.mode,
      ...known,
      budgets: await budgetPart(view, record.id, known.protocol),
      approved: sitesOf(record.approved).map(name),
      notApproved: view.sites.filter((site) => site.state === 'Active' && !has(record.approved, site.id)).map((site) => site.name),
      epoch: epochOf(record, name),
      runs: await Promise.all(runs.map(({ run, state }) => shownRun(view, run, state, { notes, told }, call.last))),
    }
  })

async function protocolPart(view: SiteView, record: StudyRecord, signal: AbortSignal): Promise<Pick<ShownStudy, 'protocol' | 'problem'>> {
  try {
    return { protocol: await protocolOf({ folder: view }, record, signal), problem: null }
  } catch (error) {
    if (!isRotaError(error)) throw error
    return { protocol: null, problem: toldError(error) }
  }
}

async function budgetPart({ chain, sites }: SiteView, study: StudyId, protocol: Protocol | null): Promise<ShownStudy['budgets']> {
  if (protocol?.privacy === undefined) return null
  const ledger = await readLedger(chain)
  const { privacy } = protocol
  return datasetsIn(ledger, null)
    .flatMap((place) => budgetsOf(ledger, place, [{ study, privacy }], false))
    .filter(({ rounds }) => rounds > 0)
    .map(({ site, dataset, rounds, enforced, left, roundsLeft }) => ({ site: nameOf(sites)(site), dataset, rounds, enforced, left, roundsLeft }))
}

const epochOf = ({ epoch, approved }: StudyRecord, name: (id: number) => string): ShownStudy['epoch'] =>
  epoch.members === 0n ? null : { number: epoch.epoch, members: sitesOf(epoch.members).map(name), due: epoch.members !== approved || epoch.reported }

async function shownRun(
  view: SiteView,
  run: Parameters<SiteView['chain']['run']>[0],
  state: RunState,
  { notes, told }: { readonly notes: ReadonlyMap<string, RoundNote>; readonly told: ToldShares },
  last: number | undefined,
): Promise<ShownRun> {
  const [now, events] = await Promise.all([view.chain.run(run), view.chain.events(0)])
  const name = nameOf(view.sites)
  const stories = roundStories(events, run)
  const found = participationOf(events, run)
  const halt = haltedBy(events, run)
  const shown = last === undefined ? stories : stories.slice(-last)
  return {
    ...runNow(now, name),
    state,
    halted: halt === null ? null : { by: halt.site === null ? null : name(halt.site), reason: halt.reason },
    modelRoot: now.model.root,
    rounds: shown.map((story) => shownRound(story, name, notes, found)),
    participation: namedParticipation(events, run, name, view.own === null ? null : { site: view.own.id, notes, told }),
  }
}

const shownRound = (story: RoundStory, name: (id: number) => string, notes: ReadonlyMap<string, RoundNote>, { rounds }: Participation): ShownRound => {
  const note = notes.get(`${story.run}/${story.round}`)
  return {
    ...namedRound(story, name),
    openedAt: story.openedAt,
    endedAt: story.endedAt,
    abstained: story.abstained.map(({ site, reason }) => ({ site: name(site), reason: ABSTAIN_REASONS[reason] ?? 'unspecified' })),
    absent: (rounds.find(({ round }) => round === story.round)?.fates ?? []).flatMap((fate) => {
      const why = whyNotIn(fate)
      return why === null ? [] : [{ site: name(fate.site), why }]
    }),
    discarded: story.discarded.map(name),
    leftOut: (note?.leftOut ?? []).map((group) => group.map(name)),
    here: note === undefined ? null : noted(note),
  }
}

const noted = ({ bytesIn, bytesOut, trainMs, workMs }: RoundNote): NonNullable<ShownRound['here']> =>
  workMs === undefined ? { bytesIn, bytesOut, trainMs } : { bytesIn, bytesOut, trainMs, workMs }
