import process from 'node:process'
import { isRotaError, RotaError } from '#base/errors.ts'
import { toJson } from './output.ts'
import { styleFor } from './style.ts'

/** 130: stopped by Ctrl-C, as shells say it. */
export const INTERRUPTED = 130

/** Tells a person (or, with --json, a machine: one line, as after the lines of `rota run`) what went wrong and what to do. @returns the exit code */
export function reportError(error: unknown, json: boolean, interrupted: boolean): number {
  if (interrupted && !isRotaError(error)) return INTERRUPTED
  const known = isRotaError(error) ? error : new RotaError('ROTA-1001', { reason: error instanceof Error ? error.message : String(error) }, error)
  if (json)
    process.stdout.write(
      `${toJson({ error: { code: known.code, what: known.message, remedy: known.remedy, details: known.details, exitCode: known.exitCode } })}\n`,
    )
  else process.stderr.write(errorText(known))
  if (process.env.ROTA_DEBUG && known.cause instanceof Error) process.stderr.write(`${known.cause.stack}\n`)
  return known.exitCode
}

function errorText(error: RotaError): string {
  const style = styleFor(process.stderr)
  return `${style.bad(style.bold(error.code))} ${error.message}\n  ${style.dim('→')} ${error.remedy}\n`
}
