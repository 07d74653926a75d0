import { existsSync } from 'node:fs'
import { systemClock } from '#adapters/host/system-host.ts'
import { type DeskFigures, readFigures } from '#app/desk/desk-figures.ts'
import { readRoundNotes } from '#app/node/round-notes.ts'
import { type RoundStory, roundStories } from '#app/node/round-story.ts'
import { titleOf } from '#app/study/study-title.ts'
import { participationOf } from '#audit/participation.ts'
import { absenceLines } from '#audit/participation-text.ts'
import { has, sitesOf } from '#base/bitmap.ts'
import { type SiteId, type StudyId, siteId } from '#base/ids.ts'
import type { RoundView, RunView, StudyRules } from '#ports/chain.ts'
import type { Health } from '#web/health.ts'
import type { SiteConfig } from './config.ts'
import { nameOf, type SiteView, withSiteView } from './site-view.ts'

/** What goes on at and around a site, from chain, disk and the running node. */
export interface SiteStatus {
  readonly site: { readonly id: number | null; readonly name: string; readonly member: boolean; readonly resting: boolean }
  readonly chain: { readonly url: string; readonly chainId: bigint; readonly head: number }
  /** Null while it does not run. */
  readonly node: Health | null
  readonly members: number
  /** Of the last day; null where no desk was open. */
  readonly desk: DeskFigures | null
  readonly studies: readonly {
    readonly study: StudyId
    readonly title: string | null
    /** As the chain has it: groups are masked to it. */
    readonly mode: StudyRules['mode']
    readonly approvedHere: boolean
    readonly approved: number
    readonly needed: number
  }[]
  /** Runs that are not over. */
  readonly runs: readonly RunNow[]
  /** The newest rounds of this site's runs, newest last. */
  readonly rounds: readonly NamedRound[]
  /** Of the runs under way and this site's last run: who has been missing, abstained or was passed over, in sentences. */
  readonly absences: readonly { readonly run: number; readonly lines: readonly string[] }[]
  /** Of the last run that this site noted a round of: patients here who consent and were left out of it. Null where there were none. */
  readonly patientsResting: { readonly run: number; readonly patients: number } | null
}

export interface RunNow {
  readonly run: number
  readonly study: number
  readonly state: string
  readonly round: number
  readonly phase: string
  readonly leader: string
  readonly awaited: readonly string[]
  readonly closedRounds: number
}

export interface NamedRound extends Pick<RoundStory, 'run' | 'round' | 'state' | 'modelRoot'> {
  readonly leader: string
  readonly included: readonly string[]
  readonly missing: readonly string[]
  readonly seconds: number | null
}

const LAST_ROUNDS = 5
const WATCH_MS = 1_000

export const siteStatus = (folder: string, signal: AbortSignal): Promise<SiteStatus> => withSiteView(folder, signal, (view) => statusOf(view, new Map()))

/** Tells each change until the signal aborts; that blocks come is none. */
export const watchStatus = (folder: string, signal: AbortSignal, tell: (status: SiteStatus) => void): Promise<void> =>
  withSiteView(folder, signal, async (view) => {
    const titles = new Map<StudyId, string>()
    for (let told = ''; !signal.aborted; await systemClock.sleep(WATCH_MS, signal).catch(() => undefined)) {
      const status = await statusOf(view, titles)
      const text = JSON.stringify([
        status.site,
        status.node?.ok,
        status.node?.peers,
        status.node?.problems,
        status.studies,
        status.runs,
        status.rounds,
        status.absences,
        status.patientsResting,
        status.desk?.limitedAt,
      ])
      if (text !== told) tell(status)
      told = text
    }
  })

