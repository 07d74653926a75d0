import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'

const IPFS = process.env['ROTA_IPFS'] ?? new URL('../../.cache/bin/ipfs', import.meta.url).pathname

/** Why tests beside Kubo are skipped; false where they run. */
export const noKubo: string | false = existsSync(IPFS)
  ? false
  : `no Kubo at ${IPFS}: ../shared/tools/build-kubo.sh builds it there (with Go), or ROTA_IPFS names another`

const run = promisify(execFile)

/** Kubo in a folder of its own: no public network, no router, one port of 127.0.0.1, and one more for the gateway where it is asked for. */
export interface Kubo {
  readonly address: string
  /** As `http://127.0.0.1:PORT`; null: it serves none. */
  readonly gateway: string | null
  ipfs(...args: readonly string[]): Promise<string>
  /** As it lies there. */
  block(cid: string): Promise<Buffer>
  stop(): Promise<void>
}

export async function startKubo(dir: string, { gateway = false }: { readonly gateway?: boolean } = {}): Promise<Kubo> {
  const env = { ...process.env, IPFS_PATH: dir, IPFS_TELEMETRY: 'off' }
  const limits = { env, maxBuffer: 64 * 1024 * 1024, timeout: 60_000 }
  const ipfs = async (...args: readonly string[]) => (await run(IPFS, [...args], limits)).stdout.trim()
  await ipfs('init', '--empty-repo')
  await ipfs('bootstrap', 'rm', '--all')
  for (const [name, value] of Object.entries({
    'Addresses.Swarm': ['/ip4/127.0.0.1/tcp/0'],
    'Addresses.API': '/ip4/127.0.0.1/tcp/0',
    'Addresses.Gateway': gateway ? '/ip4/127.0.0.1/tcp/0' : [],
    'Routing.Type': 'none',
    'Discovery.MDNS.Enabled': false,
    'AutoConf.Enabled': false,
    'AutoTLS.Enabled': false,
    'Swarm.DisableNatPortMap': true,
  }))
    await ipfs('config', '--json', name, JSON.stringify(value)).catch(() => '')
  const daemon = spawn(IPFS, ['daemon'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = await ready(daemon)
  const { Addresses } = JSON.parse(await ipfs('id')) as { Addresses: readonly string[] }
  const port = /Gateway server listening on \/ip4\/127\.0\.0\.1\/tcp\/(\d+)/.exec(said)?.[1]
  return {
    address: Addresses.find((address) => address.startsWith('/ip4/127.0.0.1/tcp/')) ?? assert.fail('Kubo listens nowhere'),
    gateway: port === undefined ? null : `http://127.0.0.1:${port}`,
    ipfs,
    block: async (cid) => (await run(IPFS, ['block', 'get', cid], { ...limits, encoding: 'buffer' })).stdout,
    async stop() {
      const ended = new Promise((resolve) => daemon.once('exit', resolve))
      daemon.kill('SIGTERM')
      await ended
    },
  }
}

/** @returns what it said until then */
function ready(daemon: ChildProcess): Promise<string> {
  let said = ''
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Kubo is not ready within 30 s: ${said}`)), 30_000)
    for (const stream of [daemon.stdout, daemon.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said += text
        if (!said.includes('Daemon is ready')) return
        clearTimeout(timer)
        resolve(said)
      })
    daemon.once('exit', () => reject(new Error(`Kubo ended: ${said}`)))
  })
}
