import { type FolderLock, lockFolder } from '#adapters/journal/folder-lock.ts'
import { isRotaError, RotaError } from '#base/errors.ts'

/**
 * One portal or relay a state folder: `rota run` and `rota portal` of one site must not both send what waits.
 * @throws ROTA-6518 when another process serves from it, ROTA-1306 the disk
 */
export const lockPortal = (state: string): Promise<FolderLock> =>
  lockFolder(state).catch((error: unknown) => {
    if (!isRotaError(error, 'ROTA-1307')) throw error
    throw new RotaError('ROTA-6518', { dir: state, pid: error.details['pid'] ?? 'unknown' }, error)
  })
