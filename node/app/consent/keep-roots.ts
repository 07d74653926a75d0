import { programmesWithTerms } from '#app/programme/terms-on-chain.ts'
import { isRotaError } from '#base/errors.ts'
import { expiresAt, type Terms } from '#core/consent/terms.ts'
import type { Clock, Log } from '#ports/host.ts'
import { putNextRoot, type RootSite, rootEvents } from './consent-root.ts'
import { cadenceOf } from './root-cadence.ts'
import { takeOverWithdrawals } from './take-over-withdrawals.ts'

export interface RootKeeperParts extends RootSite {
  /** Programmes of the studies that this site approved. */
  approved(): Promise<readonly string[]>
  readonly clock: Clock
  readonly log: Pick<Log, 'info' | 'warn'>
}

/** A cadence has hours; a rehearsal's, of seconds, comes a little late. */
const LOOK_MS = 5_000

/**
 * Puts this site's root on chain at each step of the cadence of every programme with terms that it takes part in, changed or not: when a
 * root comes says nothing of when somebody consented. A step that the node slept through is made up for once it is back; the first root
 * of all waits for a step's beginning. Where no cadence runs, a root follows when consents that the last one holds have come to their end.
 */
export async function keepRoots(parts: RootKeeperParts, signal: AbortSignal): Promise<void> {
  const look = rootKeeper(parts)
  while (!signal.aborted) {
    await look().catch((error: unknown) => {
      if (!isRotaError(error)) throw error
      parts.log.warn('consent.root-waits', { code: error.code })
    })
    await parts.clock.sleep(LOOK_MS, signal).catch(() => undefined)
  }
}

/** One look, to be repeated. @returns the programmes whose root it put on chain */
export function rootKeeper(parts: RootKeeperParts): () => Promise<readonly string[]> {
  /** The last step that needs nothing, that of the root sent or of the first look; another version of the terms may count steps otherwise. */
  const done = new Map<string, number>()
  return async () => {
    const put: string[] = []
    for (const { programme, terms } of await ownProgrammes(parts)) {
      const isRunning = terms !== null && expiresAt(terms) * 1000 > parts.clock.nowMs()
      const owed = isRunning ? await stepOwed(parts, programme, done) : await endsOwed(parts, programme, terms)
      if (owed === null) continue
      const count = await takeOverWithdrawals(parts, programme, parts.clock)
      const { epoch, block } = await putNextRoot(parts, programme)
      owed()
      parts.log.info('consent.root', { epoch, block, withdrawn: count })
      put.push(programme)
    }
    return put
  }
}

/** Null: no root is owed. Else to be called when it is on chain. */
type Owed = (() => void) | null

async function stepOwed(parts: RootKeeperParts, programme: string, done: Map<string, number>): Promise<Owed> {
  const cadence = await cadenceOf(parts, programme, parts.clock)
  if (cadence === null) return null
  const { step, lastStep, period } = cadence
  const counted = `${programme}/${period}`
  if (!done.has(counted)) done.set(counted, lastStep ?? step)
  return step <= Math.max(done.get(counted) ?? -1, lastStep ?? -1) ? null : () => void done.set(counted, step)
}

/** Of a programme without terms, or whose terms have expired: no consent stays in the site's root after its end. */
async function endsOwed(parts: RootKeeperParts, programme: string, terms: Terms | null): Promise<Owed> {
  const { folder, clock } = parts
  const last = (await rootEvents(parts, programme)).at(-1)
  if (last === undefined) return null
  const then = (await folder.archive.grants(programme)).find(({ root }) => root === last.root)
  const madeAt = then?.at === undefined ? last.timestamp : Date.parse(then.at) / 1000
  const hasExpired = terms !== null && madeAt < expiresAt(terms)
  return hasExpired || (then !== undefined && (await folder.consents.someEnded(programme, then.at, clock.nowMs()))) ? () => undefined : null
}

/** Each with its newest terms; null: it has none. */
async function ownProgrammes({ chain, folder, approved }: RootKeeperParts): Promise<readonly { readonly programme: string; readonly terms: Terms | null }[]> {
  const published = await programmesWithTerms(chain)
  const own = new Set([...(await folder.consents.programmes()), ...(published.size === 0 ? [] : await approved())])
  return [...own].map((programme) => ({ programme, terms: published.get(programme)?.terms ?? null }))
}
