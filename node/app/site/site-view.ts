import type { EthersReader } from '#adapters/chain/ethers-chain.ts'
import { vaultAddresses } from '#adapters/vault/site-vault.ts'
import { withReader } from '#app/chain/chain-reader.ts'
import { RotaError } from '#base/errors.ts'
import type { Address } from '#base/ids.ts'
import type { SiteRecord } from '#ports/chain.ts'
import { readConfig, type SiteConfig } from './config.ts'
import { type SitePaths, sitePaths } from './site-paths.ts'

/** What of a site can be seen without its password: for commands that only look. */
export interface SiteView {
  readonly config: SiteConfig
  readonly paths: SitePaths
  readonly account: Address
  readonly chain: EthersReader
  readonly sites: readonly SiteRecord[]
  /** Null while the site is no active member. */
  readonly own: SiteRecord | null
}

/** @throws ROTA-1201, 1202 config, 1203 before `rota join`, 1302 no keys there, 5xxx chain */
export async function withSiteView<T>(folder: string, signal: AbortSignal, work: (view: SiteView) => Promise<T>): Promise<T> {
  const config = await readConfig(folder)
  const paths = sitePaths(folder)
  if (config.contracts === '') throw new RotaError('ROTA-1203', { folder: paths.folder })
  const { nodeAccount } = await vaultAddresses(folder)
  return withReader(config, signal, async (chain) => {
    const sites = await chain.sites()
    return work({ config, paths, account: nodeAccount, chain, sites, own: ownOf(sites, nodeAccount) })
  })
}

export const ownOf = (sites: readonly SiteRecord[], account: Address): SiteRecord | null =>
  sites.find((site) => site.node === account && site.state === 'Active') ?? null

/** As the others call a site. */
export const nameOf =
  (sites: readonly SiteRecord[]) =>
  (id: number): string =>
    sites.find((site) => site.id === id)?.name ?? `site ${id}`
