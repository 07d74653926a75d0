import type { Hono } from 'hono'
import { textsIn } from './answers.ts'
import type { DeskParts } from './desk-app.ts'
import { giveCookie, giveState, type SignedIn, sessionOf, signedIn, takeCookie, takeState, tokenIn } from './guards.ts'
import { IDLE_MS, LONGEST_MS, type Session, type Sessions } from './sessions.ts'
import { BACK_PATH } from './sign-in-service.ts'
import type { DeskUser } from './users.ts'

type Parts = Pick<DeskParts, 'place' | 'work' | 'users' | 'log' | 'signIn' | 'service' | 'clock'>

/** What the page must know of whoever sits there. */
const told = ({ user, csrf }: Session) => ({ user: user.name, csrf, idleMs: IDLE_MS, longestMs: LONGEST_MS })

/** Signing in and out, by password and code or by the hospital's sign-in service. */
export function sessionRoutes(app: Hono<SignedIn>, { place, work, users, log, signIn, service, clock }: Parts, sessions: Sessions): void {
  const enter = (c: Parameters<typeof giveCookie>[0], user: DeskUser): Session => {
    const old = tokenIn(c, place)
    if (old !== undefined) sessions.close(old)
    const { token, session } = sessions.open(user)
    giveCookie(c, place, token)
    return session
  }

  app.get('/api/session', async (c) => {
    const session = await sessionOf(c, place, sessions, users)
    return c.json({ site: work.siteName, service: service !== null, session: session === null ? null : told(session) })
  })

  app.post('/api/sign-in', async (c) => {
    const { name, password, code } = await textsIn(c, { name: 64, password: 1_000, code: 16 })
    return c.json(told(enter(c, await signIn.enter(name, password, code))))
  })

  app.post('/api/sign-out', signedIn(place, sessions, users), async (c) => {
    sessions.close(tokenIn(c, place) ?? '')
    takeCookie(c, place)
    await log.append([{ at: new Date(clock.nowMs()).toISOString(), who: c.var.session.user.name, what: 'signed out' }])
    return c.json({})
  })

  if (service === null) return
  app.get('/service/start', async (c) => {
    const { url, state } = await service.start()
    giveState(c, place, state)
    return c.redirect(url, 302)
  })
  app.get(BACK_PATH, async (c) => {
    enter(c, await service.enter(new URL(c.req.url), takeState(c, place)))
    // A page, not a redirect: a cookie that is SameSite=Strict is not sent along redirects that began elsewhere.
    return c.html('<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=/"><title>Rota</title><a href="/">Rota</a>')
  })
}
