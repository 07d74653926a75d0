import { type ErrorCode, isRotaError } from '#base/errors.ts'

/** Why a member did not answer. Nobody answered in time: the same as nobody there. @throws the signal's reason, and what is a fault here */
export function failure(error: unknown, signal: AbortSignal): { readonly failed: ErrorCode } {
  signal.throwIfAborted()
  if (isRotaError(error)) return { failed: error.code }
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')) return { failed: 'ROTA-4006' }
  throw error
}
