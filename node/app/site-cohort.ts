import { resolve } from 'node:path'
import type { EthersReader } from '#adapters/chain/ethers-chain.ts'
import { CsvCohort } from '#adapters/cohort/csv-cohort.ts'
import { networkDigest } from '#core/consent/cohort-map.ts'
import type { Cohort } from '#ports/cohort.ts'
import { LazyCohort } from './lazy-cohort.ts'
import { sha256 } from './sha256.ts'
import type { SiteFolder } from './site-folder.ts'

/** This site's rows as its node reads them. */
export function siteCohort(folder: SiteFolder, chain: Pick<EthersReader, 'chainId'>): Cohort {
  const { config, paths, consents, vault, archive } = folder
  const network = networkOf(folder, chain)
  return new LazyCohort(folder, (mapping) => new CsvCohort({ file: resolve(paths.folder, config.data.file), mapping, consents, vault, archive, network }))
}

export const networkOf = ({ config }: Pick<SiteFolder, 'config'>, { chainId }: Pick<EthersReader, 'chainId'>): Uint8Array =>
  networkDigest(chainId, config.contracts, sha256)
