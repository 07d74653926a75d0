import { type ErrorCode, plainDetails, type RotaError } from '#base/errors.ts'

/** A fault as part of an answer: words for people and machines, nothing of a stack. */
export interface ToldError {
  readonly code: ErrorCode
  readonly what: string
  readonly remedy: string
  /** What the words were filled with, for whoever says it in another language. */
  readonly values: Readonly<Record<string, string | number>>
}

export const toldError = (error: RotaError): ToldError => ({
  code: error.code,
  what: error.message,
  remedy: error.remedy,
  values: plainDetails(error.details),
})
