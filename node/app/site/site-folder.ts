import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { connectChain, type EthersChain } from '#adapters/chain/ethers-chain.ts'
import { CohortArchive } from '#adapters/cohort/cohort-archive.ts'
import { ConsentStore } from '#adapters/cohort/consent-store.ts'
import { systemRandom } from '#adapters/host/system-host.ts'
import { diskError } from '#adapters/journal/atomic-file.ts'
import { type PasswordSource, readPassword } from '#adapters/vault/password.ts'
import type { OpenVault } from '#adapters/vault/secrets-vault.ts'
import { openVault } from '#adapters/vault/site-vault.ts'
import { endpointsOf } from '#app/chain/chain-reader.ts'
import { RotaError } from '#base/errors.ts'
import { address } from '#base/ids.ts'
import type { SiteRecord } from '#ports/chain.ts'
import { readConfig, type SiteConfig } from './config.ts'
import { type SitePaths, sitePaths } from './site-paths.ts'

export { type SitePaths, sitePaths } from './site-paths.ts'

export interface SiteFolder {
  readonly config: SiteConfig
  readonly paths: SitePaths
  readonly vault: OpenVault
  readonly consents: ConsentStore
  readonly archive: CohortArchive
}

/** Opens config and vault. @param password default: the file that the config names @throws ROTA-12xx, ROTA-13xx (1306 when the state's folder cannot be made) */
export async function openSiteFolder(folder: string, password: PasswordSource | null): Promise<SiteFolder> {
  const config = await readConfig(folder)
  const paths = sitePaths(folder)
  const vault = await openVault(folder, readPassword(passwordSource(config, folder, password)), systemRandom)
  await mkdir(paths.state, { recursive: true, mode: 0o700 }).catch((cause) => {
    throw diskError(paths.state, cause)
  })
  return { config, paths, vault, consents: new ConsentStore(paths.consents, vault), archive: new CohortArchive(paths.cohorts, vault) }
}

export function passwordSource(config: SiteConfig, folder: string, given: PasswordSource | null): PasswordSource {
  if (given !== null) return given
  if (config.passwordFile === undefined) throw new RotaError('ROTA-1308', { source: 'nowhere: neither option nor config names a password file' })
  return { file: resolve(folder, config.passwordFile) }
}

/**
 * The chain as this site's node account.
 * @param keepEvents only the node, which holds the folder's lock, writes the file of events: a command beside it would write each event a second time
 * @throws ROTA-1203 before `rota join`, ROTA-5xxx
 */
export async function connectSite({ config, paths, vault }: SiteFolder, signal: AbortSignal, keepEvents = false): Promise<EthersChain> {
  if (config.contracts === '') throw new RotaError('ROTA-1203', { folder: paths.folder })
  return connectChain({
    ...endpointsOf(config),
    contracts: address(config.contracts),
    signer: vault.nodeKey,
    signal,
    ...(config.chainId === undefined ? {} : { chainId: BigInt(config.chainId) }),
    ...(keepEvents ? { cacheDir: paths.events } : {}),
  })
}

/** @throws ROTA-1204 when the site is no active member */
export async function ownRecord(chain: EthersChain): Promise<SiteRecord> {
  const sites = await chain.sites()
  const own = sites.find((site) => site.node === chain.account && site.state === 'Active')
  if (own === undefined) throw new RotaError('ROTA-1204', { account: chain.account })
  return own
}
