import { Hono } from 'hono'
import type { Clock, Log } from '#ports/host.ts'
import type { PageFile } from '#web/portal/page-files.ts'
import { wholeBody } from '#web/portal/whole-body.ts'
import { faultAnswer } from './answers.ts'
import type { DeskLog } from './desk-log.ts'
import type { DeskWork } from './desk-work.ts'
import { type DeskPlace, fromOwnPage, ownName, type SignedIn, signedIn } from './guards.ts'
import { importRoutes } from './import-routes.ts'
import type { Looks } from './looks.ts'
import { peopleRoutes } from './people-routes.ts'
import { printRoutes } from './print-routes.ts'
import { Prints } from './prints.ts'
import { refusal } from './refusal.ts'
import { sessionRoutes } from './session-routes.ts'
import { Sessions } from './sessions.ts'
import type { SignIn } from './sign-in.ts'
import type { SignInService } from './sign-in-service.ts'
import type { DeskUsers } from './users.ts'

export interface DeskParts {
  readonly place: DeskPlace
  readonly work: DeskWork
  readonly users: DeskUsers
  readonly log: DeskLog
  readonly looks: Looks
  readonly signIn: SignIn
  /** The hospital's own sign-in service; null: accounts of this desk only. */
  readonly service: SignInService | null
  readonly clock: Pick<Clock, 'nowMs'>
  readonly notes: Pick<Log, 'warn' | 'error'>
  /** The page's files by path; nothing else is ever read for a request. */
  readonly assets: ReadonlyMap<string, PageFile>
}

const MOST_BYTES = 16 * 1024
const MOST_IMPORT_BYTES = 8 * 1024 * 1024

/** Scripts and styles from here alone, no frames, no other places: what a name or file smuggles in cannot run or call home. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The desk as one function from request to answer. */
export function deskApp(parts: DeskParts): Hono<SignedIn> {
  const { place, users, clock, notes, assets } = parts
  const [app, sessions, prints] = [new Hono<SignedIn>(), new Sessions(clock), new Prints(clock)]
  app.onError(faultAnswer(notes, place))
  app.notFound((c) => c.text('not here\n', 404))
  app.use(async (c, next) => {
    await next()
    for (const [name, value] of Object.entries(headersFor(place))) if (!c.res.headers.has(name)) c.res.headers.set(name, value)
  })
  app.use(ownName(place), fromOwnPage(place))
  const tooLarge = (): never => {
    throw refusal('too large')
  }
  const broken = () => refusal('not JSON')
  const [file, rest] = [wholeBody(MOST_IMPORT_BYTES, tooLarge, broken), wholeBody(MOST_BYTES, tooLarge, broken)]
  app.use(async (c, next) => (c.req.path.startsWith('/api/import/') ? file : rest)(c, next))
  sessionRoutes(app, parts, sessions)
  const inside = signedIn(place, sessions, users)
  for (const path of ['/api/people/*', '/api/import/*', '/api/programmes', '/api/prints/*', '/print/*']) app.use(path, inside)
  peopleRoutes(app, parts, prints)
  importRoutes(app, parts, prints)
  printRoutes(app, parts, prints)
  for (const [path, { type, bytes }] of assets) app.get(path, (c) => c.body(bytes, 200, { 'content-type': type }))
  return app
}

const headersFor = ({ url }: DeskPlace): Readonly<Record<string, string>> => ({
  'content-security-policy': PAGE_POLICY,
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  ...(url.protocol === 'https:' ? { 'strict-transport-security': 'max-age=31536000' } : {}),
})
