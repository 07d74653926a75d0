import assert from 'node:assert/strict'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RoundStory } from '#app/node/round-story.ts'
import { has, sizeOf } from '#base/bitmap.ts'
import { type RunId, siteId } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import type { HospitalRows } from './hospitals.ts'
import { undisturbed } from './replay.ts'
import { inAWord, type RoughHospitals } from './rough-hospitals.ts'
import { arm, type Role, roleOf, type Strike, type Struck } from './strikes.ts'
import { bringTrouble, endTroubles, restUntilNextIs, type Trouble } from './troubles.ts'

/** Strikes that fall one after another in one round. */
export interface Blow {
  readonly strikes: readonly Strike[]
  /** Whether those who were killed start again as soon as all strikes have fallen, or only when the round has ended without them. */
  readonly restart: boolean
  /** Only this role's nodes see the chain from the first strike to the last. */
  readonly seeing?: Role
  /** What befalls the first who is struck before it starts again; over when the round is. */
  readonly trouble?: Trouble
  /** Was in maintenance until now: as this it says first that it is back. */
  readonly back?: { readonly site: number; readonly as: Role }
  /** Who is struck last has this role then: of a strike that falls on `the same` in another round than the first. */
  readonly as?: Role
}

export interface Struggle {
  readonly blow: Blow
  readonly struck: readonly Struck[]
  /** The round in which it fell, as it ended. */
  readonly story: RoundStory
  /** From the last strike to the end of its round, by the wall clock. */
  readonly closedAfterMs: number
}

const STRIKE_LIMIT_MS = 180_000
/** A masked round waits for who is gone until its limit, and who is back is in the next one. */
const BACK_LIMIT_MS = 180_000

export const tellBlow = ({ strikes, restart, as, trouble }: Blow): string =>
  `${as === undefined ? '' : `${as}: `}${strikes.map(({ row, role, at }) => `${role} at ${row}${at === 'row' ? '' : ` (${at === 'send' ? 'before' : 'after'} its transaction goes out)`}`).join(', then ')}${trouble === undefined ? '' : ` (${trouble})`}, ${restart ? 'restarted' : 'gone until the round is over'}`

/** Deals one blow, whose round has to close; with ROTA_CHAOS_TIMES it says how long that took. */
export async function dealAndClose(hospitals: RoughHospitals, run: RunId, blow: Blow): Promise<void> {
  const { story, struck, closedAfterMs } = await deal(hospitals, run, blow)
  assert.equal(story.state, 'closed')
  if (process.env['ROTA_CHAOS_TIMES'] === undefined) return
  console.log(`${tellBlow(blow)}: ${(closedAfterMs / 1000).toFixed(1)} s, ${struck.map(({ site }) => site)} of ${story.included.length} in`)
}

/** Deals one blow to a run that goes on, and waits until its round has ended and everybody is back at work. */
export async function deal(hospitals: RoughHospitals, run: RunId, blow: Blow): Promise<Struggle> {
  for (let tries = 1; ; tries++) {
    try {
      return await play(hospitals, run, blow)
    } catch (error) {
      if (!(error instanceof RoundWentOn) || tries === TRIES) throw error
    } finally {
      await endTroubles()
      arm(hospitals.strikes, [])
      heal(hospitals)
    }
    for (const site of hospitals.folders.keys()) await bringBack(hospitals, run, site)
  }
}

/** On a machine so slow that a round's limit passes before a killed node has started again, the next strike has to wait for another round. */
class RoundWentOn extends Error {}
const TRIES = 4

async function play(hospitals: RoughHospitals, run: RunId, blow: Blow): Promise<Struggle> {
  const struck = await strikeAll(hospitals, run, blow)
  const struckAtMs = performance.now()
  heal(hospitals)
  if (blow.restart) for (const site of new Set(struck.map((who) => who.site))) hospitals.start(site).catch(() => undefined)
  const { round, role } = struck.at(-1) as Struck
  if (blow.as !== undefined && role !== blow.as) throw new RoundWentOn(`it was ${role} of round ${round}: ${tellBlow(blow)}`)
  const stories = await hospitals.untilStories(run, (told) => (told[round - 1]?.state ?? 'open') !== 'open', `round ${round} ends (${tellBlow(blow)})`)
  const closedAfterMs = performance.now() - struckAtMs
  await endTroubles()
  for (const { site } of struck) await bringBack(hospitals, run, site)
  return { blow, struck, story: stories[round - 1] as RoundStory, closedAfterMs }
}