async function statusOf(view: SiteView, titles: Map<StudyId, string>): Promise<SiteStatus> {
  const { config, chain } = view
  const [head, sites, studies, runs, node] = await Promise.all([chain.head(), chain.sites(), chain.studies(), chain.runs(), nodeHealth(config)])
  const own = sites.find((site) => site.node === view.account && site.state === 'Active')
  const name = nameOf(sites)
  const views = await Promise.all(runs.filter(({ state }) => state === 'Active' || state === 'Paused').map(({ run }) => chain.run(run)))
  for (const record of studies) {
    if (titles.has(record.id)) continue
    const title = await titleOf(view.paths, record)
    if (title !== null) titles.set(record.id, title)
  }
  return {
    site: { id: own?.id ?? null, name: own?.name ?? config.name, member: own !== undefined, resting: existsSync(view.paths.resting) },
    chain: { url: chain.link.url, chainId: chain.chainId, head: head.number },
    node,
    members: sites.filter(({ state }) => state === 'Active').length,
    desk: await readFigures(view.paths, systemClock.nowMs()),
    studies: studies.map(({ id, approved, rules }) => ({
      study: id,
      title: titles.get(id) ?? null,
      mode: rules.mode,
      approvedHere: own !== undefined && has(approved, own.id),
      approved: sitesOf(approved).length,
      needed: rules.minSites,
    })),
    runs: views.map((run) => runNow(run, name)),
    ...(await lastRounds(view, own?.id, name)),
    patientsResting: restingIn(view.paths.rounds),
  }
}

function restingIn(file: string): SiteStatus['patientsResting'] {
  const last = [...readRoundNotes(file).values()].at(-1)
  return last?.resting === undefined ? null : { run: last.run, patients: last.resting }
}

export const runNow = ({ run, study, state, round, closedRounds }: RunView, name: (id: number) => string): RunNow => ({
  run,
  study,
  state,
  round: round.round,
  phase: round.phase,
  leader: name(round.rota[round.turn] ?? -1),
  awaited: state === 'Active' ? awaitedIn(round).map(name) : [],
  closedRounds,
})

/** Whose act a round waits for. */
export function awaitedIn(round: RoundView): readonly SiteId[] {
  const places = (from: number, count: number) => Array.from({ length: count }, (_, i) => round.rota[(round.turn + from + i) % round.rota.length] ?? siteId(0))
  const open = sitesOf(round.awaited).filter((site) => !has(round.contributed, site) && !has(round.abstained, site))
  switch (round.phase) {
    case 'Witnessing':
      return places(0, round.custodianPlaces[0] ?? 0).filter((site) => !has(round.witnessed[0] ?? (0n as never), site))
    case 'Publishing':
      return places(round.firstPlace, 1)
    case 'Attesting':
      return sitesOf(round.included).filter((site) => !has(round.attested, site))
    default:
      return open
  }
}

async function lastRounds({ chain }: SiteView, own: SiteId | undefined, name: (id: number) => string): Promise<Pick<SiteStatus, 'rounds' | 'absences'>> {
  const events = await chain.events(0)
  const runs = (await chain.runs()).slice(-3)
  const stories = runs.flatMap(({ run }) => roundStories(events, run)).filter(({ rota }) => own !== undefined && rota.includes(own))
  const last = stories.at(-1)?.run
  const watched = runs.filter(({ run, state }) => state === 'Active' || state === 'Paused' || run === last)
  return {
    rounds: stories
      .filter(({ state }) => state !== 'open')
      .slice(-LAST_ROUNDS)
      .map((story) => namedRound(story, name)),
    absences: watched.flatMap(({ run }) => {
      const lines = absenceLines(participationOf(events, run), name)
      return lines.length === 0 ? [] : [{ run, lines }]
    }),
  }
}

export const namedRound = (story: RoundStory, name: (id: number) => string): NamedRound => ({
  run: story.run,
  round: story.round,
  state: story.state,
  modelRoot: story.modelRoot,
  leader: name(story.publisher ?? story.leader),
  included: story.included.map(name),
  missing: story.missing.map(name),
  seconds: story.endedAt === null ? null : story.endedAt - story.openedAt,
})

const HEALTH_MS = 2_000

/** Asks the running node on its own machine; null when none answers. */
export async function nodeHealth({ web }: Pick<SiteConfig, 'web'>): Promise<Health | null> {
  try {
    const reply = await fetch(`http://127.0.0.1:${web.port}/healthz`, { signal: AbortSignal.timeout(HEALTH_MS) })
    return (await reply.json()) as Health
  } catch {
    return null
  }
}
