import { statfs } from 'node:fs/promises'
import { RotaError } from '#base/errors.ts'

export interface DiskUse {
  /** 0 to 1, of what the node's account may use. */
  readonly usedFraction: number
  readonly freeBytes: number
}

/** Above this share no new work is taken on. */
export const FULLEST = 0.8

/** Of the disk that holds `dir`. @throws ROTA-4013 when it cannot be asked */
export async function diskUse(dir: string): Promise<DiskUse> {
  try {
    const { bavail, bfree, blocks, bsize } = await statfs(dir)
    const used = blocks - bfree
    return { usedFraction: used + bavail === 0 ? 1 : used / (used + bavail), freeBytes: bavail * bsize }
  } catch (cause) {
    throw new RotaError('ROTA-4013', { dir }, cause)
  }
}
