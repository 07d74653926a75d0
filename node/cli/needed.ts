import { RotaError } from '#base/errors.ts'

/** @throws ROTA-1006 when an option that the command cannot do without is missing */
export function needed<T>(command: string, option: string, value: T | undefined): T {
  if (value === undefined || value === '') throw new RotaError('ROTA-1006', { command, reason: `${option} is missing` })
  return value
}
