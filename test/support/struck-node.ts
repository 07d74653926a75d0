/**
 * One hospital's node as `rota run` runs it, that strikes itself where a test has armed a strike.
 *   node test/support/struck-node.ts FOLDER SITE STRIKES_DIR [--calls-from ADDRESS] [--untrained]
 * --calls-from: the loopback address it dials from, so that proxies can tell callers apart (Linux)
 * --untrained: a neural study's weights shrink a little instead of being trained
 */
import module from 'node:module'
import net from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { WebSocket } from 'ws'
import { siteId } from '#base/ids.ts'
import type { Trainer } from '#ports/trainer.ts'
import { type Strike, takeStrike } from './strikes.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'calls-from': { type: 'string' }, untrained: { type: 'boolean', default: false } },
})
const [folder, index, dir] = positionals as [string, string, string]
const callsFrom = values['calls-from']
const me = siteId(Number(index))
// As the command line does (node/cli/bin.mjs).
module.enableCompileCache(join(import.meta.dirname, '../../.cache/compile'))

const shrinking: Trainer = { backend: 'none', train: async (task) => task.weights.map((weight) => 0.99 * weight), stop: async () => undefined }

const never = new Promise<void>(() => undefined)

/** Waits for the next transaction that this process sends. */
let awaited: Strike | null = null

function strike({ signal }: Strike): void {
  process.kill(process.pid, signal)
}

/** Dials from an address of its own. */
function dialFrom(address: string): void {
  const plain = net.connect
  net.connect = ((options: unknown, ...rest: unknown[]) =>
    (plain as (...args: unknown[]) => unknown)(
      typeof options === 'object' && options !== null && 'port' in options ? { ...options, localAddress: address } : options,
      ...rest,
    )) as typeof net.connect
}

/** Sees each transaction just before, and just after, it is given to the network. */
function watchSending(): void {
  const plain = WebSocket.prototype.send
  WebSocket.prototype.send = function send(this: WebSocket, data: string) {
    const falls = awaited !== null && typeof data === 'string' && data.includes('eth_sendRawTransaction') ? awaited : null
    if (falls?.at === 'send') strike(falls)
    // The callback comes when the kernel has the bytes: they will arrive.
    if (falls?.at === 'sent') plain.call(this, data, () => strike(falls))
    else plain.call(this, data)
    if (falls !== null) awaited = null
  } as typeof plain
}

if (callsFrom !== undefined) dialFrom(callsFrom)
watchSending()
// Nothing comes in this way: it ends with the test that started this node, which should not outlive it.
process.stdin.once('end', () => process.exit()).resume()
process.stdin.unref?.()
const { runNode } = await import('#app/node/run-node.ts')
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())

await runNode(
  {
    folder,
    password: null,
    log: { format: 'json', level: 'info' },
    drill: undefined,
    signal: stop.signal,
    ...(values.untrained ? { trainer: shrinking } : {}),
    async beforeRow(row, view) {
      const taken = takeStrike(dir, me, row, view)
      if (taken === null) return
      if (taken.at !== 'row') {
        awaited = taken
        return
      }
      strike(taken)
      // A kill has ended all this; a stopped process goes on here once it is told to.
      if (taken.signal === 'SIGKILL') await never
    },
  },
  (event) => void process.stdout.write(`${JSON.stringify(event)}\n`),
)
