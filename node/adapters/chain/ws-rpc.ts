import { globalAgent } from 'node:https'
import { WebSocket } from 'ws'
import { CALL_LIMIT_MS, isBusy, noAnswer, type RawLog, type Rpc, RpcError, type RpcReply } from './rpc.ts'

/** Waits between tries to connect, ms; the last repeats. */
const BACKOFF_MS = [50, 100, 250, 500, 1_000, 2_000, 5_000]
/** An endpoint that asks to be asked more slowly is asked again after this. */
const BUSY_MS = 500
/** A connection on which nothing came for so long, pings unanswered, is given up. */
const SILENCE_LIMIT_MS = 15_000

interface Pending {
  readonly method: string
  readonly text: string
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  readonly timer: NodeJS.Timeout
}

/**
 * JSON-RPC over one WebSocket that is opened again whenever it is lost; calls that were under way are sent again on the next one.
 * Sending a signed transaction or reading twice changes nothing, so that is safe.
 *
 * After each message a pong goes out: the acknowledgement travels with it at once, where the kernel would otherwise hold it back
 * up to 40 ms and the server's next small write with it (Nagle). A round on an instantly mined chain takes 27 ms with, 140 ms without.
 */
export function openWsRpc(url: string, callLimitMs = CALL_LIMIT_MS): Rpc {
  const pending = new Map<number, Pending>()
  const logListeners = new Set<(log: RawLog | null) => void>()
  const reconnectListeners = new Set<() => void>()
  let socket: WebSocket | null = null
  let watched: readonly string[] = []
  let nextId = 1
  let tries = 0
  let opened = 0
  let stopped = false
  /** Logs may have passed unseen: until the listeners were told so, a log is not the next one. */
  let gap = false
  let retryTimer: NodeJS.Timeout | undefined
  let heartbeat: NodeJS.Timeout | undefined

  const call = <T>(method: string, params: readonly unknown[]): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (stopped) return reject(noAnswer(url, method))
      const id = nextId++
      const text = JSON.stringify({ jsonrpc: '2.0', id, method, params })
      const timer = setTimeout(() => settle(id)?.reject(noAnswer(url, method)), callLimitMs)
      pending.set(id, { method, text, resolve: resolve as (value: unknown) => void, reject, timer })
      if (socket?.readyState === 1) socket.send(text)
    })

  const settle = (id: number): Pending | undefined => {
    const found = pending.get(id)
    pending.delete(id)
    clearTimeout(found?.timer)
    return found
  }

  const onMessage = (text: string) => {
    const reply = parseReply(text)
    if (reply === null) return socket?.terminate()
    if (reply.method === 'eth_subscription') {
      const log = reply.params?.result as RawLog
      for (const listener of logListeners) listener(gap ? null : log)
      return
    }
    if (reply.error && reply.id !== undefined && isBusy(reply.error)) return void setTimeout(askAgain, BUSY_MS, reply.id).unref()
    const asked = reply.id === undefined ? undefined : settle(reply.id)
    if (reply.error) asked?.reject(new RpcError(asked.method, reply.error))
    else if (reply.result === undefined) asked?.reject(new RpcError(asked.method, { message: 'neither a result nor an error' }))
    else asked?.resolve(reply.result)
  }

  const askAgain = (id: number) => {
    const waiting = pending.get(id)
    if (waiting !== undefined && socket?.readyState === 1) socket.send(waiting.text)
  }

  const subscribe = async () => {
    if (watched.length > 0) await call('eth_subscribe', ['logs', { address: watched }])
  }

  const onOpen = () => {
    tries = 0
    const again = opened++ > 0
    for (const [id, { method, text }] of pending) {
      // A subscription died with its connection; the new one is asked for below.
      if (again && method === 'eth_subscribe') settle(id)?.resolve(null)
      else socket?.send(text)
    }
    if (!again) {
      gap = false
      return
    }
    const tell = () => {
      gap = false
      for (const listener of reconnectListeners) listener()
      for (const listener of logListeners) listener(null)
    }
    subscribe().then(tell, () => socket?.terminate())
  }

  const connect = () => {
    const mine = new WebSocket(url, { handshakeTimeout: 5_000, perMessageDeflate: false, maxPayload: 256 * 1024 * 1024, ...throughProxy(url) })
    socket = mine
    let lastSeenMs = Date.now()
    mine.on('open', onOpen)
    mine.on('message', (data: Buffer) => {
      lastSeenMs = Date.now()
      mine.pong()
      onMessage(data.toString('utf8'))
    })
    mine.on('pong', () => {
      lastSeenMs = Date.now()
    })
    // 'close' follows and does what is needed.
    mine.on('error', () => {})
    mine.on('close', () => {
      clearInterval(heartbeat)
      gap = true
      if (!stopped) retryTimer = setTimeout(connect, BACKOFF_MS[Math.min(tries++, BACKOFF_MS.length - 1)])
    })
    clearInterval(heartbeat)
    heartbeat = setInterval(() => {
      if (Date.now() - lastSeenMs > SILENCE_LIMIT_MS) mine.terminate()
      else if (mine.readyState === 1) mine.ping()
    }, SILENCE_LIMIT_MS / 3)
    heartbeat.unref()
  }

  connect()
  return {
    pushes: true,
    call,
    onLog: (listener) => subscribeTo(logListeners, listener),
    onReconnect: (listener) => subscribeTo(reconnectListeners, listener),
    async watch(addresses) {
      watched = addresses
      await subscribe()
    },
    async stop() {
      stopped = true
      clearTimeout(retryTimer)
      clearInterval(heartbeat)
      for (const id of [...pending.keys()]) {
        const asked = settle(id)
        asked?.reject(noAnswer(url, asked.method))
      }
      socket?.terminate()
    },
  }
}

/** Null when it is no JSON: then this is no endpoint of a chain, or something between cut the message. */
function parseReply(text: string): RpcReply | null {
  try {
    return JSON.parse(text) as RpcReply
  } catch {
    return null
  }
}

export function subscribeTo<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Node's own agent goes through the proxy that the environment names (NODE_USE_ENV_PROXY); without an agent ws would dial past it. */
const throughProxy = (url: string): { readonly agent?: typeof globalAgent } => (url.startsWith('wss:') ? { agent: globalAgent } : {})
