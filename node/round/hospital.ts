import { has } from '#base/bitmap.ts'
import { isRotaError, nameOf, RotaError } from '#base/errors.ts'
import type { RunId, SiteId, StudyId } from '#base/ids.ts'
import type { RunState, StudyRecord } from '#ports/chain.ts'
import { decodeLacking } from '#wire/masking/lacking.ts'
import { decodeMessage, encodeTogether, type MaskingWord, type Message, type Word } from '#wire/message.ts'
import { watchChanges } from './change-watch.ts'
import { watchKeys } from './key-watch.ts'
import { answerTo } from './masking/answer.ts'
import { createMaskingMail } from './masking/mail.ts'
import { createOffers, type Offers } from './offers.ts'
import { settleOldJournal } from './old-journal.ts'
import { createPlay, type Play, type Said } from './play.ts'
import { type PlayHooks, type PlaySignals, playRun, RUN_GONE } from './player.ts'
import { createRetention } from './retention.ts'
import type { Site } from './site.ts'
import { steadyClock } from './steady-clock.ts'
import { initialModel, loadStudy, type Study } from './study.ts'
import { createWaker, type Waker } from './waker.ts'
import { createWishes } from './wishes.ts'
import { createWords } from './words.ts'

/** A hospital at work: follows the chain, draws keys when membership changed, and plays every run of the studies it approved. */
export interface Hospital {
  /** Resolves when stopped; rejects with what needs a person. */
  readonly done: Promise<void>
  /** The chain's height when this node last looked at all of it; 0 before the first look. */
  lookedAt(): number
  /** Finishes the steps under way, begins no others, then stops; what is not done after `withinMs` is given up. */
  drain(withinMs: number): Promise<void>
  stop(): Promise<void>
}

const LOOK_MS = 1_000
/** Events that give a site other studies, keys or runs to look after; the rounds of a run are its play's. */
const CHANGES = ['SiteChanged', 'StudyPublished', 'StudyApproved', 'StudyWithdrawn', 'EpochPublished', 'EpochReported', 'RunOpened', 'RunStateChanged'] as const
const SWEEP_MS = 60_000

export async function openHospital(given: Site, hooks: PlayHooks = {}): Promise<Hospital> {
  const site: Site = { ...given, host: { ...given.host, clock: steadyClock(given.host.clock) } }
  const stopped = new AbortController()
  const leaving = new AbortController()
  const wakeUp = createWaker()
  const unsubscribe = site.chain.onChange(wakeUp.wake)
  const rounds = new Map<RunId, number>()
  const attempts = new Map<RunId, number>()
  const mail: Mail = {
    plays: new Map(),
    attempts,
    offers: createOffers(rounds, attempts),
    words: createWords(rounds),
    masking: createMaskingMail(rounds),
    wishes: createWishes(rounds, site.host.clock),
  }
  await site.gossip.start(
    (message, from) => judge(message, from, mail),
    (message, from) => void deliver(site, message, from, mail, wakeUp),
    (question, from) => answer(question, from, mail),
  )
  const height = { looked: 0 }
  const done = follow(site, wakeUp, rounds, mail, { stop: stopped.signal, leave: leaving.signal }, hooks, height).catch((error) => {
    if (!stopped.signal.aborted) throw error
  })
  done.catch(() => undefined)
  const stop = async (): Promise<void> => {
    leaving.abort()
    stopped.abort(new Error('the node was asked to stop'))
    unsubscribe()
    await done.catch(() => undefined)
    await site.gossip.stop()
  }
  return {
    done,
    lookedAt: () => height.looked,
    stop,
    async drain(withinMs) {
      leaving.abort()
      wakeUp.wake()
      const patience = site.host.clock.sleep(withinMs, stopped.signal).catch(() => undefined)
      await Promise.race([done.catch(() => undefined), patience])
      await stop()
    },
  }
}

