import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { writeNew } from '#adapters/journal/atomic-file.ts'
import { openText, sealText } from '#adapters/vault/sealed-file.ts'
import { isRotaError, RotaError } from '#base/errors.ts'

/**
 * What a backup takes, by name. Nothing else of a site's folder is ever in one, whatever files a later version adds there: secrets of a
 * round must not outlive it, and the journal of a node that died must not come to life again.
 */
export const TAKEN = ['vault', 'config', 'card', 'mapping', 'steward', 'recovery', 'consents', 'cohorts', 'differencing', 'desk', 'deskUsers'] as const
export type Taken = (typeof TAKEN)[number]

export interface Backup {
  readonly name: string
  /** The site's node account: tells one site from another. */
  readonly account: string
  /** ISO time. */
  readonly made: string
  /** How far the journal was: the last round of each run. */
  readonly position: ReadonlyMap<number, number>
  readonly files: ReadonlyMap<Taken, Uint8Array>
}

const KIND = 'backup'
/** Hex of base64 in one text of at most 2^29 characters: what JavaScript can hold. */
export const MOST_BYTES = 128 * 1024 * 1024

/**
 * Two lines: { "rota": "backup", "version": 1, "sha256" }, then the files under the site's password as in adapters/vault/sealed-file.ts, with who,
 * when and how far in the clear. The checksum tells a damaged file from a wrong password.
 * @throws ROTA-1220 when the file exists, ROTA-1306 when it cannot be written
 */
export async function writeBackup(file: string, password: string, backup: Backup): Promise<void> {
  const { name, account, made, position } = backup
  const journal = [...position].map(([run, round]) => `${run}:${round}`).join(' ')
  const secrets = Object.fromEntries([...backup.files].map(([taken, bytes]) => [taken, Buffer.from(bytes).toString('base64')]))
  const sealed = await sealText(KIND, password, { public: { name, account, made, journal }, secrets })
  const header = JSON.stringify({ rota: KIND, version: 1, sha256: checksum(sealed) })
  await writeNew(file, `${header}\n${sealed}\n`).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'EEXIST' ? new RotaError('ROTA-1220', { file }, cause) : new RotaError('ROTA-1306', { file, reason: cause.code ?? 'unknown' }, cause)
  })
}

/** @throws ROTA-1320 when it is damaged or no backup, ROTA-1301 for a wrong password */
export async function readBackup(file: string, password: string): Promise<Backup> {
  const damaged = (reason: string, cause?: unknown) => new RotaError('ROTA-1320', { file, reason }, cause)
  const text = await readFile(file, 'utf8').catch((cause) => Promise.reject(damaged(`it cannot be read (${cause.code})`, cause)))
  const [first = '', sealed = ''] = text.split('\n')
  const header = parsed(first)
  if (header.rota !== KIND) throw damaged('it does not begin as one')
  if (header.version !== 1) throw damaged(`its version ${String(header.version)} is unknown here`)
  if (header.sha256 !== checksum(sealed)) throw damaged('its checksum is another')
  const { public: open, secrets } = await openText(file, sealed, KIND, password).catch((error) => {
    throw isRotaError(error, 'ROTA-1302') ? damaged(String(error.details.reason), error) : error
  })
  const files = new Map(TAKEN.flatMap((taken) => (secrets[taken] === undefined ? [] : [[taken, Buffer.from(secrets[taken], 'base64')] as const])))
  if (!files.has('vault') || !files.has('config')) throw damaged('it holds no keys or no config')
  return { name: open.name ?? '', account: open.account ?? '', made: open.made ?? '', position: positionOf(open.journal ?? ''), files }
}

function positionOf(text: string): Map<number, number> {
  const pairs = text.split(' ').map((pair) => pair.split(':').map(Number))
  return new Map(pairs.flatMap(([run, round]) => (run && round ? [[run, round]] : [])))
}

function parsed(line: string): { readonly rota?: unknown; readonly version?: unknown; readonly sha256?: unknown } {
  try {
    return Object(JSON.parse(line))
  } catch {
    return {}
  }
}

const checksum = (text: string): string => createHash('sha256').update(text).digest('hex')
