import { RotaError } from '#base/errors.ts'

/** JSON-RPC to one endpoint, over whichever transport. */
export interface Rpc {
  /** Whether `onLog` tells of each log at once; else it only says now and then that there may be news. */
  readonly pushes: boolean
  /**
   * @throws RpcError when the endpoint answers with an error, ROTA-5001 when it does not answer
   */
  call<T>(method: string, params: readonly unknown[]): Promise<T>
  /** Calls back for each log of the watched contracts (null: something may have happened, look yourself); returns how to stop. */
  onLog(listener: (log: RawLog | null) => void): () => void
  /** Calls back each time a lost endpoint is there again. */
  onReconnect(listener: () => void): () => void
  /** Whose logs to report. */
  watch(addresses: readonly string[]): Promise<void>
  stop(): Promise<void>
}

/** As eth_getLogs and eth_subscribe give it. */
export interface RawLog {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
  readonly blockNumber: string
  readonly blockHash: string
  readonly logIndex: string
  readonly transactionHash: string
  /** Newer clients add it. */
  readonly blockTimestamp?: string
  /** True when a reorganisation took it back. */
  readonly removed?: boolean
}

/** The endpoint's own refusal; `data` holds what the contract reverted with, where the client gives it. */
export class RpcError extends Error {
  readonly method: string
  readonly rpcCode: number
  readonly data: string | undefined

  constructor(method: string, error: { code?: number; message?: string; data?: unknown }) {
    super(error.message ?? 'JSON-RPC error')
    this.method = method
    this.rpcCode = error.code ?? 0
    this.data = revertDataOf(error.data)
  }
}

/** Whether a contract refused, and not the endpoint (which may be busy, syncing or limiting): geth and anvil say 3, the others add the bytes or say so. */
export const isRevert = (error: RpcError): boolean => error.rpcCode === 3 || error.data !== undefined || /revert/i.test(error.message)

/** Whether the endpoint asks to be asked more slowly (EIP-1474: limit exceeded). */
export const isBusy = ({ code }: { readonly code?: number }): boolean => code === -32005 || code === 429

/** Clients put the bytes at different depths: anvil and geth as text, Hardhat as {data}. */
function revertDataOf(data: unknown): string | undefined {
  if (typeof data === 'string' && /^0x([0-9a-f]{2})*$/i.test(data)) return data
  return typeof data === 'object' && data !== null && 'data' in data ? revertDataOf(data.data) : undefined
}

export interface RpcReply {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly subscription?: string; readonly result?: unknown }
  readonly result?: unknown
  readonly error?: { readonly code?: number; readonly message?: string; readonly data?: unknown }
}

/** How long an endpoint may take to answer one call, reconnecting included, unless told otherwise. */
export const CALL_LIMIT_MS = 20_000

export const noAnswer = (url: string, method: string, cause?: unknown): RotaError => new RotaError('ROTA-5001', { url: withoutSecrets(url), method }, cause)

/** An endpoint's URL may carry a key: neither logs nor errors show more than where it is. */
export const withoutSecrets = (url: string): string => {
  const at = URL.parse(url)
  return at === null ? 'the chain' : `${at.protocol}//${at.host}`
}
