import type { Address, Digest } from '#base/ids.ts'
import type { ChainWriter } from '#ports/chain.ts'
import type { Link } from './link.ts'
import type { Send } from './writer.ts'

/**
 * Charges a dataset for the first time only after a call of its own has made the word in which it adds up: so no charge costs more than 60,000 gas, the
 * first neither: 51,904 instead of 69,004, and 49,867 once before. On a chain that went back a charge may go without, and is taken as well.
 */
export function preparing<W extends ChainWriter>(writer: W, send: Send, { view }: Pick<Link, 'view'>, account: Address): W {
  const prepared = new Set<Digest>()
  const prepare = async (dataset: Digest): Promise<void> => {
    if (prepared.has(dataset)) return
    const [site] = (await view('SiteRegistry', 'siteOf', [account])) as readonly [bigint]
    if (!(await view('PrivacyLedger', 'isPrepared', [site, dataset]))) await send('PrivacyLedger', 'prepare', [dataset])
    prepared.add(dataset)
  }
  return {
    ...writer,
    async charge(run, round, dataset) {
      await prepare(dataset)
      await writer.charge(run, round, dataset)
    },
  }
}
