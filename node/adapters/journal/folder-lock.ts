import { readFileSync } from 'node:fs'
import { link, readFile, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { RotaError } from '#base/errors.ts'
import { writeNew } from './atomic-file.ts'

export interface FolderLock {
  release(): Promise<void>
}

const LOCK_FILE = 'node.lock'

/**
 * One node a data folder. The lock names its process and when that started, so that a number given to another process later
 * is not taken for the owner; a dead owner's lock is taken over.
 * Guarantee: on one machine. A folder shared by network between two machines is not protected.
 * @throws ROTA-1307 when a living process holds it, ROTA-1306 when the folder cannot be written
 */
export async function lockFolder(dir: string): Promise<FolderLock> {
  const path = join(dir, LOCK_FILE)
  const mine = JSON.stringify({ pid: process.pid, started: startOf(process.pid) })
  for (let tries = 0; tries < 3; tries++) {
    if (await take(path, mine)) return { release: () => releaseOwn(path, mine) }
    const owner = await readOwner(path)
    if (owner !== null && isAlive(owner)) throw new RotaError('ROTA-1307', { dir, pid: owner.pid })
    await clearAway(path, owner)
  }
  throw new RotaError('ROTA-1307', { dir, pid: 'unknown' })
}

interface Owner {
  readonly pid: number
  readonly started: string
}

const take = (path: string, content: string): Promise<boolean> =>
  writeNew(path, content).then(
    () => true,
    (error) => {
      if (error.code === 'EEXIST') return false
      throw new RotaError('ROTA-1306', { file: path, reason: error.code ?? 'unknown' }, error)
    },
  )

async function releaseOwn(path: string, mine: string): Promise<void> {
  const now = await readFile(path, 'utf8').catch(() => '')
  if (now === mine) await unlink(path).catch(() => {})
}

/** Moves a dead owner's lock aside; should another node have taken it over meanwhile, that one's is put back. */
async function clearAway(path: string, dead: Owner | null): Promise<void> {
  const aside = `${path}.${process.pid}.stale`
  if (
    !(await rename(path, aside).then(
      () => true,
      () => false,
    ))
  )
    return
  const moved = await readOwner(aside)
  if (moved !== null && moved.pid !== dead?.pid && isAlive(moved)) await link(aside, path).catch(() => {})
  await unlink(aside)
}

/** Null when it is gone or is no lock: then there is no owner to respect. */
async function readOwner(path: string): Promise<Owner | null> {
  try {
    const owner = JSON.parse(await readFile(path, 'utf8')) as Partial<Owner>
    return Number.isSafeInteger(owner.pid) && (owner.pid as number) > 0 ? { pid: owner.pid as number, started: String(owner.started) } : null
  } catch {
    return null
  }
}

function isAlive(owner: Owner): boolean {
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return startOf(owner.pid) === owner.started
}

/** Boot and start of a process in clock ticks since, from Linux' /proc; elsewhere '' and the number alone decides. */
function startOf(pid: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Field 22; the second field (name) may hold spaces and brackets, so count from its end.
    return `${boot}/${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`
  } catch {
    return ''
  }
}
