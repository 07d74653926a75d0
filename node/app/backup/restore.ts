import { existsSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { diskError, writeAtomic } from '#adapters/journal/atomic-file.ts'
import { type PasswordSource, readPassword } from '#adapters/vault/password.ts'
import { vaultAddresses, vaultPath } from '#adapters/vault/site-vault.ts'
import { CONFIG_FILE, checkConfig, type SiteConfig, writeConfigText } from '#app/site/config.ts'
import { sitePaths } from '#app/site/site-folder.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import { placesOf, positionOf } from './backup.ts'
import { type Backup, readBackup, TAKEN, type Taken } from './backup-file.ts'

export interface RestoreAnswer {
  readonly folder: string
  readonly site: string
  /** When the backup was made, ISO time. */
  readonly made: string
  readonly files: readonly Taken[]
  /** What the config names and is not there: a backup holds neither rows nor passwords. */
  readonly missing: readonly string[]
}

/** There while files are put in place: a folder that has it was never a whole site. */
const UNFINISHED = '.restoring'

/**
 * Makes a site's folder again from a backup. The node finds a mark there, and takes part from the next round on: to rounds up to the
 * chain's present it sends nothing, for nobody knows any more what it had sent.
 * @throws ROTA-1320 damaged, ROTA-1301 wrong password, ROTA-1321 another site's folder, ROTA-1322 a newer journal there, ROTA-1323 not empty
 */
export async function restoreSite(options: { readonly file: string; readonly folder: string; readonly password: PasswordSource }): Promise<RestoreAnswer> {
  const folder = resolve(options.folder)
  const backup = await readBackup(options.file, readPassword(options.password))
  await checkFolder(folder, backup, options)
  const paths = sitePaths(folder)
  await mkdir(paths.state, { recursive: true, mode: 0o700 }).catch((cause) => {
    throw diskError(paths.state, cause)
  })
  await writeAtomic(join(folder, UNFINISHED), `${backup.made}\n`)
  const config = await putInPlace(folder, backup)
  await writeAtomic(paths.restored, `from the backup of ${backup.made}\n`)
  await rm(join(folder, UNFINISHED))
  const named = [config.data.file, config.data.mapping, config.passwordFile].flatMap((path) => (path === undefined ? [] : [resolve(folder, path)]))
  return { folder, site: backup.name, made: backup.made, files: [...backup.files.keys()], missing: named.filter((path) => !existsSync(path)) }
}

/** The config last but one: without it no command takes the folder for a site. */
async function putInPlace(folder: string, backup: Backup): Promise<SiteConfig> {
  const config = configHere(folder, backup)
  const places = placesOf(folder, config)
  for (const taken of TAKEN) {
    const [place, bytes] = [places[taken], backup.files.get(taken)]
    if (place === null || bytes === undefined || taken === 'config') continue
    await mkdir(dirname(place), { recursive: true, mode: 0o700 })
    await writeAtomic(place, bytes)
  }
  const written = textOf(backup)
  const same = JSON.stringify(checkConfig(written, CONFIG_FILE)) === JSON.stringify(config)
  await writeAtomic(sitePaths(folder).config, same ? written : writeConfigText(config))
  return config
}

/** A mapping that lay outside the folder is put inside: nothing else of the machine is written to. */
function configHere(folder: string, backup: Backup): SiteConfig {
  const config = checkConfig(textOf(backup), CONFIG_FILE)
  const { mapping } = config.data
  if (mapping === undefined || !backup.files.has('mapping')) return config
  const inside = relative(folder, resolve(folder, mapping))
  if (!isAbsolute(mapping) && !inside.startsWith('..')) return config
  return { ...config, data: { ...config.data, mapping: basename(mapping) } }
}

const textOf = ({ files }: Backup): string => new TextDecoder().decode(files.get('config'))

async function checkFolder(folder: string, backup: Backup, { file, password }: { file: string; password: PasswordSource }): Promise<void> {
  const { name, account, made } = backup
  const there = await readdir(folder).catch((): string[] => [])
  if (there.includes(UNFINISHED)) return
  if (existsSync(vaultPath(folder))) {
    const found = await vaultAddresses(folder).then(
      ({ nodeAccount }) => nodeAccount as string,
      () => null,
    )
    if (found !== null && found !== account) throw new RotaError('ROTA-1321', { file, name, account, folder, found })
    const newer = await newerThan(folder, backup)
    if (newer !== null) throw new RotaError('ROTA-1322', { folder, made, ...newer })
  }
  const given = 'file' in password ? resolve(password.file) : null
  const found = there.find((entry) => entry !== 'lost+found' && join(folder, entry) !== given)
  if (found !== undefined) throw new RotaError('ROTA-1323', { folder, found })
}

/** A run that is further in the folder's journal than in the backup. A journal that cannot be read is no journal to lose. */
async function newerThan(folder: string, { position }: Backup): Promise<{ readonly run: number; readonly round: number } | null> {
  const there = await positionOf(folder).catch((error) => {
    if (isRotaError(error)) return new Map<number, number>()
    throw error
  })
  for (const [run, round] of there) if (round > (position.get(run) ?? 0)) return { run, round }
  return null
}
