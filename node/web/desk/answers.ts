import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { type ErrorCode, isRotaError, nameOf, plainDetails, RotaError } from '#base/errors.ts'
import type { Log } from '#ports/host.ts'
import type { DeskPlace } from './guards.ts'
import { refusal } from './refusal.ts'

const STATUS: Partial<Record<ErrorCode, ContentfulStatusCode>> = {
  'ROTA-6701': 401,
  'ROTA-6702': 429,
  'ROTA-6703': 401,
  'ROTA-6704': 403,
  'ROTA-6705': 429,
  'ROTA-6714': 404,
  'ROTA-6716': 403,
  'ROTA-6717': 503,
  'ROTA-6720': 429,
  'ROTA-6721': 500,
}

/** A fault as the page reads it: the code and its values, from which it makes words in its own language, and the words in English. */
export function faultAnswer(notes: Pick<Log, 'error'>, place: DeskPlace): (error: Error, c: Context) => Response {
  const tell = (c: Context, { code, message, remedy, details, reaction }: RotaError): Response => {
    if (isWatched(c, place)) return c.redirect(`/?fault=${code}`, 303)
    return c.json({ code, message, remedy, values: plainDetails(details) }, STATUS[code] ?? (reaction === 'retry' ? 503 : 400))
  }
  return (error, c) => {
    if (isRotaError(error)) return tell(c, error)
    notes.error('desk.fault', { reason: nameOf(error) })
    return tell(c, new RotaError('ROTA-6721'))
  }
}

/** A person, not the page, sees the answer: the page says it in their words. */
const isWatched = (c: Context, { url }: DeskPlace): boolean =>
  c.req.method === 'GET' && /^\/(print|service)\//.test(c.req.path) && c.req.header('host') === url.host

/** The body as an object of texts. @throws ROTA-6706 */
export async function textsIn<K extends string>(c: Context, longest: Readonly<Record<K, number>>): Promise<Readonly<Record<K, string>>> {
  const body: unknown = await c.req.json().catch(() => {
    throw refusal('not JSON')
  })
  if (typeof body !== 'object' || body === null) throw refusal('no object')
  const texts = Object.entries<number>(longest).map(([name, most]) => {
    const value = (body as Record<string, unknown>)[name]
    if (typeof value !== 'string' || value.length > most) throw refusal('{name} is missing or too long', { name })
    return [name, value] as const
  })
  return Object.fromEntries(texts) as Record<K, string>
}

/** As the hospital's own system names a patient: one line. @throws ROTA-6713 */
export function patientName(text: string): string {
  const name = text.trim()
  if (name === '' || name.length > 128 || MORE_THAN_A_LINE.test(name)) throw new RotaError('ROTA-6713')
  return name
}

/** It goes into the log before anybody knows whether there is such a programme: what moves a cursor would forge lines there. @throws ROTA-6706 */
export function programmeName(text: string): string {
  if (text === '' || MORE_THAN_A_LINE.test(text)) throw refusal('no such programme here')
  return text
}

/** Control characters, line ends, and what turns the direction of writing. */
const MORE_THAN_A_LINE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u
