import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { RotaError } from '#base/errors.ts'

/** Work under a lock takes milliseconds. */
const LOCK_STALE_MS = 5_000
const LOCK_WAIT_MS = 10_000

/**
 * Replaces a file so that after a crash either the old or the new one is there, whole: write, fsync, rename, fsync of the folder.
 * @throws ROTA-1306 when the disk refuses; the old one is still there, and nothing beside it
 */
export async function writeDurably(file: string, text: string): Promise<void> {
  const beside = `${file}.${process.pid}.new`
  try {
    const handle = await open(beside, 'w', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(beside, file)
  } catch (cause) {
    await rm(beside, { force: true })
    throw diskError(file, cause)
  }
  await syncFolder(dirname(file))
}

/** ROTA-1306 for what a disk refused. */
export const diskError = (file: string, cause: unknown): RotaError =>
  new RotaError('ROTA-1306', { file, reason: (cause as NodeJS.ErrnoException).code ?? 'unknown' }, cause)

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  await handle.sync().catch(() => undefined) // some file systems refuse it for folders; the rename is then as safe as they make it
  await handle.close()
}

/** One writer at a time, also between a running node and the command line. A lock left by a killed process is taken over. */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const lock = `${file}.lock`
  await takeLock(lock, file, Date.now() + LOCK_WAIT_MS)
  try {
    return await work()
  } finally {
    await rm(lock, { force: true })
  }
}

async function takeLock(lock: string, file: string, deadlineMs: number): Promise<void> {
  for (;;) {
    const handle = await open(lock, 'wx', 0o600).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EEXIST') return null
      throw diskError(file, cause)
    })
    if (handle !== null) {
      // A full disk still takes the empty file, and that is lock enough: it is then stale by age alone.
      await handle.writeFile(String(process.pid)).catch(() => undefined)
      return handle.close()
    }
    if (await isAbandoned(lock)) await rm(lock, { force: true })
    else if (Date.now() > deadlineMs) throw new RotaError('ROTA-3001', { file, reason: 'locked by another process' })
    else await sleep(20)
  }
}

/** Its process is gone (a killed node must go on at once), or it is older than any work under a lock. */
async function isAbandoned(lock: string): Promise<boolean> {
  const age = await stat(lock).then(
    (s) => Date.now() - s.mtimeMs,
    () => 0,
  )
  if (age > LOCK_STALE_MS) return true
  const pid = Number(await readFile(lock, 'latin1').catch(() => ''))
  return pid > 0 && !isRunning(pid)
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
