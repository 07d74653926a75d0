import type { ConnectionEncrypter, MessageStream, SecuredConnection } from '@libp2p/interface'
import { type NoiseComponents, noise } from '@libp2p/noise'
import { release } from '#base/bytes.ts'
import { type Ciphers, frameCiphers } from './noise-cipher.ts'
import { type MakeParts, NoiseFrames, type Parts } from './noise-frames.ts'

/**
 * libp2p's Noise, with less garbage around the same handshake, ciphers and bytes on the wire: in a transfer of 40 MB its buffers would bring eight
 * collections of the whole heap on each side, which is half of all the work.
 *
 * - what arrived is freed once it is decrypted, what is sent once the system has taken it
 * - all frames of a message go to the system in one call instead of four calls a frame
 * - what is to be sent is encrypted at once, never kept: its buffers are the sender's again
 * - the system's ciphers are given a key once (noise-cipher.ts)
 *
 * It reaches into the stream that Noise makes. Should another version look otherwise, that stream stays as it is, and gets copies to send.
 */
export const leanNoise =
  () =>
  (components: NoiseComponents): ConnectionEncrypter => {
    const plain = noise()(components)
    if (hasCiphers(plain)) Object.assign(plain, { crypto: frameCiphers(plain.crypto) })
    const { secureInbound, secureOutbound } = plain
    const lean: Pick<ConnectionEncrypter, 'secureInbound' | 'secureOutbound'> = {
      secureInbound: async (...args) => withLean(await secureInbound.apply(plain, args)),
      secureOutbound: async (...args) => withLean(await secureOutbound.apply(plain, args)),
    }
    return Object.assign(plain, lean)
  }

function withLean<T extends SecuredConnection>(secured: T): T {
  const { connection } = secured
  if (isNoise(connection)) makeLean(connection)
  else copyFirst(connection)
  return secured
}

/** What of Noise's stream is changed, or used. */
interface NoiseStream extends MessageStream {
  readonly stream: MessageStream & ((TcpStream & { readonly socket: Socket }) | { readonly socket?: undefined })
  readonly handshake: { decrypt(frame: Parts): Uint8Array | Parts }
  readonly readBuffer: { readonly constructor: MakeParts }
  readonly writeStatus: string
  /** `buffer` holds what has arrived of a frame. */
  decoder: { readonly buffer?: Parts; decode(data: Uint8Array | Parts): Iterable<Parts> }
  encrypt(data: Uint8Array | Parts): Parts
  decrypt(frame: Parts): Uint8Array | Parts
}

interface TcpStream {
  sendData(data: Parts): { readonly sentBytes: number; readonly canSendMore: boolean }
}

/** Node's, under a connection over TCP. */
interface Socket {
  readonly writableLength: number
  cork(): void
  uncork(): void
}

const has = <K extends string>(value: unknown, ...keys: readonly K[]): value is Record<K, unknown> =>
  typeof value === 'object' && value !== null && keys.every((key) => key in value)

const hasCiphers = (noise: object): noise is { readonly crypto: Ciphers } => has(noise, 'crypto') && has(noise.crypto, 'encrypt', 'decrypt')

const isNoise = (connection: MessageStream): connection is NoiseStream =>
  has(connection, 'stream', 'handshake', 'readBuffer', 'writeStatus', 'decoder', 'encrypt', 'decrypt') &&
  has(connection.handshake, 'encrypt', 'decrypt') &&
  has(connection.decoder, 'decode', 'buffer') &&
  has(connection.stream, 'send', 'writeBufferLength') &&
  (!has(connection.stream, 'socket') || (has(connection.stream, 'sendData') && has(connection.stream.socket, 'writableLength', 'cork', 'uncork')))

function makeLean(connection: NoiseStream): void {
  const { stream, handshake } = connection
  const { socket } = stream
  const whenNotWritable = connection.send.bind(connection)
  const unsent = socket === undefined ? null : new Unsent(() => stream.writeBufferLength + socket.writableLength)

  // The first bytes may be here before whoever waits for the stream gets it.
  connection.decoder = new NoiseFrames(connection.readBuffer.constructor, connection.decoder.buffer)
  connection.decrypt = (frame) => handshake.decrypt(frame)
  connection.send = (data) => {
    if (connection.writeStatus !== 'writable') return whenNotWritable(data)
    try {
      const frames = connection.encrypt(data)
      unsent?.add(frames)
      return stream.send(frames as Uint8Array)
    } catch (error) {
      connection.abort(error instanceof Error ? error : new Error(String(error)))
      throw error
    }
  }
  if (stream.socket !== undefined) writeTogether(stream, stream.socket)
}

/** What was given to a socket, to be freed once the system has it. */
class Unsent {
  readonly #parts: { readonly part: Uint8Array; readonly end: number }[] = []
  /** Bytes given that the system does not have yet. */
  readonly #waiting: () => number
  #given = 0

  constructor(waiting: () => number) {
    this.#waiting = waiting
  }

  /** Before they are given to the socket. */
  add(parts: Parts): void {
    const taken = this.#given - this.#waiting()
    for (let first = this.#parts[0]; first !== undefined && first.end <= taken; first = this.#parts[0]) {
      release(first.part)
      this.#parts.shift()
    }
    for (const part of parts) this.#parts.push({ part, end: (this.#given += part.length) })
  }
}

/** Also what had to wait for the socket. */
function writeTogether(stream: TcpStream, socket: Socket): void {
  const sendData = stream.sendData.bind(stream)
  stream.sendData = (data) => {
    socket.cork()
    try {
      return sendData(data)
    } finally {
      socket.uncork()
    }
  }
}

function copyFirst(connection: MessageStream): void {
  const send = connection.send.bind(connection)
  connection.send = (data) => send(data.slice())
}