/** One after another; who is struck and has to be struck again starts again in between. */
async function strikeAll(hospitals: RoughHospitals, run: RunId, blow: Blow): Promise<readonly Struck[]> {
  const struck: Struck[] = []
  if (blow.back !== undefined) await restUntilNextIs(hospitals, run, blow.back.site, blow.back.as)
  for (const strikes of together(blow.strikes)) {
    const site = strikes[0]?.role === 'the same' ? struck.at(-1)?.site : undefined
    const armed = arm(hospitals.strikes, site === undefined ? strikes : strikes.map((strike) => ({ ...strike, site })))
    if (site !== undefined) hospitals.start(site).catch(() => undefined)
    if (blow.back !== undefined) await endTroubles()
    for (const { strike, struck: fallen } of armed) {
      const who = await untilStruck(hospitals, fallen, tellBlow(blow), tooLate(hospitals, run, blow, strike, struck[0]))
      struck.push(who)
      assert.equal(await hospitals.nodes[who.site]?.ended(), strike.signal)
      if (struck.length > 1) continue
      if (blow.seeing !== undefined) await blind(hospitals, run, blow.seeing, who)
      await bringTrouble(hospitals, who, blow.trouble)
    }
  }
  return struck
}

/** Strikes that hang over the nodes at the same time: `the same` is known once the one before has fallen. */
function together(strikes: readonly Strike[]): readonly (readonly Strike[])[] {
  const groups: Strike[][] = []
  for (const strike of strikes) {
    if (strike.role === 'the same' || groups.length === 0) groups.push([])
    groups.at(-1)?.push(strike)
  }
  return groups
}

const IN_ITS_ROUND: ReadonlySet<Strike['row']> = new Set(['contribute-again', 'key-again', 'abstain-again', 'sit-out', 'rest'])
const IN_THE_NEXT: ReadonlySet<Strike['row']> = new Set(['advertise', 'deal'])

/** Whether a strike cannot fall any more: on who was struck before, in the round that this was in, or in the next; on who is back, before it has said so. */
function tooLate(hospitals: RoughHospitals, run: RunId, { back }: Blow, { row, role }: Strike, first: Struck | undefined): () => Promise<boolean> {
  if (back !== undefined) return async () => has((await hospitals.reader.run(run)).ready, siteId(back.site))
  const rounds = IN_ITS_ROUND.has(row) ? 0 : IN_THE_NEXT.has(row) ? 1 : null
  if (first === undefined || role !== 'the same' || rounds === null) return async () => false
  return () => isOver(hospitals, run, first.round + rounds)
}

/** As soon as everybody else has contributed, all but the nodes of one role wait for the chain. */
async function blind(hospitals: RoughHospitals, run: RunId, seeing: Role, gone: Struck): Promise<void> {
  for (const end = Date.now() + STRIKE_LIMIT_MS; ; await sleep(10)) {
    const view = await hospitals.reader.run(run)
    const contributed = sizeOf(view.round.contributed)
    if (view.round.round !== gone.round || Date.now() > end) throw new RoundWentOn(`round ${gone.round} did not wait for site ${gone.site}`)
    if (contributed < hospitals.folders.length - 1) continue
    for (const site of hospitals.folders.keys()) if (roleOf(view, siteId(site)) !== seeing) hospitals.chainLine(site).become('stalls')
    return
  }
}

const heal = (hospitals: RoughHospitals): void => hospitals.folders.forEach((_, site) => hospitals.chainLine(site).become('open'))

const isOver = async (hospitals: RoughHospitals, run: RunId, round: number): Promise<boolean> =>
  ((await hospitals.stories(run))[round - 1]?.state ?? 'open') !== 'open'

/** @param over whether the round that the strike waits for has ended @throws RoundWentOn when it has, Error when nobody was struck in time */
export async function untilStruck(hospitals: RoughHospitals, fallen: () => Struck | null, what: string, over = async () => false): Promise<Struck> {
  for (const end = Date.now() + STRIKE_LIMIT_MS; Date.now() < end; await sleep(10)) {
    const ended = await over()
    const struck = fallen()
    if (struck !== null) return struck
    if (ended) throw new RoundWentOn(what)
  }
  throw new Error(`nobody was struck: ${what}\n${hospitals.nodes.map((node, i) => `── site ${i}\n${node?.said().slice(-1_500)}`).join('\n')}`)
}

/** Starts a site unless it runs, and waits until it has contributed again. */
export async function bringBack(hospitals: RoughHospitals, run: RunId, site: number): Promise<void> {
  const node = hospitals.nodes[site]
  const alive = node !== undefined && (await node.ended(0).catch(() => 'alive')) === 'alive'
  const back = alive ? node : await hospitals.start(site)
  await back.until((e) => e.event === 'progress' && e.progress.kind === 'contributed' && e.progress.run === run, BACK_LIMIT_MS)
}

/** No round of the run was lost: all but the open one are closed. */
export function assertAllClosed(stories: readonly RoundStory[]): void {
  assert.deepEqual(stories.filter(({ state }, i) => state !== 'closed' && i < stories.length - 1).map(inAWord), [])
}

/** All that a run has come to is what its frozen sets add up to. */
export async function assertUndisturbed(hospitals: RoughHospitals, run: RunId, { protocol, sites }: { protocol: Protocol; sites: readonly HospitalRows[] }) {
  const closed = (await hospitals.stories(run)).filter(({ state }) => state === 'closed')
  const rows = sites.map((site) => site.rows)
  assert.deepEqual(
    closed.map((story) => story.modelRoot),
    await undisturbed(protocol, rows, closed),
  )
}
