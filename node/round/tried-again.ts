import type { Site } from './site.ts'

const FIRST_REST_MS = 125
const LONGEST_REST_MS = 1_000

/**
 * Tries until there is nothing left to try. What was lost on its way comes at once; who is gone is not asked without a rest, doubled each time up to a second.
 * @param attempt whether there is nothing left to try; so it says too once `signal` aborts
 */
export async function triedAgain({ clock }: Pick<Site['host'], 'clock'>, signal: AbortSignal, attempt: () => Promise<boolean>): Promise<void> {
  for (let restMs = FIRST_REST_MS; !(await attempt()); restMs = Math.min(LONGEST_REST_MS, 2 * restMs)) await clock.sleep(restMs, signal).catch(() => undefined)
}
