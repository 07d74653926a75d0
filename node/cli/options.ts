import { RotaError } from '#base/errors.ts'
import { nearest } from '#base/nearest.ts'
import type { Option } from './command-file.ts'

interface Limits {
  readonly from?: number
  readonly to?: number
}

/** Any text: a name, a file, a URL. */
export function text(placeholder: string, summary: string): Option<string | undefined>
export function text(placeholder: string, summary: string, fallback: string): Option<string>
export function text(placeholder: string, summary: string, fallback?: string): Option<string | undefined> {
  return { placeholder, summary, parse: (given) => given, fallback, ...tell(fallback) }
}

/** A whole number, inside limits that include their ends. */
export function whole(placeholder: string, summary: string, limits?: Limits): Option<number | undefined>
export function whole(placeholder: string, summary: string, limits: Limits, fallback: number): Option<number>
export function whole(placeholder: string, summary: string, limits: Limits = {}, fallback?: number): Option<number | undefined> {
  const parse = (given: string, flag: string) => within(given, flag, limits, /^-?\d{1,15}$/, 'a whole number')
  return { placeholder, summary, parse, fallback, ...tell(fallback) }
}

/** Any finite number, inside limits that include their ends. */
export function number(placeholder: string, summary: string, limits?: Limits): Option<number | undefined>
export function number(placeholder: string, summary: string, limits: Limits, fallback: number): Option<number>
export function number(placeholder: string, summary: string, limits: Limits = {}, fallback?: number): Option<number | undefined> {
  const parse = (given: string, flag: string) => within(given, flag, limits, /^-?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i, 'a number')
  return { placeholder, summary, parse, fallback, ...tell(fallback) }
}

/** Names between commas. */
export const list = (placeholder: string, summary: string): Option<readonly string[]> => ({
  placeholder,
  summary,
  parse: (given) =>
    given
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  fallback: [],
})

/** One of a few words. */
export function choice<const C extends string>(choices: readonly C[], summary: string): Option<C | undefined>
export function choice<const C extends string>(choices: readonly C[], summary: string, fallback: NoInfer<C>): Option<C>
export function choice<const C extends string>(choices: readonly C[], summary: string, fallback?: C): Option<C | undefined> {
  const parse = (given: string, flag: string): C => {
    const found = choices.find((word) => word === given)
    if (found === undefined) throw new RotaError('ROTA-1005', { option: flag, value: given, choices: choices.join(', '), nearest: nearest(given, choices) })
    return found
  }
  return { placeholder: choices.join('|'), summary, parse, fallback, ...tell(fallback) }
}

/** A switch. */
export const flag = (summary: string): Option<boolean> => ({ placeholder: null, summary, parse: () => true, fallback: false })

const tell = (fallback: unknown): { told?: string } => (fallback === undefined ? {} : { told: String(fallback) })

function within(given: string, flag: string, { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY }: Limits, shape: RegExp, kind: string): number {
  const value = Number(given)
  if (shape.test(given) && value >= from && value <= to) return value
  const ends = [Number.isFinite(from) ? `from ${from}` : '', Number.isFinite(to) ? `to ${to}` : ''].filter((end) => end !== '').join(' ')
  throw new RotaError('ROTA-1004', { option: flag, value: given, expected: ends === '' ? kind : `${kind} ${ends}` })
}
