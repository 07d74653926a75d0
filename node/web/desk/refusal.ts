import { RotaError } from '#base/errors.ts'

/** Why a request is not as the desk takes it; values in {braces}. The page has each in its other languages, too (keys `reason.…`). */
export const DESK_REASONS = [
  'not JSON',
  'no object',
  'too large',
  '{name} is missing or too long',
  'no such programme here',
  'more than {most} consents in one file: split it',
] as const

/** ROTA-6706 */
export const refusal = (reason: (typeof DESK_REASONS)[number], values: Readonly<Record<string, string>> = {}): RotaError =>
  new RotaError('ROTA-6706', { reason: reason.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole) })
