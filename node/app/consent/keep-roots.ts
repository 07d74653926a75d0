import { programmesWithTerms } from '#app/programme/terms-on-chain.ts'
import { isRotaError } from '#base/errors.ts'
import { expiresAt } from '#core/consent/terms.ts'
import type { Clock, Log } from '#ports/host.ts'
import { putNextRoot, type RootSite } from './consent-root.ts'
import { cadenceOf } from './root-cadence.ts'
import { takeOverWithdrawals } from './take-over-withdrawals.ts'

export interface RootKeeperParts extends RootSite {
  /** Programmes of the studies that this site approved. */
  approved(): Promise<readonly string[]>
  readonly clock: Clock
  readonly log: Log
}

/** A cadence has hours; a rehearsal's, of seconds, comes a little late. */
const LOOK_MS = 5_000

/**
 * Puts this site's root on chain at each step of the cadence of every programme with terms that it takes part in, changed or not: when a
 * root comes says nothing of when somebody consented. A step that the node slept through is made up for once it is back; the first root
 * of all waits for a step's beginning.
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
    for (const programme of await ownProgrammes(parts)) {
      const cadence = await cadenceOf(parts, programme, parts.clock)
      if (cadence === null) continue
      const { step, lastStep, period } = cadence
      const counted = `${programme}/${period}`
      if (!done.has(counted)) done.set(counted, lastStep ?? step)
      if (step <= Math.max(done.get(counted) ?? -1, lastStep ?? -1)) continue
      const count = await takeOverWithdrawals(parts, programme, parts.clock)
      const { epoch, block } = await putNextRoot(parts, programme)
      done.set(counted, step)
      parts.log.info('consent.root', { epoch, block, withdrawn: count })
      put.push(programme)
    }
    return put
  }
}

/** With terms that have not expired. */
async function ownProgrammes({ chain, folder, approved, clock }: RootKeeperParts): Promise<readonly string[]> {
  const published = await programmesWithTerms(chain)
  if (published.size === 0) return []
  const own = new Set([...(await folder.consents.programmes()), ...(await approved())])
  return [...published].flatMap(([programme, { terms }]) => (own.has(programme) && expiresAt(terms) * 1000 > clock.nowMs() ? [programme] : []))
}
