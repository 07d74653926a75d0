import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { systemRandom } from '#adapters/host/system-host.ts'
import { readJournal } from '#adapters/journal/file-journal.ts'
import { type PasswordSource, readPassword } from '#adapters/vault/password.ts'
import { openVault, vaultPath } from '#adapters/vault/site-vault.ts'
import { readConfig, type SiteConfig } from '#app/site/config.ts'
import { passwordSource, sitePaths } from '#app/site/site-folder.ts'
import { RotaError } from '#base/errors.ts'
import { MOST_BYTES, TAKEN, type Taken, writeBackup } from './backup-file.ts'

export interface BackupAnswer {
  readonly file: string
  readonly site: string
  readonly made: string
  readonly files: readonly Taken[]
  /** Keystores that lie in the folder and would be safer elsewhere. */
  readonly better: readonly string[]
}

/**
 * Puts what nobody else has into one file, under the site's password. May run beside the node: each file is whole at any moment.
 * @throws ROTA-1201, ROTA-1301, ROTA-1302 folder and password; ROTA-1220 when the file exists; ROTA-1324 when the site's files are too large
 */
export async function backUp(options: { readonly folder: string; readonly password: PasswordSource | null; readonly out: string }): Promise<BackupAnswer> {
  const { folder } = options
  const config = await readConfig(folder)
  const password = readPassword(passwordSource(config, folder, options.password))
  const { nodeAccount } = await openVault(folder, password, systemRandom)
  const made = new Date().toISOString()
  const files = await filesOf(folder, config)
  const bytes = [...files.values()].reduce((sum, file) => sum + file.length, 0)
  if (bytes > MOST_BYTES) throw new RotaError('ROTA-1324', { size: Math.ceil(bytes / 2 ** 20), limit: MOST_BYTES / 2 ** 20 })
  await writeBackup(options.out, password, { name: config.name, account: nodeAccount, made, position: await positionOf(folder), files })
  const better = (['steward', 'recovery'] as const).filter((name) => files.has(name)).map((name) => sitePaths(folder)[name])
  return { file: resolve(options.out), site: config.name, made, files: [...files.keys()], better }
}

/** Where each of what a backup takes lies; the mapping where the config says. */
export function placesOf(folder: string, config: SiteConfig): Readonly<Record<Taken, string | null>> {
  const { config: yaml, card, steward, recovery, consents, cohorts, differencing, desk, deskUsers } = sitePaths(folder)
  const mapping = config.data.mapping === undefined ? null : resolve(folder, config.data.mapping)
  return { vault: vaultPath(folder), config: yaml, card, mapping, steward, recovery, consents, cohorts, differencing, desk, deskUsers }
}

async function filesOf(folder: string, config: SiteConfig): Promise<Map<Taken, Uint8Array>> {
  const places = placesOf(folder, config)
  const files = new Map<Taken, Uint8Array>()
  for (const taken of TAKEN) {
    const place = places[taken]
    if (place !== null && existsSync(place)) files.set(taken, await readFile(place))
  }
  return files
}

/** The last round of each run that the journal knows an act of; keys and shares of masked rounds are exchanged a round early, and are in no backup. */
export async function positionOf(folder: string): Promise<Map<number, number>> {
  const position = new Map<number, number>()
  const { entries } = await readJournal(sitePaths(folder).journal)
  for (const { kind, run, round } of entries) if (kind !== 'keys' && kind !== 'dealt') position.set(run, Math.max(round, position.get(run) ?? 0))
  return position
}
