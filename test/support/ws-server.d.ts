/** The server's part of `ws`, for an endpoint that a test plays. */
declare module 'ws' {
  import type { EventEmitter } from 'node:events'
  import type { Server } from 'node:http'

  export class WebSocketServer extends EventEmitter {
    constructor(options: { server: Server; perMessageDeflate?: boolean; maxPayload?: number })
    readonly clients: ReadonlySet<WebSocket>
    close(): void
  }
}
