import { closeSync, readFileSync } from 'node:fs'
import { RotaError } from '#base/errors.ts'

/**
 * Where a password comes from. Never an argument or the environment: other users and child processes can read those. `text`: held by a
 * process that read it once and opens the keys again and again.
 */
export type PasswordSource = { readonly file: string } | { readonly fd: number } | { readonly text: string }

/**
 * The first line of a file or of an inherited file descriptor (which is closed after).
 * @throws ROTA-1308 when it cannot be read or is empty
 */
export function readPassword(source: PasswordSource): string {
  if ('text' in source) return source.text
  const name = 'file' in source ? source.file : `file descriptor ${source.fd}`
  let text: string
  try {
    text = readFileSync('file' in source ? source.file : source.fd, 'utf8')
    if ('fd' in source && source.fd > 2) closeSync(source.fd)
  } catch (cause) {
    throw new RotaError('ROTA-1308', { source: name }, cause)
  }
  const password = text.split(/\r?\n/, 1)[0] ?? ''
  if (password === '') throw new RotaError('ROTA-1308', { source: name })
  return password
}
