import { timingSafeEqual } from 'node:crypto'
import type { Context, Env, MiddlewareHandler } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { RotaError } from '#base/errors.ts'
import { refusal } from './refusal.ts'
import type { Session, Sessions } from './sessions.ts'
import type { DeskUsers } from './users.ts'

/** Where the browser finds the desk. */
export interface DeskPlace {
  /** As typed: https://desk.example, or http://127.0.0.1:PORT on this machine. */
  readonly url: URL
}

export interface SignedIn extends Env {
  Variables: { session: Session }
}

export const CSRF_HEADER = 'x-rota-csrf'

/** `__Host-` lets no other host or path set it; browsers take the prefix only with Secure. */
const cookieName = ({ url }: DeskPlace): string => (url.protocol === 'https:' ? '__Host-rota-desk' : 'rota-desk')

/** Lasts as long as the browser; how long it counts, the server says. */
export const giveCookie = (c: Context, place: DeskPlace, token: string): void =>
  setCookie(c, cookieName(place), token, { path: '/', httpOnly: true, sameSite: 'Strict', secure: place.url.protocol === 'https:' })

export const takeCookie = (c: Context, place: DeskPlace): void =>
  setCookie(c, cookieName(place), '', { path: '/', httpOnly: true, sameSite: 'Strict', secure: place.url.protocol === 'https:', maxAge: 0 })

export const tokenIn = (c: Context, place: DeskPlace): string | undefined => getCookie(c, cookieName(place))

const STATE_COOKIE = 'rota-desk-service'
const STATE_S = 600

/** Kept by the browser that began a sign-in at the hospital's service, so that nobody else's answer is taken for it. Lax, since it comes back from there. */
export const giveState = (c: Context, place: DeskPlace, state: string): void =>
  setCookie(c, STATE_COOKIE, state, { path: '/service', httpOnly: true, sameSite: 'Lax', secure: place.url.protocol === 'https:', maxAge: STATE_S })

export function takeState(c: Context, place: DeskPlace): string | undefined {
  const state = getCookie(c, STATE_COOKIE)
  setCookie(c, STATE_COOKIE, '', { path: '/service', httpOnly: true, sameSite: 'Lax', secure: place.url.protocol === 'https:', maxAge: 0 })
  return state
}

/** Another name that points here (DNS rebinding) is not the desk. @throws ROTA-6704 */
export const ownName =
  (place: DeskPlace): MiddlewareHandler =>
  async (c, next) => {
    if (c.req.header('host')?.toLowerCase() !== place.url.host) throw new RotaError('ROTA-6704')
    await next()
  }

/** What changes something comes from the desk's own page, as JSON: no form and no other page can send that. @throws ROTA-6704, 6706 */
export const fromOwnPage =
  (place: DeskPlace): MiddlewareHandler =>
  async (c, next) => {
    if (c.req.method === 'GET') return next()
    const [origin, site, type = ''] = ['origin', 'sec-fetch-site', 'content-type'].map((name) => c.req.header(name))
    if (origin !== undefined && origin !== place.url.origin) throw new RotaError('ROTA-6704')
    if (site !== undefined && site !== 'same-origin') throw new RotaError('ROTA-6704')
    if (!/^application\/json\b/.test(type)) throw refusal('not JSON')
    await next()
  }

/** The session that the cookie names, if its account still stands. */
export async function sessionOf(c: Context, place: DeskPlace, sessions: Sessions, users: DeskUsers): Promise<Session | null> {
  const token = tokenIn(c, place)
  const session = sessions.find(token)
  if (session === null || token === undefined) return null
  const user = await users.find(session.user.name)
  if (user?.since === session.user.since) return session
  sessions.close(token)
  return null
}

/** @throws ROTA-6703 nobody signed in, 6704 without the page's token */
export const signedIn =
  (place: DeskPlace, sessions: Sessions, users: DeskUsers): MiddlewareHandler<SignedIn> =>
  async (c, next) => {
    const session = await sessionOf(c, place, sessions, users)
    if (session === null) throw new RotaError('ROTA-6703')
    if (c.req.method !== 'GET' && !same(c.req.header(CSRF_HEADER), session.csrf)) throw new RotaError('ROTA-6704')
    c.set('session', session)
    await next()
  }

function same(given: string | undefined, wanted: string): boolean {
  const [a, b] = [Buffer.from(given ?? ''), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}
