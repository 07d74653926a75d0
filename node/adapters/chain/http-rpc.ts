import { setTimeout as sleep } from 'node:timers/promises'
import { CALL_LIMIT_MS, isBusy, noAnswer, type RawLog, type Rpc, RpcError, type RpcReply } from './rpc.ts'
import { subscribeTo } from './ws-rpc.ts'

/** How often an endpoint without subscriptions is asked for a new block. */
const POLL_MS = 250
const RETRY_MS = [50, 100, 250, 500, 1_000, 2_000, 5_000]

/**
 * JSON-RPC over HTTP: for readers and for endpoints that offer nothing else. Events are noticed up to a quarter of a second late,
 * so nodes should be given a ws:// or wss:// endpoint.
 */
export function openHttpRpc(url: string, callLimitMs = CALL_LIMIT_MS): Rpc {
  const logListeners = new Set<(log: RawLog | null) => void>()
  const reconnectListeners = new Set<() => void>()
  const stopping = new AbortController()
  let nextId = 1
  let lost = false
  let lastBlock = ''
  let poll: NodeJS.Timeout | undefined

  const post = async <T>(method: string, params: readonly unknown[]): Promise<T> => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: nextId++, method, params })
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(callLimitMs)])
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal })
    const reply = (await response.json()) as RpcReply
    // What a proxy says on its own account (too many requests, bad gateway) is no answer of the chain, whatever its body holds.
    if (reply.error && !isBusy(reply.error) && (response.ok || reply.error.data !== undefined)) throw new RpcError(method, reply.error)
    if (!('result' in reply)) throw noAnswer(url, method)
    return reply.result as T
  }

  const call = async <T>(method: string, params: readonly unknown[]): Promise<T> => {
    const end = Date.now() + callLimitMs
    for (let tries = 0; ; tries++) {
      try {
        const result = await post<T>(method, params)
        if (lost) for (const listener of reconnectListeners) listener()
        lost = false
        return result
      } catch (error) {
        if (error instanceof RpcError) throw error
        const waitMs = RETRY_MS[Math.min(tries, RETRY_MS.length - 1)] as number
        if (stopping.signal.aborted || Date.now() + waitMs > end) throw noAnswer(url, method, error)
        lost = true
        await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => {})
      }
    }
  }

  const look = async () => {
    const block = await call<string>('eth_blockNumber', []).catch(() => lastBlock)
    if (block !== lastBlock) for (const listener of logListeners) listener(null)
    lastBlock = block
    if (!stopping.signal.aborted) poll = setTimeout(look, POLL_MS)
  }

  return {
    pushes: false,
    call,
    onLog: (listener) => subscribeTo(logListeners, listener),
    onReconnect: (listener) => subscribeTo(reconnectListeners, listener),
    async watch() {
      poll ??= setTimeout(look, POLL_MS)
    },
    async stop() {
      stopping.abort()
      clearTimeout(poll)
    },
  }
}
