import { type AtSite, atOpenSite } from '#app/site/at-site.ts'
import type { SiteFolder } from '#app/site/site-folder.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import { type ToldError, toldError } from '../told-error.ts'

/** What came of asking the chain while a person stands at the desk; null, and why, where it did not answer in time. */
export type InTime<T> = { readonly done: T; readonly problem: null } | { readonly done: null; readonly problem: ToldError }

/**
 * @param patienceMs default 8 s
 * @throws whatever is not the chain's fault
 */
export async function whileWaiting<T>(
  folder: SiteFolder,
  { signal, patienceMs = PATIENCE_MS }: { readonly signal: AbortSignal; readonly patienceMs?: number | undefined },
  work: (site: AtSite) => Promise<T>,
): Promise<InTime<T>> {
  const patience = AbortSignal.timeout(patienceMs)
  try {
    return { done: await atOpenSite(folder, AbortSignal.any([signal, patience]), work), problem: null }
  } catch (error) {
    const away = patience.aborted && !isRotaError(error) ? new RotaError('ROTA-5001', { url: folder.config.chain, method: 'the desk waits no longer' }) : error
    if (!isAway(away)) throw error
    return { done: null, problem: toldError(away) }
  }
}

const PATIENCE_MS = 8_000

/** The chain, not the patient or the record, is why. */
const isAway = (error: unknown): error is RotaError => isRotaError(error) && error.code.startsWith('ROTA-5')
