import type { Values } from './languages.ts'

/** What a server said that went wrong, or that it did not answer; `values` fill the reader's own text. */
export interface Fault {
  readonly code: string
  readonly message: string
  readonly remedy: string
  readonly values: Values
}

export class FaultError extends Error {
  readonly fault: Fault

  constructor(fault: Fault) {
    super(fault.message)
    this.fault = fault
  }
}

/** Whatever was thrown, as something to show. */
export const faultOf = (error: unknown): Fault =>
  error instanceof FaultError ? error.fault : { code: 'page', message: error instanceof Error ? error.message : String(error), remedy: '', values: {} }

export interface Asked {
  /** Sent as JSON; makes it a POST. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
  /** Only the desk's own server has cookies. */
  readonly cookies?: boolean
}

const TIMEOUT_MS = 20_000

/** Asks a server for JSON. @throws FaultError as the server says it, or `away` when it cannot be reached, or `answer` when it says what nobody understands */
export async function askJson<T>(url: string, { body, headers = {}, timeoutMs = TIMEOUT_MS, cookies = false }: Asked = {}): Promise<T> {
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    credentials: cookies ? 'same-origin' : 'omit',
    cache: 'no-store',
    redirect: 'error',
    referrerPolicy: 'no-referrer',
    signal: AbortSignal.timeout(timeoutMs),
  }).catch(() => Promise.reject(new FaultError({ code: 'away', message: `${hostOf(url)} does not answer`, remedy: '', values: { host: hostOf(url) } })))
  const value: unknown = await response.json().catch(() => null)
  if (!response.ok) throw new FaultError(toldFault(value, hostOf(url), response.status))
  return value as T
}

function toldFault(value: unknown, host: string, status: number): Fault {
  const told = (value ?? {}) as Partial<Fault>
  if (typeof told.code === 'string' && typeof told.message === 'string')
    return { code: told.code, message: told.message, remedy: typeof told.remedy === 'string' ? told.remedy : '', values: { ...told.values, host } }
  return { code: 'answer', message: `${host} answers ${status}`, remedy: '', values: { host, status } }
}

/** For people: a portal by its host. */
export function hostOf(url: string): string {
  try {
    return new URL(url, location.href).host
  } catch {
    return url
  }
}
