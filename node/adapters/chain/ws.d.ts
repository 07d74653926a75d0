/** The part of `ws` that this adapter uses; the package brings no types. (Node's own WebSocket cannot send a pong.) */
declare module 'ws' {
  import type { EventEmitter } from 'node:events'

  export class WebSocket extends EventEmitter {
    constructor(url: string, options?: { handshakeTimeout?: number; maxPayload?: number; perMessageDeflate?: boolean })
    readonly readyState: number
    send(data: string, done?: (error?: Error) => void): void
    ping(): void
    pong(): void
    close(): void
    terminate(): void
  }
}
