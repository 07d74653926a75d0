/** A JSON-RPC endpoint of a chain that has all the faults an endpoint may have, in front of a real chain. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket, WebSocketServer } from 'ws'

type Params = readonly unknown[]
/** Takes one answer's place; undefined leaves it as it is. */
type Change = (method: string, params: Params, result: unknown) => unknown
export interface Refusal {
  readonly code: number
  readonly message: string
  readonly data?: string
}

/** May be changed at any time. */
export interface Habits {
  /** Before each answer. */
  lateMs: number
  /** How pushed logs arrive. `mixed`: each two in the wrong order. `lost`: every second one never. */
  pushes: 'in order' | 'twice' | 'mixed' | 'lost'
  /** Every so many answers: HTTP 429 or 500, an answer cut in the middle, a connection closed in its place. 0: never. */
  busyEvery: number
  brokenEvery: number
  halfEvery: number
  closeEvery: number
  /** An error in an answer's place. */
  refuse: (method: string, params: Params) => Refusal | undefined
  /** Another answer than the chain's. */
  lie: Change
  /** Transactions that it says it took and that go nowhere. */
  drop: (raw: string) => boolean
}

const HONEST: Habits = {
  ...{ lateMs: 0, pushes: 'in order', busyEvery: 0, brokenEvery: 0, halfEvery: 0, closeEvery: 0 },
  ...{ refuse: () => undefined, lie: () => undefined, drop: () => false },
}

export interface BadEndpoint {
  /** ws:// */
  readonly url: string
  readonly httpUrl: string
  readonly habits: Habits
  /** How often each method was asked. */
  readonly asked: ReadonlyMap<string, number>
  /** How often each habit showed. */
  readonly did: ReadonlyMap<string, number>
  /** Closes every connection that is open now. */
  cut(): void
  stop(): Promise<void>
}

interface Asked {
  readonly id: number
  readonly method: string
  readonly params: Params
}

/** @param chain the honest endpoint behind it */
export async function badEndpoint(chain: { readonly url: string; readonly httpUrl: string }, habits: Partial<Habits> = {}): Promise<BadEndpoint> {
  const now: Habits = { ...HONEST, ...habits }
  const [asked, did] = [new Map<string, number>(), new Map<string, number>()]
  const count = (map: Map<string, number>, what: string) => map.set(what, (map.get(what) ?? 0) + 1).get(what) as number
  let answers = 0
  /** Which fault falls on the next answer. */
  const fault = (): 'busy' | 'broken' | 'half' | 'close' | null => {
    answers += 1
    const every = { busy: now.busyEvery, broken: now.brokenEvery, half: now.halfEvery, close: now.closeEvery }
    const found = Object.entries(every).find(([, n]) => n > 0 && answers % n === 0)?.[0] as keyof typeof every | undefined
    if (found !== undefined) count(did, found)
    return found ?? null
  }

  const answer = async ({ id, method, params }: Asked): Promise<string> => {
    count(asked, method)
    const refusal = now.refuse(method, params)
    if (refusal !== undefined) count(did, 'refused')
    if (refusal !== undefined) return JSON.stringify({ jsonrpc: '2.0', id, error: refusal })
    if (method === 'eth_sendRawTransaction' && now.drop(String(params[0]))) {
      count(did, 'dropped')
      return JSON.stringify({ jsonrpc: '2.0', id, result: `0x${'00'.repeat(32)}` })
    }
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params })
    const text = await (await fetch(chain.httpUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).text()
    const reply = JSON.parse(text) as { result?: unknown }
    const other = now.lie(method, params, reply.result)
    if (other === undefined) return text
    count(did, 'lied')
    return JSON.stringify({ jsonrpc: '2.0', id, result: other })
  }

  const overHttp = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const reply = await answer(JSON.parse(Buffer.concat(parts).toString()) as Asked)
    await sleep(now.lateMs)
    const wrong = fault()
    if (wrong === 'close') return void request.socket.destroy()
    if (wrong === 'busy') response.writeHead(429, { 'retry-after': '1' }).end('too many requests')
    else if (wrong === 'broken') response.writeHead(500, { 'content-type': 'text/html' }).end('<h1>Internal Server Error</h1>')
    else response.writeHead(200, { 'content-type': 'application/json' }).end(wrong === 'half' ? reply.slice(0, reply.length / 2) : reply)
  }

  const server = createServer((request, response) => void overHttp(request, response).catch(() => response.destroy()))
  const sockets = new WebSocketServer({ server, perMessageDeflate: false })
  const upstreams = new Set<WebSocket>()
  sockets.on('connection', (socket: WebSocket) => {
    upstreams.add(overSocket(socket, { chain: chain.url, habits: now, answer, fault, did: (what) => count(did, what) }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const cut = () => {
    for (const socket of sockets.clients) socket.terminate()
    server.closeAllConnections()
  }
  return {
    url: `ws://127.0.0.1:${port}`,
    httpUrl: `http://127.0.0.1:${port}`,
    habits: now,
    asked,
    did,
    cut,
    async stop() {
      for (const upstream of upstreams) upstream.terminate()
      cut()
      sockets.close()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

interface SocketParts {
  readonly chain: string
  readonly habits: Habits
  readonly answer: (asked: Asked) => Promise<string>
  readonly fault: () => 'busy' | 'broken' | 'half' | 'close' | null
  readonly did: (what: string) => void
}

/** Questions are answered one by one as over HTTP; subscriptions have a connection of their own to the chain. @returns that connection */
function overSocket(socket: WebSocket, { chain, habits, answer, fault, did }: SocketParts): WebSocket {
  const upstream = new WebSocket(chain, { perMessageDeflate: false })
  const ready = new Promise<void>((resolve) => void upstream.on('open', resolve))
  const send = (text: string) => socket.readyState === 1 && socket.send(text)
  let kept: string | null = null
  let pushed = 0
  const push = (text: string): void => {
    pushed += 1
    const odd = pushed % 2 === 1
    if (habits.pushes !== 'in order') did(habits.pushes)
    if (habits.pushes === 'lost' && odd) return
    if (habits.pushes === 'mixed' && odd) {
      kept = text
      return
    }
    send(text)
    if (habits.pushes === 'twice') send(text)
    if (kept !== null) send(kept)
    kept = null
  }
  upstream.on('message', (data: Buffer) => {
    const text = data.toString()
    if ((JSON.parse(text) as { method?: string }).method === 'eth_subscription') push(text)
    else send(text)
  })
  upstream.on('error', () => undefined)
  upstream.on('close', () => socket.terminate())
  socket.on('error', () => undefined)
  socket.on('close', () => upstream.terminate())
  socket.on('message', (data: Buffer) => {
    const asked = JSON.parse(data.toString()) as Asked
    if (asked.method === 'eth_subscribe') return void ready.then(() => upstream.send(data.toString()))
    answer(asked)
      .then(async (reply) => {
        await sleep(habits.lateMs)
        const wrong = fault()
        if (wrong === 'close' || wrong === 'broken') return socket.terminate()
        if (wrong === 'half') return send(reply.slice(0, reply.length / 2))
        if (wrong === 'busy') return send(JSON.stringify({ jsonrpc: '2.0', id: asked.id, error: { code: -32005, message: 'limit exceeded' } }))
        send(reply)
      })
      .catch(() => socket.terminate())
  })
  return upstream
}
