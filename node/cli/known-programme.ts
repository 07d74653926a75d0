import type { KnownProgramme } from '#app/audit/audited-programme.ts'
import { RotaError } from '#base/errors.ts'
import { needed } from './needed.ts'
import { list, text, whole } from './options.ts'
import { passwordFrom } from './site-options.ts'

/** How whoever checks says which programme a study is under. */
export const programmeOptions = {
  programme: text('NAME', "the consent programme of the run's study, as its protocol names it (or --store)"),
  store: list('DIR|URL,…', "where the study's protocol lies: a node's folder or a copy of its blocks, or, with --reader, the URL of a node's endpoint"),
  reader: text('KEYSTORE', "the reader's keystore, for a --store that is a URL"),
  passwordFile: text('FILE', "first line: the keystore's password"),
  passwordFd: whole('N', 'file descriptor to read the password from', { from: 0 }),
}

export interface ProgrammeOptions {
  readonly programme: string | undefined
  readonly store: readonly string[]
  readonly reader: string | undefined
  readonly passwordFile: string | undefined
  readonly passwordFd: number | undefined
}

/** @param what the options that would do, as a fault names them @throws ROTA-1006, ROTA-1102 */
export function knownProgramme(command: string, options: ProgrammeOptions, what = '--programme or --store'): KnownProgramme {
  const { programme, store, reader } = options
  if (store.length === 0) return { programme: needed(command, what, programme) }
  if (programme !== undefined) throw new RotaError('ROTA-1102', { option: '--programme', other: '--store' })
  return { stores: store, reader, password: passwordFrom(options) }
}
