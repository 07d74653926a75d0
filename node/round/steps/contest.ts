import { isRotaError } from '#base/errors.ts'
import type { Bitmap } from '#base/ids.ts'
import type { ChainEvent, Publication, RunView } from '#ports/chain.ts'
import type { JournalEntry } from '#ports/journal.ts'
import type { Play } from '../play.ts'
import { END_KINDS, standingEnds } from '../round-ends.ts'
import { disputeSum } from './dispute.ts'

/** Tries of a dispute that does not come through: an endpoint may be away, an update may be had from nobody at the moment. */
export interface Contest {
  /** The publication. */
  readonly name: string
  /** By this site's own clock. */
  nextMs: number
  tries: number
  /** It is thrown out, or cannot be: its sum is right after all, or the chain takes no dispute of it any more. */
  isSettled: boolean
}

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 8_000
/** About two minutes: a run that is over waits for no more. One that goes on is followed for as long as the sum stands. */
const MOST_TRIES = 20
const GOES_ON: ReadonlySet<RunView['state']> = new Set(['Active', 'Paused'])

/** A publication that this site called wrong, and that stands: of the round that is attested now, or of the last that closed. */
interface Contested {
  readonly name: string
  readonly round: RunView['round']['round']
  readonly openedAtBlock: number
  readonly epoch: number
  readonly included: Bitmap
  readonly publication: Pick<Publication, 'publisher' | 'sumRoot' | 'sumCid'>
  readonly cut: number
}

/** Whether a sum is to be disputed still, and whether it is time to try. */
export async function contestWork(play: Play, view: RunView): Promise<{ readonly isDue: boolean } | null> {
  const contested = await contestedSum(play, view)
  if (contested === null) return null
  const { contest } = play
  if (contest?.name !== contested.name) return { isDue: true }
  const isGivenUp = contest.tries >= MOST_TRIES && !GOES_ON.has(view.state)
  return contest.isSettled || isGivenUp ? null : { isDue: play.site.host.clock.nowMs() >= contest.nextMs }
}

/**
 * Where vectors are masked, the contract is shown what is wrong: then nobody needs to agree. Tried until it comes through; a node that starts again goes on
 * with it, and one whose round was closed by others meanwhile.
 * @throws as `disputeSum`
 */
export async function dispute(play: Play, view: RunView, signal: AbortSignal): Promise<void> {
  const { site, study } = play
  const contested = await contestedSum(play, view)
  if (contested === null) return
  const contest = play.contest?.name === contested.name ? play.contest : { name: contested.name, nextMs: 0, tries: 0, isSettled: false }
  play.contest = contest
  contest.nextMs = site.host.clock.nowMs() + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** contest.tries)
  contest.tries += 1
  const { rules } = await study.record()
  const key = await study.keys.key(contested.epoch, signal)
  try {
    await disputeSum(site, { rules, view: { run: play.run, round: contested }, key, cut: contested.cut }, signal)
    contest.isSettled = true
  } catch (error) {
    contest.isSettled = isRotaError(error) && error.reaction !== 'retry'
    throw error
  }
}

type Word = Extract<JournalEntry, { kind: 'attested' }>

async function contestedSum({ site, run }: Play, view: RunView): Promise<Contested | null> {
  const word = site.journal.entries().findLast((e): e is Word => e.kind === 'attested' && e.run === run)
  if (word?.status !== 'wrongSum' || word.cut === undefined) return null
  const events = await site.chain.events(0, { run, kinds: ['RoundOpened', 'Frozen', 'Published', 'PublicationDiscarded', ...END_KINDS] })
  const isOfWord = (e: ChainEvent): boolean => 'round' in e && e.round === word.round && 'attempt' in e && e.attempt === word.attempt
  const opened = events.findLast((e) => e.kind === 'RoundOpened' && e.round === word.round)
  const frozen = events.findLast((e) => e.kind === 'Frozen' && e.round === word.round)
  const at = events.findLastIndex((e) => e.kind === 'Published' && isOfWord(e))
  const published = events[at]
  if (opened?.kind !== 'RoundOpened' || frozen?.kind !== 'Frozen' || published?.kind !== 'Published') return null
  const isOut = events.slice(at).some((e) => (e.kind === 'PublicationDiscarded' || e.kind === 'Disputed') && isOfWord(e))
  if (isOut || !(isAttested(view, word) || isLastClosed(events, word))) return null
  return {
    name: `${word.round}/${word.attempt}/${published.block}`,
    ...{ round: word.round, openedAtBlock: opened.block, epoch: opened.epoch, included: frozen.included, cut: word.cut },
    publication: { publisher: published.site, sumRoot: published.sumRoot, sumCid: published.sumCid },
  }
}

const isAttested = ({ state, round }: RunView, word: Word): boolean =>
  state === 'Active' && round.phase === 'Attesting' && round.round === word.round && round.attempt === word.attempt

/** Until a later round freezes its result can be taken back. */
function isLastClosed(events: readonly ChainEvent[], { round, attempt }: Word): boolean {
  const closed = standingEnds(events).findLast((end) => end.kind === 'RoundClosed')
  return closed?.kind === 'RoundClosed' && closed.round === round && closed.attempt === attempt && !events.some((e) => e.kind === 'Frozen' && e.round > round)
}
