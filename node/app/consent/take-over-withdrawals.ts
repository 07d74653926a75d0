import { withdrawalsUnder } from '#app/site/at-site.ts'
import type { SiteFolder } from '#app/site/site-folder.ts'
import type { ChainReader } from '#ports/chain.ts'
import type { Clock } from '#ports/host.ts'

/**
 * Notes in the site's record who withdrew on chain, so that the next root is without them and they may consent anew. Their rows are out of
 * use from the tag's block on, noted or not.
 * @returns how many were not noted yet
 */
export async function takeOverWithdrawals(
  { folder, chain }: { readonly folder: Pick<SiteFolder, 'consents'>; readonly chain: Pick<ChainReader, 'events'> },
  programme: string,
  clock: Pick<Clock, 'nowMs'>,
): Promise<number> {
  const [standings, withdrawn] = await Promise.all([folder.consents.standings(programme), withdrawalsUnder(chain, programme)])
  const at = new Date(clock.nowMs()).toISOString()
  const gone = [...standings].flatMap(([patient, { state, tag }]) => (state === 'granted' && tag !== null && withdrawn.has(tag) ? [{ patient, tag }] : []))
  await folder.consents.append(gone.map(({ patient, tag }) => ({ kind: 'withdrawn', patient, programme, tag, at, by: 'chain' })))
  return gone.length
}
