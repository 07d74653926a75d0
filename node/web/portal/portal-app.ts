import { getConnInfo } from '@hono/node-server/conninfo'
import { type Context, Hono } from 'hono'
import { compress } from 'hono/compress'
import { RotaError } from '#base/errors.ts'
import { faultAnswer } from './fault-answer.ts'
import type { PortalParts } from './portal-parts.ts'
import { networkPart, RateLimit } from './rate-limit.ts'
import {
  readAgain,
  readAskedRecords,
  readBlock,
  readPage,
  readPrefix,
  readProgramme,
  readRecordQuery,
  readRounds,
  readSigned,
  readTag,
} from './read-requests.ts'
import { wholeBody } from './whole-body.ts'

/** A signed withdrawal has less than 600 bytes. */
const MOST_BYTES = 4 * 1024
/** Proofs take the hospital's computer longest: ten pages of them a minute. */
const PROOFS_COST = 30
const POST_COST = 5
/** Thousands of withdrawals in one answer. */
const WHOLE_COST = 10

/** Nothing but the page's own files runs, and it asks whatever portals the card names; no cookies, so any site may embed what is public here. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  'connect-src *',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS = {
  'access-control-allow-origin': '*',
  'cache-control': 'no-store',
  'content-security-policy': PAGE_POLICY,
  'cross-origin-resource-policy': 'cross-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const

/** The portal as one function from request to answer: #patient/portal-api.ts says what it is asked. */
export function portalApp(parts: PortalParts): Hono {
  const { work, domain, clock, notes, page } = parts
  const app = new Hono()
  const rates = new RateLimit(parts.requestsPerMinute, clock)
  const now = () => Math.floor(clock.nowMs() / 1000)
  const limit = (c: Context, cost = 1): void => {
    if (!rates.take(networkPart(addressOf(c, parts.behindProxy)), cost)) throw new RotaError('ROTA-6505')
  }

  app.onError(faultAnswer(notes))
  app.notFound((c) => faultAnswer(notes)(new RotaError('ROTA-6511', { path: c.req.path.slice(0, 80) }), c))
  app.use(async (c, next) => {
    await next()
    for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value)
  })
  app.options('*', (c) =>
    c.body(null, 204, { 'access-control-allow-methods': 'GET, POST', 'access-control-allow-headers': 'content-type', 'access-control-max-age': '86400' }),
  )
  app.use('/api/*', async (c, next) => {
    limit(c, c.req.method === 'POST' ? POST_COST : 1)
    await next()
  })
  app.use('/api/*', wholeBody(MOST_BYTES, tooLong, broken))

  app.get('/api/place', async (c) => c.json(await work.place()))
  app.post('/api/withdrawals', async (c) => {
    try {
      const taken = await work.take(readSigned(await c.req.json().catch(() => null), domain))
      return c.json(taken, taken.state === 'waiting' ? 202 : 200)
    } catch (error) {
      parts.refused?.()
      throw error
    }
  })
  app.get('/api/withdrawals/:programme/:tag', async (c) => c.json(await work.withdrawal(readProgramme(c.req.param('programme')), readTag(c.req.param('tag')))))
  app.get('/api/withdrawn', compress(), async (c) => {
    const { programme, prefix, until } = c.req.query()
    if (until === undefined) return c.json(await work.withdrawn(readProgramme(programme), readPrefix(prefix)))
    limit(c, WHOLE_COST - 1)
    return c.json(await work.withdrawnUntil(readProgramme(programme), readBlock(until)))
  })
  app.get('/api/block', async (c) => c.json(await work.block(readBlock(c.req.query('number')))))
  app.post('/api/proofs', async (c) => {
    limit(c, PROOFS_COST - POST_COST)
    const request = readRounds(await c.req.json().catch(() => null), now(), domain)
    return c.json(await work.proofs(request, readPage(c.req.query('page'))))
  })
  app.get('/api/records', async (c) => c.json(await work.records(readAskedRecords(c.req.query()))))
  app.get('/api/record', async (c) => c.json(await work.record(readRecordQuery(c.req.query()))))
  app.post('/api/again', async (c) => {
    const { request, ...next } = readAgain(await c.req.json().catch(() => null), now(), domain)
    return c.json(await work.again(request, next), 201)
  })
  for (const [path, { type, bytes }] of page ?? []) app.get(path, compress(), (c) => c.body(bytes, 200, { 'content-type': type }))
  return app
}

function tooLong(): never {
  throw new RotaError('ROTA-6506', { bytes: MOST_BYTES })
}

const broken = (): Error => new RotaError('ROTA-6501', { what: 'request' })

/** Who asks, to count requests by; kept in memory for a minute. */
function addressOf(c: Context, behindProxy: boolean): string {
  const forwarded = behindProxy ? c.req.header('x-forwarded-for')?.split(',').at(-1)?.trim() : undefined
  if (forwarded !== undefined && forwarded !== '') return forwarded.slice(0, 64)
  try {
    return getConnInfo(c).remote.address ?? 'unknown'
  } catch {
    return 'unknown'
  }
}
