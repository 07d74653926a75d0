import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { systemClock, systemRandom } from '#adapters/host/system-host.ts'
import { createTrainer } from '#adapters/training/trainer.ts'
import { dialOut } from '#app/node/dial-out.ts'
import { clockAlarm } from '#app/node/peer-watch.ts'
import { withScratchStore } from '#app/node/scratch-store.ts'
import { protocolToYaml } from '#app/protocol/protocol-file.ts'
import { writeText } from '#app/results/results-csv.ts'
import { atSite } from '#app/site/at-site.ts'
import { readConfig } from '#app/site/config.ts'
import { sitePaths } from '#app/site/site-folder.ts'
import { nodeHealth } from '#app/site/site-status.ts'
import { withSiteView } from '#app/site/site-view.ts'
import { protocolOf, type StudyCall } from '#app/study/studies.ts'
import { type ErrorCode, type ErrorDetails, RotaError } from '#base/errors.ts'
import type { SiteId, StudyId } from '#base/ids.ts'
import type { Protocol } from '#core/protocol/protocol.ts'
import { type ToldError, toldError } from '../told-error.ts'
import { type CanaryReport, runCanary } from './canary.ts'
import { type CanaryVerdict, dayOf, keepCanary, verdictOf } from './canary-file.ts'
import type { CanaryParts } from './canary-parts.ts'
import { createCanaryRounds } from './canary-rounds.ts'

export interface CanaryOptions extends StudyCall {
  readonly study: StudyId
  readonly waitMs: number
  /** Where the protocol with the proposed limits goes. */
  readonly outFile: string | undefined
}

export interface ToldCanary extends CanaryReport, CanaryVerdict {
  /** This clock against the members', where it is far off. */
  readonly clock: ToldError | null
  /** The protocol with the proposed limits, where it was asked for. */
  readonly file: string | null
}

/**
 * Runs a canary, through the running node where there is one. The result is kept in the site's folder.
 * @throws ROTA-1403 the node did not take it, 1404 not approved here, 1220 the file exists, and as `runCanary`
 */
export async function canary(options: CanaryOptions, onStep: (text: string) => void = () => {}): Promise<ToldCanary> {
  const { folder, outFile } = options
  if (outFile !== undefined && existsSync(outFile)) throw new RotaError('ROTA-1220', { file: outFile })
  const config = await readConfig(folder)
  const running = (await nodeHealth(config)) !== null
  const report = running ? await askNode(config.web.port, options, onStep) : await alone(options, onStep)
  if (outFile !== undefined) await writeText(outFile, await withLimits(options, report))
  const alarm = clockAlarm(report.rows)
  return { ...report, ...verdictOf(report), clock: alarm === null ? null : toldError(alarm), file: outFile ?? null }
}

/**
 * What the canary met with, worst first: none keeps what was measured from being shown.
 * ROTA-1405 a wrong sum, 1402 an approved member never answered, 1407 the round was not played to its end
 */
export function problemsOf(
  { study, rows, round, unanswered }: Pick<CanaryReport, 'study' | 'rows' | 'round' | 'unanswered'>,
  waitMs: number,
): readonly RotaError[] {
  const nameOf = (site: SiteId): string => rows.find((row) => row.site === site)?.name ?? `site ${site}`
  const wrong = [...new Set((round?.wrong ?? []).map(({ site }) => nameOf(site)))]
  const why = round === null ? [] : [...round.faults.map(({ site, step, code }) => `${nameOf(site)} did not ${STEP_VERBS[step]}, ${code}`)]
  if (round !== null && !round.closed && wrong.length === 0) why.push('no majority came to the same')
  return [
    ...(wrong.length > 0 ? [new RotaError('ROTA-1405', { sites: wrong.join(', '), study })] : []),
    ...(unanswered.length > 0 ? [new RotaError('ROTA-1402', { sites: unanswered.join(', '), seconds: waitMs / 1000 })] : []),
    ...(why.length > 0 ? [new RotaError('ROTA-1407', { study, why: why.join('; ') })] : []),
  ]
}

