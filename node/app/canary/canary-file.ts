import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeAtomic } from '#adapters/journal/atomic-file.ts'
import type { SitePaths } from '#app/site/site-paths.ts'
import { RotaError } from '#base/errors.ts'
import type { Digest, StudyId } from '#base/ids.ts'
import type { CanaryReport } from './canary.ts'
import { shortfallText, shortPhases } from './canary-limits.ts'

/** What a stored canary says of a study's start. */
export interface CanaryVerdict {
  readonly atMs: number
  /** Why a run could not finish; none: nothing that was measured speaks against it. */
  readonly shortfalls: readonly string[]
  readonly unanswered: readonly string[]
}

export async function keepCanary(paths: Pick<SitePaths, 'canary'>, report: CanaryReport): Promise<void> {
  await mkdir(paths.canary, { recursive: true, mode: 0o700 })
  await writeAtomic(fileOf(paths, report.study), `${JSON.stringify(report)}\n`)
}

/** The last canary of exactly this protocol; null when there is none (or its file is damaged: it can be run again). */
export async function keptCanary(paths: Pick<SitePaths, 'canary'>, study: StudyId, protocolDigest: Digest): Promise<CanaryReport | null> {
  try {
    const report = JSON.parse(await readFile(fileOf(paths, study), 'utf8')) as CanaryReport
    return report.protocolDigest === protocolDigest && [report.limits, report.rows, report.ways].every(Array.isArray) ? report : null
  } catch {
    return null
  }
}

const fileOf = ({ canary }: Pick<SitePaths, 'canary'>, study: StudyId): string => join(canary, `study-${study}.json`)

export function verdictOf(report: Pick<CanaryReport, 'atMs' | 'limits' | 'unanswered' | 'able' | 'minSites' | 'round' | 'rows'>): CanaryVerdict {
  const { atMs, limits, unanswered, able, minSites, round, rows } = report
  const few = able < minSites ? [`${able} of at least ${minSites} sites could take part`] : []
  const nameOf = (site: number): string => rows.find((row) => row.site === site)?.name ?? `site ${site}`
  const wrong = [...new Set((round?.wrong ?? []).map(({ site }) => `${nameOf(site)} came to a wrong sum`))]
  const open = round !== null && !round.closed && wrong.length === 0 ? ['its round did not close'] : []
  return { atMs, unanswered, shortfalls: [...shortPhases(limits).map(shortfallText), ...few, ...wrong, ...open] }
}

/** @throws ROTA-1401 when the canary says that a run could not finish */
export function checkStart(study: StudyId, { shortfalls, atMs }: CanaryVerdict): void {
  if (shortfalls.length > 0) throw new RotaError('ROTA-1401', { study, shortfalls: shortfalls.join('; '), when: dayOf(atMs) })
}

/** 2026-01-05 08:00 UTC. */
export const dayOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
