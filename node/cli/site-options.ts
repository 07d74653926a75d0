import { text, whole } from './options.ts'

/** Options of every command that works as a site. */
export const siteOptions = {
  folder: text('DIR', "the site's folder (default: here)", '.'),
  passwordFile: text('FILE', "first line: the password of the site's keys (default: the file that the config names)"),
  passwordFd: whole('N', 'file descriptor to read the password from', { from: 0 }),
}

/** Where the password comes from; null: the config says. */
export const passwordFrom = (options: {
  readonly passwordFile: string | undefined
  readonly passwordFd: number | undefined
}): { readonly file: string } | { readonly fd: number } | null =>
  options.passwordFile !== undefined ? { file: options.passwordFile } : options.passwordFd !== undefined ? { fd: options.passwordFd } : null
