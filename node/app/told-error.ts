import type { ErrorCode, RotaError } from '#base/errors.ts'

/** A fault as part of an answer: words for people and machines, nothing of a stack. */
export interface ToldError {
  readonly code: ErrorCode
  readonly what: string
  readonly remedy: string
}

export const toldError = (error: RotaError): ToldError => ({ code: error.code, what: error.message, remedy: error.remedy })
