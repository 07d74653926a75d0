import { readFile } from 'node:fs/promises'
import { writeAtomic } from '#adapters/journal/atomic-file.ts'
import type { Network } from '#adapters/network/host.ts'
import { askQuestion, serveQuestions } from '#adapters/network/questions.ts'
import { coarseSeconds } from '#app/canary/canary-limits.ts'
import { readRoundNotes, workMsOf } from '#app/node/round-notes.ts'
import type { SitePaths } from '#app/site/site-paths.ts'
import type { RunId, SiteId } from '#base/ids.ts'
import type { Clock, Log } from '#ports/host.ts'
import {
  decodeShare,
  decodeShareQuestion,
  encodeShare,
  encodeShareQuestion,
  SHARE_LIMIT_BYTES,
  SHARE_PROTOCOL,
  type ShareVersion,
  type ToldShare,
} from '#wire/share.ts'

/** What other sites said a run had cost them, by run and site. */
export type ToldShares = Readonly<Record<string, Readonly<Record<string, ToldShare>>>>

export interface SharesParts {
  readonly network: Pick<Network, 'open' | 'serve' | 'unserve' | 'connected'>
  readonly paths: Pick<SitePaths, 'rounds' | 'shares'>
  readonly clock: Clock
  readonly log: Log
}

/** Members tell each other what a run costs them: bytes and seconds of work, each of itself. */
export interface Shares {
  /** Asks those who are connected, when nobody was asked lately; `over`: once more, after the others noted their last round too. */
  ask(run: RunId, over: boolean): void
  stop(): Promise<void>
}

const ASK_AGAIN_MS = 30_000
const OVER_AFTER_MS = 1_500
const ANSWER_MS = 5_000
const KEPT_RUNS = 16

export async function startShares({ network, paths, clock, log }: SharesParts): Promise<Shares> {
  const ended = new AbortController()
  const asked = new Map<RunId, number>()
  let queue: Promise<void> = Promise.resolve()
  await serveQuestions(network, SHARE_PROTOCOL, SHARE_LIMIT_BYTES, async (bytes) => {
    const { run, version } = decodeShareQuestion(bytes)
    return encodeShare(ownShare(paths.rounds, run), version)
  })

  const askAll = async (run: RunId, waitMs: number): Promise<void> => {
    await clock.sleep(waitMs, ended.signal)
    const answers = await Promise.all(network.connected().map(async (site) => [site, await askOne(network, site, run, ended.signal)] as const))
    await keepShares(paths.shares, run, new Map(answers.flatMap(([site, share]) => (share === null ? [] : [[site, share] as const]))))
  }
  return {
    ask(run, over) {
      const now = clock.nowMs()
      if (ended.signal.aborted || (!over && now - (asked.get(run) ?? Number.NEGATIVE_INFINITY) < ASK_AGAIN_MS)) return
      asked.set(run, now)
      queue = queue
        .then(() => askAll(run, over ? OVER_AFTER_MS : 0))
        .catch((error) => {
          if (!ended.signal.aborted) log.debug('shares.failed', { run, reason: String(error) })
        })
    },
    async stop() {
      ended.abort()
      await queue
      await network.unserve(SHARE_PROTOCOL)
    },
  }
}

/** A node of the version before knows the first question alone. Of a member that is away, or too old to know any, nothing is known. */
function askOne(network: SharesParts['network'], site: SiteId, run: RunId, signal: AbortSignal): Promise<ToldShare | null> {
  const until = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)])
  const ask = async (version: ShareVersion): Promise<ToldShare> =>
    decodeShare(await askQuestion(network, site, SHARE_PROTOCOL, SHARE_LIMIT_BYTES, encodeShareQuestion(run, version), until))
  return ask(2)
    .catch(() => ask(1))
    .catch(() => null)
}

function ownShare(file: string, run: RunId): ToldShare {
  const notes = [...readRoundNotes(file).values()].filter((note) => note.run === run)
  const sum = (of: (note: (typeof notes)[number]) => number) => notes.reduce((total, note) => total + of(note), 0)
  // Training that took no measurable time is training all the same.
  const trained = notes.some(({ trainMs }) => trainMs !== null)
  const trainSeconds = trained ? coarseSeconds(sum(({ trainMs }) => trainMs ?? 0) / 1000) : 0
  const workMs = workMsOf(notes)
  const share = { rounds: notes.length, bytesIn: sum((n) => n.bytesIn), bytesOut: sum((n) => n.bytesOut), trainSeconds }
  return workMs === undefined ? share : { ...share, workSeconds: coarseSeconds(workMs / 1000) }
}

async function keepShares(file: string, run: RunId, told: ReadonlyMap<SiteId, ToldShare>): Promise<void> {
  if (told.size === 0) return
  const before = await readShares(file)
  const runs: ToldShares = { ...before, [run]: { ...before[run], ...Object.fromEntries(told) } }
  const newest = Object.keys(runs)
    .sort((a, b) => Number(a) - Number(b))
    .slice(-KEPT_RUNS)
  await writeAtomic(file, `${JSON.stringify(Object.fromEntries(newest.map((id) => [id, runs[id]])))}\n`)
}

/** None when there is no such file, or it is damaged: they are told again. */
export async function readShares(file: string): Promise<ToldShares> {
  try {
    const value = JSON.parse(await readFile(file, 'utf8')) as unknown
    return typeof value === 'object' && value !== null ? (value as ToldShares) : {}
  } catch {
    return {}
  }
}
