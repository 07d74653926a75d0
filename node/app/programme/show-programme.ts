import { withReader } from '#app/chain/chain-reader.ts'
import { readConfig } from '#app/site/config.ts'
import { RotaError } from '#base/errors.ts'
import { expiresAt } from '#core/consent/terms.ts'
import { type PublishedTerms, programmesWithTerms, termsUnder } from './terms-on-chain.ts'

/** A version of a programme's terms, for whoever wants to read them. */
export interface ShownTerms extends PublishedTerms {
  /** Of the site that keeps the programme. */
  readonly keeper: string
  /** Of the programme, this one included. */
  readonly versions: number
  readonly expired: boolean
}

/** Where to look: an endpoint, or a site's folder that names one. */
export type Where = { readonly folder: string } | { readonly chain: string; readonly contracts: string }

/** @param call.programme all programmes with terms, when it is undefined @throws ROTA-6016 no terms, 6017 no such version */
export async function showProgrammes(call: {
  readonly where: Where
  readonly programme: string | undefined
  readonly version: number | undefined
  readonly signal: AbortSignal
}): Promise<readonly ShownTerms[]> {
  const { where, programme, version } = call
  return withReader('folder' in where ? await readConfig(where.folder) : where, call.signal, async (chain) => {
    const names = programme === undefined ? [...(await programmesWithTerms(chain)).keys()].sort() : [programme]
    const sites = await chain.sites()
    const shown = async (name: string): Promise<ShownTerms> => {
      const all = await termsUnder(chain, name)
      const newest = all.at(-1)
      if (newest === undefined) throw new RotaError('ROTA-6016', { programme: name })
      const wanted = version === undefined ? newest : all.find(({ terms }) => terms.version === version)
      if (wanted === undefined) throw new RotaError('ROTA-6017', { programme: name, version: version ?? 0, newest: newest.terms.version })
      const keeper = sites.find(({ id }) => id === wanted.site)?.name ?? `site ${wanted.site}`
      return { ...wanted, keeper, versions: all.length, expired: expiresAt(wanted.terms) * 1000 <= Date.now() }
    }
    return Promise.all(names.map(shown))
  })
}
