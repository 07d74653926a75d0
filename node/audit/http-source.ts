import { randomBytes } from 'node:crypto'
import { fromHex } from '#base/bytes.ts'
import { RotaError } from '#base/errors.ts'
import type { BlockSource } from './block-source.ts'
import type { ReaderKey } from './reader-key.ts'
import { macOf, sessionContext, writeProof } from './request-proof.ts'

/** A block of a store is 1 MiB at most; anything much longer is no block. */
const LONGEST_BYTES = 2 * 1024 * 1024
const TIMEOUT_MS = 30_000
/** A session is renewed this long before it ends. */
const MARGIN_S = 60

interface Session {
  readonly secret: Uint8Array
  readonly expires: number
  /** The endpoint's clock less ours. */
  readonly aheadMs: number
}

/**
 * Blocks from a node's HTTP endpoint, asked for in a reader's name (see request-proof.ts).
 * Each call throws ROTA-6403 when the endpoint cannot be reached and ROTA-6404 when it refuses the reader.
 */
export function openEndpoint(url: string, reader: ReaderKey): BlockSource {
  const base = url.replace(/\/+$/, '')
  let session: Promise<Session> | null = null

  async function begin(): Promise<Session> {
    const asked = Date.now()
    const answer = await get(base, `/blocks/session?reader=${reader.publicKey}`, {})
    const { wrap, expires, now } = sessionAnswer(base, await bodyOf(base, answer))
    const secret = reader.unwrap([{ recipient: fromHex(reader.publicKey), wrap }], sessionContext(reader.publicKey, expires))
    if (secret === null) throw new RotaError('ROTA-6403', { url: base, reason: 'its session does not open' })
    return { secret, expires, aheadMs: now - asked }
  }

  async function current(): Promise<Session> {
    const held = session && (await session.catch(() => null))
    if (held && held.expires - MARGIN_S > (Date.now() + held.aheadMs) / 1000) return held
    session = begin()
    return session
  }

  async function ask(path: string): Promise<Response> {
    const { secret, expires, aheadMs } = await current()
    const nonce = randomBytes(16)
    const timeMs = Date.now() + aheadMs
    const authorization = writeProof({ reader: reader.publicKey, expires, timeMs, nonce, mac: macOf(secret, path, timeMs, nonce) })
    return get(base, path, { authorization })
  }

  return {
    name: base,
    async block(digest) {
      // A connection that was kept open may be closed by now: once more, with a proof of its own.
      let answer = await ask(`/blocks/${digest}`).catch(() => ask(`/blocks/${digest}`))
      if (answer.status === 401) {
        // A node that started again knows its old sessions no more.
        await answer.body?.cancel()
        session = null
        answer = await ask(`/blocks/${digest}`)
      }
      if (answer.status !== 404) return bodyOf(base, answer)
      await answer.body?.cancel()
      return null
    },
  }
}

async function get(url: string, path: string, headers: Record<string, string>): Promise<Response> {
  try {
    return await fetch(url + path, { headers, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) })
  } catch (cause) {
    throw new RotaError('ROTA-6403', { url, reason: 'no answer' }, cause)
  }
}

async function bodyOf(url: string, answer: Response): Promise<Uint8Array> {
  const body = await readAll(url, answer)
  if (answer.status === 200) return body
  if (answer.status === 401 || answer.status === 403) throw new RotaError('ROTA-6404', { url, reason: Buffer.from(body).toString('utf8').slice(0, 200) })
  throw new RotaError('ROTA-6403', { url, reason: `status ${answer.status}` })
}

async function readAll(url: string, answer: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  try {
    for await (const part of answer.body ?? []) {
      parts.push(part)
      length += part.length
      if (length > LONGEST_BYTES) break
    }
  } catch (cause) {
    throw new RotaError('ROTA-6403', { url, reason: 'its answer broke off' }, cause)
  }
  if (length > LONGEST_BYTES) throw new RotaError('ROTA-6403', { url, reason: 'its answer is too long' })
  return new Uint8Array(Buffer.concat(parts))
}

function sessionAnswer(url: string, body: Uint8Array): { wrap: Uint8Array; expires: number; now: number } {
  const fail = (cause?: unknown) => new RotaError('ROTA-6403', { url, reason: 'it is no Rota endpoint' }, cause)
  let value: { wrap?: unknown; expires?: unknown; now?: unknown }
  try {
    value = JSON.parse(Buffer.from(body).toString('utf8'))
  } catch (cause) {
    throw fail(cause)
  }
  const { wrap, expires, now } = value ?? {}
  if (typeof wrap !== 'string' || !/^0x[0-9a-f]{184}$/.test(wrap) || !Number.isSafeInteger(expires) || !Number.isSafeInteger(now)) throw fail()
  return { wrap: fromHex(wrap), expires: expires as number, now: now as number }
}
