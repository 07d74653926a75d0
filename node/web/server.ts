import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { RotaError } from '#base/errors.ts'
import { type Digest, isDigest } from '#base/ids.ts'
import type { Health } from './health.ts'
import { closeServer, listenAt, urlAt } from './listening.ts'
import type { Metrics } from './metrics.ts'
import type { ReaderAccess } from './reader-access.ts'

export interface WebOptions {
  /** 0 takes any free port. */
  readonly port: number
  /** Null: a program without a node has none to tell. */
  readonly health: (() => Health | Promise<Health>) | null
  readonly metrics: Pick<Metrics, 'text'>
  /** Encrypted blocks for auditors; null: none are served. */
  readonly blocks: { readonly access: ReaderAccess; read(digest: Digest): Promise<Uint8Array | null> } | null
  /** Work that whoever holds the control key may ask of the node; null: none. */
  readonly canary?: WebTask | null
  /** Names by which a proxy or tunnel calls this server, besides those of this machine. */
  readonly hosts?: readonly string[]
}

/** Answers a request with one JSON value. The control key is in the header, so that no web page can ask. */
export type WebTask = (query: URLSearchParams, authorization: string | undefined) => Promise<{ readonly status: number; readonly value: unknown }>

export interface Web {
  readonly port: number
  readonly url: string
  stop(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string | Uint8Array
}

/**
 * Serves status, metrics and blocks on 127.0.0.1 and nowhere else; who wants them from elsewhere brings a tunnel or a proxy.
 * Requests by another host name are refused, so that no web page can read it through a name that points here.
 * @throws ROTA-6406 when the port is taken
 */
export async function startWeb(options: WebOptions): Promise<Web> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000, keepAliveTimeout: 5_000, maxHeaderSize: 8192 }, (request, response) => {
    respond(options, request).then(
      (answer) => send(response, answer),
      () => send(response, text(500, 'internal error')),
    )
  })
  server.maxConnections = 64
  const at = { host: '127.0.0.1', port: options.port }
  const port = await listenAt(server, at).catch((cause: NodeJS.ErrnoException) => {
    throw new RotaError('ROTA-6406', { port: options.port, reason: cause.code ?? cause.message }, cause)
  })
  return { port, url: urlAt({ ...at, port }), stop: () => closeServer(server) }
}

async function respond(options: WebOptions, request: IncomingMessage): Promise<Answer> {
  if (!isOurName(request.headers.host, options.hosts ?? [])) return text(421, 'unknown host')
  if (request.method !== 'GET') return text(405, 'only GET')
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  if (options.health && pathname === '/healthz') return health(await options.health())
  if (pathname === '/metrics') return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body: await options.metrics.text() }
  if (options.canary && pathname === '/canary') return task(await options.canary(searchParams, request.headers.authorization))
  if (options.blocks && pathname === '/blocks/session') return session(await options.blocks.access.session(searchParams.get('reader')))
  if (options.blocks && pathname.startsWith('/blocks/')) return block(options.blocks, pathname, request.headers.authorization)
  return text(404, 'not here')
}

const health = (state: Health): Answer => json(state.ok ? 200 : 503, state)

const task = ({ status, value }: Awaited<ReturnType<WebTask>>): Answer => json(status, value)

const session = (granted: Awaited<ReturnType<ReaderAccess['session']>>): Answer => (granted ? json(200, granted) : refused(403, 'no study lists this reader'))

async function block({ access, read }: NonNullable<WebOptions['blocks']>, path: string, header: string | undefined): Promise<Answer> {
  const why = await access.refusal(header, path)
  if (why !== null) return refused(401, why)
  const digest = path.slice('/blocks/'.length)
  const bytes = isDigest(digest) ? await read(digest) : null
  return bytes === null ? text(404, 'not here') : { status: 200, type: 'application/octet-stream', body: bytes }
}

function refused(status: number, reason: string): Answer {
  const { code, message } = new RotaError('ROTA-6405', { reason })
  return json(status, { error: { code, what: message } })
}

function isOurName(host: string | undefined, others: readonly string[]): boolean {
  const name = (host ?? '').replace(/:\d+$/, '').toLowerCase()
  return ['127.0.0.1', 'localhost', '[::1]'].includes(name) || others.includes(name)
}

const text = (status: number, body: string): Answer => ({ status, type: 'text/plain; charset=utf-8', body: `${body}\n` })
const json = (status: number, value: unknown): Answer => ({ status, type: 'application/json', body: `${JSON.stringify(value)}\n` })

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  response.end(body)
}
