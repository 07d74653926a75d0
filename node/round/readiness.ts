import { EMPTY, has, sitesOf, sizeOf, without } from '#base/bitmap.ts'
import type { Bitmap } from '#base/ids.ts'
import { heldBy } from '#core/masking/graph.ts'
import type { RunView, StudyRecord } from '#ports/chain.ts'
import type { ChainTime } from './clock.ts'
import { isOpening } from './masking/masked-round.ts'
import { checkedReleases } from './masking/releases.ts'
import type { Play, Round } from './play.ts'

/** A pause over which a masked round stays: its sum stands published, and could not be unmasked. */
export interface Pause {
  /** How often the round has paused so; 0 while the log does not show this pause. */
  readonly times: number
  readonly lastedMs: number
  /** That this site is there may unmask the sum, or is not counted for it. */
  readonly isOfUse: boolean
}

/** So often a round is published again as soon as enough are there: that they come back within a few limits is the rule. */
const AT_ONCE = 3
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** Half of the rows of publications that a round may have: after 16 hours. Whoever is away for so long is not back within one. */
const BY_THE_HOUR = 24
const LONGEST_WAIT_MS = 8 * HOUR_MS

/**
 * How long a site waits before it says that it is ready. Whoever lies is ready at once, and shows no shares; the contract cannot count publications for
 * ever, so honest sites, without whom no pause ends, make them rare: 1, 2, 4 … 60 minutes, and 8 hours at last. All of a round's publications last for eight days so. Longer
 * waits would save more of them, and let a run rest longer after the last site is back.
 * @param times how often the round has paused
 */
export function readyAfterMs(times: number): number {
  if (times <= AT_ONCE) return 0
  return times <= BY_THE_HOUR ? Math.min(HOUR_MS, MINUTE_MS * 2 ** (times - AT_ONCE - 1)) : LONGEST_WAIT_MS
}

/** Whether this site may say that it is ready; after any other pause at once. */
export const mayBeReady = (pause: Pause | null): boolean => pause === null || (pause.times > 0 && pause.isOfUse && pause.lastedMs >= readyAfterMs(pause.times))

/** Whether the round stays over the pause, as the contract says it. */
export const stays = ({ round }: RunView, { rules }: Pick<StudyRecord, 'rules'>): boolean =>
  rules.mode === 'masked' && round.phase === 'Publishing' && round.publications > 0

/** Whether the round's sum can be unmasked when all these show what they hold. */
export const canUnmask = ({ round }: RunView, sites: Bitmap): boolean => sizeOf((round.keyed & sites) as Bitmap) >= round.threshold

/**
 * The pause that the run is in; null where it is in none, or in another. It is as old as this node or the chain says, whichever is more: a node that starts
 * again need not wait anew, and a chain without blocks has no time.
 * @param round null to a site that cannot have the round's key
 */
export async function pauseOf(play: Play, view: RunView, record: StudyRecord, head: ChainTime, round: Round | null): Promise<Pause | null> {
  if (view.state !== 'Paused' || !stays(view, record)) return null
  const { chain, host } = play.site
  const changes = (await chain.events(view.round.openedAtBlock, { run: view.run, kinds: ['RunStateChanged'] })).filter((e) => e.kind === 'RunStateChanged')
  const last = changes.at(-1)
  if (last?.state !== 'Paused') return { times: 0, lastedMs: 0, isOfUse: false }
  if (play.paused?.block !== last.block) play.paused = { block: last.block, seenMs: host.clock.nowMs(), isTold: false }
  return {
    times: changes.filter(({ state, reason }) => state === 'Paused' && reason === SPENT).length,
    lastedMs: Math.max(host.clock.nowMs() - play.paused.seenMs, 1_000 * (head.timestamp - last.timestamp)),
    isOfUse: isOfUse(play, view, record, round),
  }
}

/** Somebody has to know why the run rests, and who might be asked. A node that has just started has heard nobody, and names nobody. */
export function tellOfPause(play: Play, round: Round): void {
  const { masked, paused, site } = play
  const { phase, publications } = round.view.round
  if (round.view.state !== 'Paused' || phase !== 'Publishing' || publications === 0 || paused === null || paused.isTold) return
  if (masked === null || !isOpening(masked, round.view) || !masked.isShown) return
  paused.isTold = true
  const heard = checkedReleases(play, round, masked)
  const missing = sitesOf(round.view.round.keyed).filter((each) => heldBy(masked.graph, each) !== EMPTY && !heard.has(each))
  if (heard.size > 0 && missing.length > 0) site.tell({ kind: 'stays-masked', run: round.run, round: round.round, sites: missing })
}

/** Reason of a pause: the round's publications are spent. */
const SPENT = 2

/** The contract takes whoever keyed for one who shows shares: a site that cannot, since it lost its secrets, says that it is there where enough others are. */
function isOfUse({ site, masked }: Play, view: RunView, { approved }: StudyRecord, round: Round | null): boolean {
  if (!has(view.round.keyed, site.id) || canUnmask(view, without((view.ready & approved) as Bitmap, site.id))) return true
  return round !== null && masked !== null && isOpening(masked, view) && masked.isShown && masked.keys !== null && heldBy(masked.graph, site.id) !== EMPTY
}
