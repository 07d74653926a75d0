import { RotaError } from '#base/errors.ts'
import { command } from '../command-file.ts'
import { needed } from '../needed.ts'
import { choice, flag, list, number, text, whole } from '../options.ts'

export const relay = command({
  name: 'relay',
  group: 'Consent',
  summary: "serve a relay for patients' withdrawals that belongs to no site, until it is stopped",
  description: `Anyone may run one: a patients' organisation, an ombudsman. It takes withdrawals that patients signed, puts them on chain after a random time within what
the programme's terms allow, and lets pages compare what the sites' portals say of the chain. It needs no account of the network and no ether. The
keystore signs its word; it is made when there is none.`,
  options: {
    chain: text('URL', "JSON-RPC endpoint of the network's chain"),
    contracts: text('ADDRESS', "the network's directory contract"),
    keystore: text('FILE', "the relay's key (default ./relay.json)", './relay.json'),
    passwordFile: text('FILE', "first line: the keystore's password"),
    passwordFd: whole('N', 'file descriptor to read the password from', { from: 0 }),
    folder: text('DIR', 'where withdrawals wait (default ./relay)', './relay'),
    listen: text('HOST:PORT', 'address to listen on (default 127.0.0.1 and any free port)'),
    others: list('URL,…', 'portals that pages may ask besides'),
    longestDelay: number('SECONDS', "longest that a withdrawal waits, where that is less than the programme's terms allow", { from: 0.1, to: 604_800 }),
    metrics: whole('PORT', 'port on 127.0.0.1 for Prometheus (default: none)', { from: 1, to: 65_535 }),
    behindProxy: flag('a proxy on this machine stands before it: count requests by its X-Forwarded-For'),
    logFormat: choice(['human', 'json'], 'log lines for people or machines (default human)', 'human'),
  },
  example: 'rota relay --chain ws://127.0.0.1:8545 --contracts 0x5FbDB2315678afecb367f032d93F642f64180aa3 --password-file relay.pw --listen 127.0.0.1:8082',
  async run({ options, out, signal }) {
    const { runRelay } = await import('#app/portal/portal.ts')
    const { relayText } = await import('#cli/output/portal-text.ts')
    const { keystore, folder, listen, others, longestDelay, behindProxy, metrics } = options
    const where = { chain: needed('relay', '--chain', options.chain), contracts: needed('relay', '--contracts', options.contracts) }
    const call = {
      ...where,
      keystore,
      folder,
      listen,
      others,
      longestDelay,
      behindProxy,
      metrics,
      password: passwordOf(options),
      log: { format: options.logFormat },
      signal,
    }
    await runRelay(call, (started) => {
      out.event({ event: 'started', ...started })
      if (!out.json) out.line(relayText(started, out.style))
    })
    return 0
  },
})

function passwordOf({ passwordFile, passwordFd }: { readonly passwordFile: string | undefined; readonly passwordFd: number | undefined }) {
  if (passwordFile !== undefined) return { file: passwordFile }
  if (passwordFd !== undefined) return { fd: passwordFd }
  throw new RotaError('ROTA-1308', { source: 'nowhere: neither --password-file nor --password-fd is given' })
}
