import { command } from '../command-file.ts'
import { needed } from '../needed.ts'
import { list, text, whole } from '../options.ts'
import { siteOptions } from '../site-options.ts'

export const init = command({
  name: 'init',
  group: 'Start here',
  summary: "make a site's folder: its keys, its config, and the card that others may see",
  description: `Draws the keys of the node, the steward and the recovery account, each in a keystore under a password, and writes rota.yaml.
Move steward.json and recovery.json to where these people keep their keys. Hand site.json to whoever creates the network; nothing in it is secret.`,
  options: {
    ...siteOptions,
    name: text('NAME', 'how the others call this site'),
    chain: text('URL', "JSON-RPC endpoint of the network's chain (ws:// or wss://)"),
    data: text('FILE.csv', "this site's rows"),
    mapping: text('FILE', "says how the file's columns, codes and units fit the protocol"),
    listen: list('MULTIADDR,…', 'addresses to listen on (default: a free port of this machine alone); "none" for a site that only dials out'),
    announce: list('MULTIADDR,…', 'addresses that others dial, when they are not those listened on'),
    webPort: whole('PORT', 'port of the loopback endpoint (default: a free one)', { from: 1, to: 65535 }),
    stewardPasswordFile: text('FILE', "first line: the password of the steward's and recovery keystores (default: the same)"),
  },
  example: 'rota init --folder ./cleveland --name Cleveland --chain ws://127.0.0.1:8545 --data cleveland.csv --password-file cleveland.pw',
  async run({ options, out }) {
    const { initSite } = await import('#app/site/init-site.ts')
    const file = needed('init', '--password-file', options.passwordFile ?? (options.passwordFd === undefined ? undefined : `/dev/fd/${options.passwordFd}`))
    const made = await initSite({
      folder: options.folder,
      name: needed('init', '--name', options.name),
      chain: needed('init', '--chain', options.chain),
      data: needed('init', '--data', options.data),
      mapping: options.mapping,
      listen: options.listen.length === 0 ? undefined : options.listen.filter((address) => address !== 'none'),
      announce: options.announce,
      webPort: options.webPort,
      password: options.passwordFd === undefined ? { file } : { fd: options.passwordFd },
      stewardPassword: options.stewardPasswordFile === undefined ? undefined : { file: options.stewardPasswordFile },
    })
    out.result(
      made,
      () =>
        `${out.style.good('Made')} ${made.folder}\n  site.json      for whoever creates the network\n  steward.json   for the data steward: approves studies\n  recovery.json  for the safe: replaces lost keys\nNext: rota join --folder ${options.folder} --contracts ADDRESS`,
    )
  },
})