export const STEP_VERBS = { begin: 'begin', contribute: 'contribute', witness: 'witness', tell: 'add up', publish: 'publish', attest: 'attest' } as const

/** The node answers within a second, if only how far it is. */
const MOST_REQUEST_MS = 30_000

interface NodeAnswer {
  readonly report?: CanaryReport
  readonly error?: { readonly code: ErrorCode; readonly details: ErrorDetails }
  readonly ticket?: string
  readonly step?: string
  readonly reason?: string
}

async function askNode(port: number, { folder, study, waitMs, signal }: CanaryOptions, onStep: (text: string) => void): Promise<CanaryReport> {
  const failed = (reason: string, cause?: unknown) => new RotaError('ROTA-1403', { folder, reason }, cause)
  const token = await readFile(sitePaths(folder).control, 'utf8').catch((cause) => {
    throw failed('its control key cannot be read', cause)
  })
  const headers = { authorization: `Bearer ${token.trim()}` }
  for (let ticket = ''; ; ) {
    const reply = await fetch(`http://127.0.0.1:${port}/canary?study=${study}&waitMs=${waitMs}${ticket}`, {
      headers,
      signal: AbortSignal.any([signal, AbortSignal.timeout(MOST_REQUEST_MS)]),
    }).catch((cause) => {
      signal.throwIfAborted()
      throw failed(cause instanceof Error ? cause.name : 'no answer', cause)
    })
    const answer = (await reply.json().catch(() => ({}))) as NodeAnswer
    if (answer.error !== undefined) throw new RotaError(answer.error.code, answer.error.details)
    if (answer.report !== undefined) return answer.report
    if (answer.ticket === undefined) throw failed(answer.reason ?? `status ${reply.status}`)
    ticket = `&ticket=${encodeURIComponent(answer.ticket)}`
    onStep(answer.step ?? 'the node asks the members')
  }
}

/** A store and a place in the network of the command's own, for as long as it takes. */
function alone(options: CanaryOptions, onStep: (text: string) => void): Promise<CanaryReport> {
  const { study, waitMs, signal } = options
  return atSite(options, async (site) => {
    const { paths, vault } = site.folder
    return dialOut(vault, site.sites, (network) =>
      withScratchStore(paths.state, network, async (store, dir) => {
        const trainer = createTrainer()
        const parts: CanaryParts = {
          site: site.own.id,
          name: site.own.name,
          chain: site.chain,
          network,
          store,
          storeDir: dir,
          state: paths.state,
          cohort: site.cohort,
          trainer,
          clock: systemClock,
          random: systemRandom,
          protocol: (record, until) => protocolOf({ folder: site.folder }, record, until),
        }
        const rounds = createCanaryRounds(parts)
        try {
          const report = await runCanary(parts, rounds, { study, waitMs }, signal, onStep)
          await keepCanary(paths, report)
          return report
        } finally {
          await rounds.stop()
          await trainer.stop()
        }
      }),
    )
  })
}

/** The same protocol with the limits that the canary proposes: another digest, so stewards approve it anew. */
async function withLimits({ folder, study, signal }: CanaryOptions, report: CanaryReport): Promise<string> {
  const protocol = await withSiteView(folder, signal, async (view) => protocolOf({ folder: view }, await view.chain.study(study), signal))
  const limits = { ...protocol.limits, ...Object.fromEntries(report.limits.map(({ phase, proposed }) => [phase, proposed])) } as Protocol['limits']
  return `# The protocol of study ${study} with limits from the canary of ${dayOf(report.atMs)}: training 2 x the slowest site's 95th percentile, the other phases
# 2 x their transfers. It has another digest: publish it as a study of its own, and have it approved.
${protocolToYaml({ ...protocol, limits })}`
}
