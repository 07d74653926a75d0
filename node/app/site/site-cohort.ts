import { resolve } from 'node:path'
import type { EthersReader } from '#adapters/chain/ethers-chain.ts'
import { CsvCohort } from '#adapters/cohort/csv-cohort.ts'
import { consentRoots } from '#app/consent/consent-root.ts'
import { newestTerms } from '#app/programme/terms-on-chain.ts'
import { networkDigest } from '#core/consent/cohort-map.ts'
import { expiresAt } from '#core/consent/terms.ts'
import type { SiteRecord } from '#ports/chain.ts'
import type { Cohort } from '#ports/cohort.ts'
import { sha256 } from '../sha256.ts'
import { LazyCohort } from './lazy-cohort.ts'
import type { SiteFolder } from './site-folder.ts'

/** This site's rows as its node reads them. */
export function siteCohort(folder: SiteFolder, chain: EthersReader, own: Pick<SiteRecord, 'id'>): Cohort {
  const { config, paths, consents, vault, archive } = folder
  const entriesOnChain = async (programme: string): Promise<number> => {
    const root = (await consentRoots({ chain, own }, programme)).at(-1)?.root
    return (await archive.grants(programme)).find((grants) => grants.root === root)?.recordEntries ?? 0
  }
  const expiryOf = async (programme: string): Promise<string | null> => {
    const newest = await newestTerms(chain, programme)
    return newest === null ? null : new Date(expiresAt(newest.terms) * 1000).toISOString()
  }
  const fixed = { file: resolve(paths.folder, config.data.file), consents, vault, archive, network: networkOf(folder, chain), entriesOnChain, expiryOf }
  return new LazyCohort(folder, (mapping) => new CsvCohort({ ...fixed, mapping }))
}

export const networkOf = ({ config }: Pick<SiteFolder, 'config'>, { chainId }: Pick<EthersReader, 'chainId'>): Uint8Array =>
  networkDigest(chainId, config.contracts, sha256)
