import { DifferencingLedger, MIN_DIFFERENCE } from '#adapters/cohort/differencing-ledger.ts'
import { type AtSite, consentedNow } from '#app/site/at-site.ts'
import { isRotaError } from '#base/errors.ts'
import type { Part } from '#core/consent/parts.ts'
import { mayRest, type Protocol } from '#core/protocol/protocol.ts'

/** By so many patients who train, or test, this hospital's cohort differs from one that it used before; the rule asks for none, or `least`. */
export interface KeptOut {
  readonly patients: number
  readonly part: Part
  readonly least: number
}

/**
 * By how few patients this hospital's cohort of now differs from those of its earlier exact runs, where the rule keeps it out of another one for that.
 * Null: nothing keeps it out, or its data cannot be read now, which its node will say by itself.
 */
export async function keptOutBy(site: AtSite, protocol: Protocol): Promise<KeptOut | null> {
  try {
    const { patients, testing } = await consentedNow(site, protocol)
    const ledger = new DifferencingLedger(site.folder.paths.differencing)
    const verdict = await ledger.mayJoin(patients, testing)
    return verdict.ok || (mayRest(protocol) && (await ledger.whoRests(patients, testing)) !== null)
      ? null
      : { patients: verdict.smallestDifference, part: verdict.part, least: MIN_DIFFERENCE }
  } catch (error) {
    if (!isRotaError(error)) throw error
    return null
  }
}
