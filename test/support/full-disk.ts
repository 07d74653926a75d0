import { execFile } from 'node:child_process'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { diskUse } from '#adapters/store/disk-use.ts'

const run = promisify(execFile)

/** A folder on a small file system of its own, which can be filled up. */
export interface SmallDisk {
  fill(): Promise<void>
  /** Until more than this share of it is used. */
  fillTo(share: number): Promise<void>
  empty(): Promise<void>
  unmount(): Promise<void>
}

/** @returns null where mounting is not permitted */
export async function mountSmall(dir: string, megabytes: number): Promise<SmallDisk | null> {
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'tmpfs', dir]).then(
    () => true,
    () => false,
  )
  if (!mounted) return null
  const filler = join(dir, 'filler')
  return {
    async fill() {
      const file = await open(filler, 'a')
      const size = [65_536, 4_096, 1]
      // Larger pieces first, then what is left, until not a byte goes in.
      for (const piece of size)
        for (let room = true; room; )
          room = await file.write(new Uint8Array(piece)).then(
            ({ bytesWritten }) => bytesWritten > 0,
            () => false,
          )
      await file.close()
    },
    async fillTo(share) {
      const file = await open(filler, 'a')
      while ((await diskUse(dir)).usedFraction <= share) await file.write(new Uint8Array(65_536))
      await file.close()
    },
    empty: () => rm(filler, { force: true }),
    unmount: async () => void (await run('umount', ['-l', dir])),
  }
}

/** From now on no file of this process may grow beyond so many bytes. @returns false where that cannot be set */
export const limitFiles = (pid: number, bytes: number | 'unlimited'): Promise<boolean> =>
  run('prlimit', ['--pid', `${pid}`, `--fsize=${bytes}:unlimited`]).then(
    () => true,
    () => false,
  )
