import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { type DevChain, startAnvil } from '#adapters/devchain/anvil.ts'
import { TEST_CERTIFICATE, TEST_HOST, TEST_KEY } from '../../support/test-certificate.ts'
import { rota } from '../cli/rota.ts'

// given a hospital from which a proxy alone reaches the chain's endpoint, which speaks TLS under a name that the hospital cannot look up
// └── when the environment names that proxy, a command reads the chain through it, by wss and by https

let dir: string
let chain: DevChain
let tls: Server
const proxy = createServer((_, response) => response.writeHead(501).end())
/** What the proxy was asked to open. */
const opened: (string | undefined)[] = []

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rota-proxy-'))
  await writeFile(join(dir, 'certificate.pem'), TEST_CERTIFICATE)
  chain = await startAnvil()
  tls = createTlsServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }, (socket) => joinEnds(socket, connect(chain.port, '127.0.0.1')))
  proxy.on('connect', (request, socket: Socket, head) => {
    opened.push(request.url)
    const to = connect(portOf(tls), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      to.write(head)
      joinEnds(socket, to)
    })
  })
  await Promise.all([tls, proxy].map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))))
})
after(async () => {
  proxy.closeAllConnections()
  for (const server of [tls, proxy]) server?.close()
  await chain?.stop()
  await rm(dir, { recursive: true })
})

for (const scheme of ['wss', 'https'])
  it(`a chain is reached through the hospital's proxy by ${scheme}`, async () => {
    opened.length = 0
    const url = `http://127.0.0.1:${portOf(proxy)}`
    const named = { HTTPS_PROXY: url, https_proxy: url, HTTP_PROXY: url, http_proxy: url, NO_PROXY: '', no_proxy: '' }
    const env = { ...named, NODE_USE_ENV_PROXY: '1', NODE_EXTRA_CA_CERTS: join(dir, 'certificate.pem') }
    const { stderr } = await rota(['network', 'show', '--chain', `${scheme}://${TEST_HOST}`, '--contracts', `0x${'12'.repeat(20)}`], { env })
    // The chain answered: what stands at that address is nothing.
    assert.match(stderr, /^ROTA-5006 /)
    assert.ok(opened.length > 0 && opened.every((target) => target === `${TEST_HOST}:443`), opened.join())
  })

const portOf = (server: Server): number => (server.address() as AddressInfo).port

/** Bytes go both ways until one end is gone. */
function joinEnds(one: Socket, other: Socket): void {
  one.pipe(other).pipe(one)
  one.on('error', () => other.destroy()).on('close', () => other.destroy())
  other.on('error', () => one.destroy()).on('close', () => one.destroy())
}
