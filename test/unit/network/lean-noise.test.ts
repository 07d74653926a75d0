import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { afterEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectionEncrypter, MessageStream, Stream } from '@libp2p/interface'
import { type NoiseComponents, noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p, type Libp2p } from 'libp2p'
import { leanNoise } from '#adapters/network/lean-noise.ts'
import { NoiseFrames, type Parts } from '#adapters/network/noise-frames.ts'

/** Stands for libp2p's own lists of parts. */
class List implements Parts {
  readonly parts: Uint8Array[] = []
  append(part: Uint8Array): void {
    this.parts.push(part)
  }
  get byteLength(): number {
    return this.parts.reduce((sum, part) => sum + part.length, 0)
  }
  [Symbol.iterator](): Iterator<Uint8Array> {
    return this.parts[Symbol.iterator]()
  }
}

const listOf = (...parts: Uint8Array[]): List => {
  const list = new List()
  for (const part of parts) list.append(part)
  return list
}

/**
 * given frames of Noise, cut anywhere
 * ├── when they arrive, each comes out whole
 * └── when one has been read, the memory of what it came in is freed, unless somebody has another part of it
 *
 * given hosts over TCP or WebSocket, with this Noise or the library's at either end
 * ├── when they send megabytes both ways, the same bytes arrive
 * └── when nothing is left to send, the sender may write over its buffer
 */
describe('frames of Noise', () => {
  const frames = [0, 1, 2, 300, 65_535].map((size) => Buffer.alloc(size, size & 255))
  const stream = Buffer.concat(frames.flatMap((frame) => [Buffer.from([frame.length >> 8, frame.length & 255]), frame]))

  it('come out whole wherever they are cut', () => {
    for (const step of [1, 2, 3, 7, 299, 4096, 65_536, stream.length]) {
      const decoder = new NoiseFrames(List)
      const read: Buffer[] = []
      for (let at = 0; at < stream.length; at += step)
        for (const frame of decoder.decode(Buffer.from(stream.subarray(at, at + step)))) read.push(Buffer.concat([...frame]))
      assert.deepEqual(
        read.map((frame) => frame.length),
        [1, 2, 300, 65_535],
      )
      assert.ok(Buffer.concat(read).equals(Buffer.concat(frames)))
    }
  })

  it('free what they came in once they are read, and nothing that others have a part of', () => {
    const decoder = new NoiseFrames(List)
    const [own, rest] = [new Uint8Array(stream.subarray(0, 400)), new Uint8Array(stream.subarray(400))]
    const shared = new Uint8Array(10_000).subarray(2)
    for (const frame of decoder.decode(listOf(own, rest))) assert.ok(frame.byteLength > 0 && own.length + rest.length > 0)
    assert.deepEqual([own.length, rest.length], [0, 0])
    for (const _ of decoder.decode(shared)) assert.fail('frames of no length are none')
    assert.equal(shared.length, 9_998)
  })
})

describe('Noise without garbage', () => {
  const hosts: Libp2p[] = []
  const lean: MessageStream[] = []
  afterEach(async () => {
    for (const host of hosts.splice(0)) await host.stop()
    lean.splice(0)
  })

  /** Notes each stream that it makes. */
  const watchedNoise = (components: NoiseComponents): ConnectionEncrypter => {
    const encrypter = leanNoise()(components)
    for (const name of ['secureInbound', 'secureOutbound'] as const) {
      const secure: ConnectionEncrypter[typeof name] = encrypter[name]
      encrypter[name] = async (connection, options) => {
        const secured = await secure(connection, options)
        lean.push(secured.connection)
        return secured
      }
    }
    return encrypter
  }
  const start = async (encrypter: (components: NoiseComponents) => ConnectionEncrypter, listen: string[]) => {
    const host = await createLibp2p({
      addresses: { listen },
      transports: [tcp(), webSockets()],
      connectionEncrypters: [encrypter],
      streamMuxers: [yamux()],
    })
    hosts.push(host)
    return host
  }
  const bytesOf = (name: string) => {
    const block = createHash('sha512').update(name).digest()
    return new Uint8Array(3 * 1024 * 1024 + 5).map((_, at) => (block[at % 61] as number) ^ (at >> 8))
  }
  const sentWhole = async (stream: Stream, bytes: Uint8Array) => {
    const buffer = bytes.slice()
    stream.send(buffer)
    while (stream.writeBufferLength > 0) await sleep(1)
    buffer.fill(0)
  }
  const readWhole = async (stream: Stream, length: number) => {
    const hash = createHash('sha256')
    let left = length
    for await (const part of stream) {
      hash.update(part.subarray())
      left -= part.byteLength
      if (left <= 0) break
    }
    return hash.digest('hex')
  }
  const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

  for (const [transport, address] of [
    ['TCP', '/ip4/127.0.0.1/tcp/0'],
    ['WebSocket', '/ip4/127.0.0.1/tcp/0/ws'],
  ] as const) {
    for (const [ends, here, there] of [
      ['both ends', watchedNoise, watchedNoise],
      ['the dialling end', watchedNoise, noise()],
      ['the listening end', noise(), watchedNoise],
    ] as const) {
      it(`carries the same bytes over ${transport} at ${ends}`, async () => {
        const [a, b] = [await start(here, []), await start(there, [address])]
        const [up, down] = [bytesOf('up'), bytesOf('down')]
        const heard: Promise<string>[] = []
        await b.handle('/test/1', async (stream) => {
          heard.push(readWhole(stream, up.length))
          await (here === watchedNoise && there === watchedNoise ? sentWhole(stream, down) : stream.send(down))
        })
        const connection = await a.dial(b.getMultiaddrs())
        const streams = await Promise.all([1, 2, 3].map(() => connection.newStream('/test/1')))
        const answers = streams.map((stream) => readWhole(stream, down.length))
        await Promise.all(streams.map((stream) => (here === watchedNoise ? sentWhole(stream, up) : stream.send(up))))
        assert.deepEqual(new Set(await Promise.all(answers)), new Set([digest(down)]))
        assert.deepEqual(new Set(await Promise.all(heard)), new Set([digest(up)]))
        assert.equal(heard.length, 3)
        // A version of the library that looks otherwise would be left as it is: then this says so.
        assert.equal(lean.length, ends === 'both ends' ? 2 : 1)
        for (const stream of lean) assert.ok('decoder' in stream && stream.decoder instanceof NoiseFrames)
      })
    }
  }
})
