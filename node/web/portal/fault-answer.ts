import type { Context } from 'hono'
import { type ErrorCode, isRotaError, nameOf, RotaError } from '#base/errors.ts'
import type { Log } from '#ports/host.ts'

/** By code, where the reaction does not say it. */
const STATUS: Partial<Record<ErrorCode, 400 | 404 | 413 | 429>> = {
  'ROTA-6010': 404,
  'ROTA-6503': 400,
  'ROTA-6504': 404,
  'ROTA-6505': 429,
  'ROTA-6506': 413,
  'ROTA-6507': 404,
  'ROTA-6508': 404,
  'ROTA-6511': 404,
}

/** All that a portal answers. Whoever asks can do something about these, and the patient's page has words for each in its languages. */
export const PORTAL_TELLS = [
  ...(['ROTA-6501', 'ROTA-6502', 'ROTA-6503', 'ROTA-6504', 'ROTA-6505', 'ROTA-6506', 'ROTA-6507', 'ROTA-6508', 'ROTA-6509'] as const),
  ...(['ROTA-6510', 'ROTA-6511', 'ROTA-6516', 'ROTA-6517', 'ROTA-6519', 'ROTA-6009', 'ROTA-6010', 'ROTA-6011'] as const),
] as const satisfies readonly ErrorCode[]
const TOLD: readonly ErrorCode[] = PORTAL_TELLS

/** `{ code, message, remedy }` of the catalogue. What is for whoever runs the portal, which may name files and hosts, goes to the log alone. */
export const faultAnswer =
  (notes: Pick<Log, 'warn' | 'error'>) =>
  (error: Error, c: Context): Response => {
    const told = toldOf(error)
    if (told !== error) notes.warn('portal.failed', { code: nameOf(error) })
    return c.json({ code: told.code, message: told.message, remedy: told.remedy }, STATUS[told.code] ?? (told.reaction === 'reject' ? 400 : 503))
  }

function toldOf(error: Error): RotaError {
  if (isRotaError(error) && TOLD.includes(error.code)) return error
  const isChain = isRotaError(error) && error.code.startsWith('ROTA-50')
  return new RotaError(isChain ? 'ROTA-6516' : 'ROTA-6517', {}, error)
}