/** Looks at all studies and runs whenever the chain changed; each active run is played on its own. */
async function follow(
  site: Site,
  wakeUp: Waker,
  rounds: Map<RunId, number>,
  said: Mail,
  signals: PlaySignals,
  hooks: PlayHooks,
  height: { looked: number },
): Promise<void> {
  // What needs a person in one run ends the others too: a node that goes on half is trusted and should not be.
  const broken = new AbortController()
  const signal = AbortSignal.any([signals.stop, broken.signal])
  const studies = new Map<StudyId, Promise<Study>>()
  const playing = new Map<RunId, Promise<unknown>>()
  /** Played to their end. A chain that goes back may take the end with it: then they are played on. */
  const over = new Set<RunId>()
  const keys = watchKeys(site)
  const retention = createRetention(site)
  let nextSweepMs = site.host.clock.nowMs() + SWEEP_MS
  const studyOf = (id: StudyId): Promise<Study> => {
    const known = studies.get(id) ?? loadStudy(site, id, signal)
    studies.set(id, known)
    known.catch(() => studies.delete(id))
    return known
  }

  const begin = (run: RunId, study: Study): void => {
    const played = play(site, study, run, wakeUp, rounds, said, { stop: signal, leave: signals.leave }, hooks)
    playing.set(
      run,
      played.then(
        (toItsEnd) => void (toItsEnd && over.add(run)),
        (error) => {
          if (signal.aborted) return
          if (isRotaError(error, RUN_GONE)) playing.delete(run)
          else broken.abort(error)
        },
      ),
    )
  }

  const changes = watchChanges(site.chain, CHANGES)
  let nextLookMs = 0
  const look = async (): Promise<void> => {
    if (!(await changes.changed()) && site.host.clock.nowMs() < nextLookMs) {
      height.looked = Math.max(height.looked, changes.seenBlock())
      return
    }
    nextLookMs = 0
    const { number } = await site.chain.head()
    const records = (await site.chain.studies()).filter((record) => has(record.approved, site.id))
    for (const record of records) await tryTo(site, 'keys.failed', async () => keys.look(record, await studyOf(record.id), signal))
    const due = await runsToPlay(site, records, playing, over)
    for (const { run, study } of due)
      await tryTo(site, 'run.failed', async () => {
        const loaded = await studyOf(study)
        await settleOldJournal(site, run)
        begin(run, loaded)
      })
    if (site.restored?.is() === true && due.every(({ run }) => playing.has(run))) await site.restored.over()
    if (site.host.clock.nowMs() >= nextSweepMs) {
      nextSweepMs = site.host.clock.nowMs() + SWEEP_MS
      await retention.sweep()
    }
    height.looked = number
    nextLookMs = site.host.clock.nowMs() + LOOK_MS
  }

  try {
    while (!signals.leave.aborted) {
      const seen = wakeUp.mark()
      await tryTo(site, 'look.failed', look)
      signal.throwIfAborted()
      await wakeUp.next(seen, site.host.clock, LOOK_MS, signal)
    }
  } catch (error) {
    broken.abort(error)
    throw error
  } finally {
    await Promise.allSettled(playing.values())
    broken.abort(new Error('the node looks after nothing any more'))
    await keys.settled()
  }
}

/** Runs that go on, and the newest of a study that has finished while this site was away: its model is fetched. */
async function runsToPlay(
  site: Site,
  records: readonly StudyRecord[],
  playing: ReadonlyMap<RunId, unknown>,
  over: Set<RunId>,
): Promise<readonly { readonly run: RunId; readonly study: StudyId }[]> {
  const mine = (await site.chain.runs()).filter(({ study }) => records.some((record) => record.id === study))
  const missed: { readonly run: RunId; readonly study: StudyId }[] = []
  for (const last of records.map((record) => mine.findLast(({ study, state }) => study === record.id && state === 'Finished')))
    if (last !== undefined && !playing.has(last.run) && !(await site.store.has((await site.chain.run(last.run)).model.cid))) missed.push(last)
  return [...missed, ...mine.filter(({ run, state }) => !isFinal(state) && (!playing.has(run) || over.delete(run)))]
}

/** @returns whether it is played to its end: false when it is not to be played */
async function play(
  site: Site,
  study: Study,
  run: RunId,
  wakeUp: Waker,
  rounds: Map<RunId, number>,
  said: Mail,
  signals: PlaySignals,
  hooks: PlayHooks,
): Promise<boolean> {
  const opened = (await site.chain.events(0, { run, kinds: ['RunOpened'] })).find((e) => e.kind === 'RunOpened')
  if (opened?.kind === 'RunOpened' && opened.modelRoot !== initialModel(study, site).root) {
    const error = new RotaError('ROTA-5511', { run, study: study.id, site: opened.site })
    site.host.log.error('run.refused', { run, study: study.id, site: opened.site, code: error.code, what: error.message })
    return false
  }
  const played = createPlay(site, study, run, said, wakeUp.wake)
  said.plays.set(run, played)
  await playRun(played, wakeUp, signals, {
    ...hooks,
    seen(view) {
      rounds.set(run, view.round.round)
      said.attempts.set(run, view.round.attempt)
      hooks.seen?.(view)
    },
  })
  rounds.delete(run)
  said.attempts.delete(run)
  said.plays.delete(run)
  return true
}

