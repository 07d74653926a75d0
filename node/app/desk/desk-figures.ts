import { readFile } from 'node:fs/promises'
import { writeAtomic } from '#adapters/journal/atomic-file.ts'
import type { SitePaths } from '#app/site/site-paths.ts'
import type { Clock } from '#ports/host.ts'
import { type DeskEntry, type DeskLog, isLook } from '#web/desk/desk-log.ts'
import type { Metrics } from '#web/metrics.ts'

/** What of the desk may be seen without its password: counts of the last day, no names. For `rota status` and the node's metrics. */
export interface DeskFigures {
  readonly url: string
  /** ISO time of this count. */
  readonly at: string
  readonly looks: number
  /** Stewards who were stopped since they looked at too many people. */
  readonly limited: number
  /** ISO time of the last; null: none. */
  readonly limitedAt: string | null
  readonly refusedSignIns: number
}

const DAY_MS = 86_400_000

export function figuresOf(url: string, entries: readonly DeskEntry[], nowMs: number): DeskFigures {
  const recent = entries.filter(({ at }) => Date.parse(at) > nowMs - DAY_MS)
  const limited = recent.filter(({ what }) => what === 'limited')
  return {
    url,
    at: new Date(nowMs).toISOString(),
    looks: recent.filter(isLook).length,
    limited: new Set(limited.map(({ who }) => who)).size,
    limitedAt: limited.at(-1)?.at ?? null,
    refusedSignIns: recent.filter(({ what }) => what === 'refused').length,
  }
}

interface Counting {
  readonly paths: Pick<SitePaths, 'deskFigures'>
  readonly log: DeskLog
  readonly url: string
  readonly clock: Clock
}

const COUNT_MS = 5_000

/** Writes the figures down every few seconds until the signal aborts; a disk that refuses is no reason to close the desk. */
export async function keepCounting({ paths, log, url, clock }: Counting, signal: AbortSignal): Promise<void> {
  let written = ''
  while (!signal.aborted) {
    const figures = await log.entries().then(
      (entries) => figuresOf(url, entries, clock.nowMs()),
      () => null,
    )
    // To the minute: a disk need not be written for the seconds alone.
    const text = figures === null ? written : `${JSON.stringify({ ...figures, at: `${figures.at.slice(0, 16)}:00.000Z` })}\n`
    if (text !== written)
      await writeAtomic(paths.deskFigures, text).then(
        () => (written = text),
        () => undefined,
      )
    await clock.sleep(COUNT_MS, signal).catch(() => undefined)
  }
}

/** The desk's figures among the node's metrics. */
export function watchDesk(metrics: Metrics, paths: Pick<SitePaths, 'deskFigures'>): void {
  const looks = metrics.gauge('rota_desk_looks', 'Looks at people at the desk within a day.')
  const limited = metrics.gauge('rota_desk_limited_stewards', 'Stewards who were stopped at the limit of looks within a day.')
  const refused = metrics.gauge('rota_desk_refused_sign_ins', 'Sign-ins at the desk that were refused within a day, under names that have an account.')
  metrics.onCollect(async () => {
    const figures = await readFigures(paths, Date.now())
    looks.set(figures?.looks ?? 0)
    limited.set(figures?.limited ?? 0)
    refused.set(figures?.refusedSignIns ?? 0)
  })
}

/** Null where no desk has run here, or its figures are of another day. */
export async function readFigures({ deskFigures }: Pick<SitePaths, 'deskFigures'>, nowMs: number): Promise<DeskFigures | null> {
  try {
    const figures = JSON.parse(await readFile(deskFigures, 'utf8')) as DeskFigures
    return Date.parse(figures.at) > nowMs - DAY_MS ? figures : null
  } catch {
    return null
  }
}
