import { randomBytes } from 'node:crypto'
import { link, open, readdir, readFile, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { RotaError } from '#base/errors.ts'

/**
 * Replaces a file as a whole: after a kill or power cut the path holds either the old bytes or the new ones, never a mixture.
 * Write to a neighbour, fsync, rename, fsync the folder. Mode 0600.
 * @throws ROTA-1306 when the disk refuses; the old bytes are still there
 */
export async function writeAtomic(path: string, bytes: Uint8Array | string): Promise<void> {
  try {
    const temporary = await writeNeighbour(path, bytes)
    await rename(temporary, path).catch((error) => discard(temporary, error))
  } catch (cause) {
    throw diskError(path, cause)
  }
  await syncFolder(dirname(path))
}

/** ROTA-1306 for what a disk refused. */
export const diskError = (file: string, cause: unknown): RotaError =>
  new RotaError('ROTA-1306', { file, reason: (cause as NodeJS.ErrnoException).code ?? 'unknown' }, cause)

/** A file's bytes; null when there is no such file. @throws ROTA-1306 when the disk refuses: what cannot be read is not what is not there */
export const readIfThere = (file: string): Promise<Buffer | null> =>
  readFile(file).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return null
    throw diskError(file, cause)
  })

/** The same for a file that must not exist yet. @throws EEXIST when it does */
export async function writeNew(path: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = await writeNeighbour(path, bytes)
  await link(temporary, path).catch((error) => discard(temporary, error))
  await unlink(temporary)
  await syncFolder(dirname(path))
}

async function writeNeighbour(path: string, bytes: Uint8Array | string): Promise<string> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } catch (error) {
    await discard(temporary, error)
  } finally {
    await file.close()
  }
  return temporary
}

/** Removes what a process that was killed while it wrote has left beside a file. Only while nobody else writes it. */
export async function clearNeighbours(path: string): Promise<void> {
  const left = (await readdir(dirname(path)).catch(() => [])).filter((name) => name.startsWith(`.${basename(path)}.`) && name.endsWith('.tmp'))
  for (const name of left) await unlink(join(dirname(path), name)).catch(() => {})
}

async function discard(temporary: string, error: unknown): Promise<never> {
  await unlink(temporary).catch(() => {})
  throw error
}

/** Makes a rename or a new name last; where folders cannot be opened (Windows) the file system does it by itself. */
export async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r').catch(() => null)
  if (folder === null) return
  await folder.sync().catch(() => {})
  await folder.close()
}
