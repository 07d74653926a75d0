import { readFile } from 'node:fs/promises'
import { RotaError } from '#base/errors.ts'

/** A file that a person named. @throws ROTA-3001 */
export const readGiven = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new RotaError('ROTA-3001', { file, reason: String(cause.code) })
  })
