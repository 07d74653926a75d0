import { existsSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { isAbsolute, relative, resolve } from 'node:path'
import type { SiteDetails } from '#adapters/chain/membership.ts'
import { freePort } from '#adapters/devchain/machine.ts'
import { systemRandom } from '#adapters/host/system-host.ts'
import { diskError, writeAtomic } from '#adapters/journal/atomic-file.ts'
import { peerIdOf } from '#adapters/network/peer-id.ts'
import { type PasswordSource, readPassword } from '#adapters/vault/password.ts'
import type { Cost } from '#adapters/vault/sealed-file.ts'
import { createAccount, createVault, vaultPath } from '#adapters/vault/site-vault.ts'
import { RotaError } from '#base/errors.ts'
import { address, digest } from '#base/ids.ts'
import { CONFIG_FILE, type SiteConfig, writeConfigText } from './config.ts'
import { type SitePaths, sitePaths } from './site-folder.ts'

export interface InitOptions {
  readonly folder: string
  readonly name: string
  readonly chain: string
  readonly data: string
  readonly mapping: string | undefined
  /** Multiaddrs; undefined: a free port on this machine alone. Empty: the site only dials out. */
  readonly listen: readonly string[] | undefined
  readonly announce: readonly string[]
  readonly webPort: number | undefined
  readonly password: PasswordSource
  /** Of steward and recovery keystores; default: the same. */
  readonly stewardPassword: PasswordSource | undefined
  /** What each guess at a password costs; default: as for a hospital's keys. */
  readonly keyCost?: Cost
}

/** What a site shows others: founders hand it to whoever creates the network. */
export type SiteCard = SiteDetails

/** Makes a site's folder: keys, config, and the card that others may see. @throws ROTA-1303 when there are keys already, ROTA-1306 when it cannot be written */
export async function initSite(options: InitOptions): Promise<{ readonly card: SiteCard; readonly folder: string }> {
  const paths = sitePaths(options.folder)
  if (existsSync(paths.config)) throw new RotaError('ROTA-1303', { file: paths.config })
  await mkdir(paths.folder, { recursive: true, mode: 0o700 }).catch((cause) => {
    throw diskError(paths.folder, cause)
  })
  const password = readPassword(options.password)
  const others = options.stewardPassword === undefined ? password : readPassword(options.stewardPassword)
  const made: string[] = []
  try {
    return { card: await makeSite(options, paths, { password, others }, made), folder: paths.folder }
  } catch (error) {
    // Half a site could be neither used nor made again; nobody has seen its keys yet.
    await Promise.all(made.map((file) => rm(file, { force: true })))
    throw error
  }
}

/** @param made gets the files that this call has written */
async function makeSite(options: InitOptions, paths: SitePaths, { password, others }: { password: string; others: string }, made: string[]): Promise<SiteCard> {
  const keep = async <T>(file: string, making: Promise<T>): Promise<T> => {
    const value = await making
    made.push(file)
    return value
  }
  const vault = await keep(vaultPath(paths.folder), createVault(paths.folder, password, systemRandom, options.keyCost))
  const steward = await keep(paths.steward, createAccount(paths.steward, others, systemRandom, options.keyCost))
  const recovery = await keep(paths.recovery, createAccount(paths.recovery, others, systemRandom, options.keyCost))
  const listen = options.listen ?? [`/ip4/127.0.0.1/tcp/${await freePort()}`]
  const card: SiteCard = {
    name: options.name,
    node: vault.nodeAccount,
    steward: steward.address,
    recovery: recovery.address,
    peerId: peerIdOf(vault.peerSeed),
    encryptionKey: vault.encryptionKey,
    multiaddrs: options.announce.length > 0 ? options.announce : listen,
  }
  await writeAtomic(paths.card, `${JSON.stringify(card, null, 2)}\n`).then(() => made.push(paths.card))
  await writeAtomic(paths.config, writeConfigText(await configOf(options, paths.folder, listen)))
  return card
}

async function configOf(options: InitOptions, folder: string, listen: readonly string[]): Promise<SiteConfig> {
  return {
    name: options.name,
    chain: options.chain,
    contracts: '',
    data: { file: inFolder(folder, options.data), ...(options.mapping === undefined ? {} : { mapping: inFolder(folder, options.mapping) }) },
    listen,
    announce: options.announce,
    relay: listen.length > 0,
    web: { port: options.webPort ?? (await freePort()) },
    ...('file' in options.password ? { passwordFile: inFolder(folder, options.password.file) } : {}),
  }
}

/** As the config writes it: relative to the folder when it lies inside. */
function inFolder(folder: string, path: string): string {
  const absolute = resolve(path)
  const inside = relative(folder, absolute)
  return inside.startsWith('..') || isAbsolute(inside) ? absolute : inside
}

/** Reads a card that a founder handed over. @throws ROTA-1209 */
export async function readCard(file: string): Promise<SiteCard> {
  try {
    const card = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
    const { name, node, steward, recovery, peerId, encryptionKey, multiaddrs } = card
    if (typeof name !== 'string' || typeof peerId !== 'string' || !Array.isArray(multiaddrs)) throw new TypeError('a field is missing')
    return {
      name,
      node: address(String(node)),
      steward: address(String(steward)),
      recovery: address(String(recovery)),
      peerId,
      encryptionKey: digest(String(encryptionKey)),
      multiaddrs: multiaddrs.map(String),
    }
  } catch (cause) {
    throw new RotaError('ROTA-1209', { file, reason: cause instanceof Error ? cause.message : String(cause) }, cause)
  }
}

/** Notes the network's address and chain in the config. */
export async function noteContracts(folder: string, config: SiteConfig, contracts: string, chainId: bigint): Promise<void> {
  await writeAtomic(`${folder}/${CONFIG_FILE}`, writeConfigText({ ...config, contracts, chainId: Number(chainId) }))
}