const isFinal = (state: RunState): boolean => state === 'Finished' || state === 'Halted' || state === 'Ended'

/** What may pass is logged and tried at the next look; what needs a person goes up. */
async function tryTo(site: Site, event: string, act: () => Promise<unknown>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!isRotaError(error) || error.reaction === 'stop') throw error
    site.host.log.warn(event, { code: error.code, what: error.message })
  }
}

/** A message is judged and delivered, and in the simulator one array goes to all sites: each is decoded once. */
function read(message: Uint8Array): Message {
  const known = messages.get(message) ?? decodeMessage(message)
  messages.set(message, known)
  return known
}

const messages = new WeakMap<Uint8Array, Message>()

/** What members said that still matters. */
interface Mail extends Said {
  readonly offers: Offers
  /** The attempt that each run's round is in. */
  readonly attempts: Map<RunId, number>
  /** Of the runs that are under way: what this site itself said is asked of them. */
  readonly plays: Map<RunId, Play>
}

/** What this site says again to a member that lost it; null: nothing. What is no question of ours is not answered. */
function answer(bytes: Uint8Array, from: SiteId, { plays }: Mail): Uint8Array | null {
  try {
    const question = decodeLacking(bytes)
    const play = plays.get(question.run)
    const [first, ...more] = play === undefined ? [] : answerTo(play, question, from)
    return first === undefined || more.length === 0 ? (first ?? null) : encodeTogether([first, ...more])
  } catch (error) {
    if (isRotaError(error)) return null
    throw error
  }
}

/** What is no message of ours costs its sender score. */
function judge(message: Uint8Array, from: SiteId, mail: Mail): 'accept' | 'ignore' | 'reject' {
  let said: Message
  try {
    said = read(message)
  } catch (error) {
    if (isRotaError(error)) return error.code === 'ROTA-4003' ? 'ignore' : 'reject'
    throw error
  }
  return wordsOf(said).filter((word) => isWanted(word, from, mail)).length > 0 ? 'accept' : 'ignore'
}

const wordsOf = (said: Message): readonly Word[] => (said.kind === 'together' ? said.words : [said])

const isOfMasking = (word: Word): word is MaskingWord => word.kind === 'key-offer' || word.kind === 'deal' || word.kind === 'release'

/** Whether it is of a round that is under way, and not too much of its sender. */
function isWanted(word: Word, from: SiteId, { offers, words, masking, wishes }: Mail): boolean {
  if (isOfMasking(word)) return masking.take(from, word)
  if (word.kind === 'wish') return wishes.take(from, word)
  return word.kind === 'slice' ? words.take(from, word) : offers.take(from, word)
}

/** An object that came along is kept when its bytes are what its CID names; the round finds it in the store. */
async function deliver(site: Site, message: Uint8Array, from: SiteId, mail: Mail, wakeUp: Waker): Promise<void> {
  let isNews = false
  for (const word of wordsOf(read(message))) if (isWanted(word, from, mail) && (await take(site, word, from, mail))) isNews = true
  if (isNews) wakeUp.wake()
}

/** @returns whether the round should look */
async function take(site: Site, announced: Word, from: SiteId, { words, masking, wishes }: Mail): Promise<boolean> {
  if (isOfMasking(announced)) {
    masking.hear(from, announced)
    return true
  }
  if (announced.kind === 'wish') {
    wishes.hear(from, announced)
    return true
  }
  if (announced.kind === 'slice') {
    words.hear(from, announced)
    return true
  }
  try {
    if (announced.inline !== null) await site.store.putSealed(announced.inline, announced.cid)
    return announced.inline !== null
  } catch (error) {
    site.host.log.warn('announce.refused', { site: from, run: announced.run, round: announced.round, reason: nameOf(error) })
    return false
  }
}
