import { schema } from '../../node/app/site/config.ts'
import { keyTable } from './key-table.ts'

const TEXTS: Readonly<Record<string, string>> = {
  name: 'How the others call this site; it stands on the chain.',
  chain: 'JSON-RPC endpoint of the chain. Prefer `wss://` or `ws://`: `http(s)://` is asked again and again, which is slower.',
  contracts: "Address of the network's directory contract. Empty before the network exists; `rota join` writes it.",
  chainId: 'Id of the chain that the network is on; `rota join` writes it. An endpoint of another chain is refused.',
  chainFinality:
    'When a block counts: `instant` (at once; right for QBFT), a number (under so many others), `finalized` (when the chain calls it so): [chain.md](chain.md#finality).',
  chainWitness: 'A second endpoint of the same chain, run by somebody else. The node acts on nothing that the two tell differently, and sends to both.',
  data: '',
  'data.file': "This site's rows, a CSV file. Read when a round needs it; never sent, never copied.",
  'data.mapping': 'Mapping file: how the columns, codes and units of that file fit the protocol ([protocol.md](protocol.md)).',
  listen: 'Addresses to listen on, as multiaddrs. An empty list: no port is opened, and the site is reached through relays of other members.',
  announce: 'Addresses that others dial, when they are not the ones listened on (behind a proxy or NAT).',
  relay: 'Whether this site carries connections between members that cannot reach each other. It costs their bytes twice here.',
  bitswap: '',
  'bitswap.peers':
    "Addresses of the hospital's own IPFS nodes, as multiaddrs that end in the peer id. They may fetch every block that lies here (encrypted, but for protocols), and are asked for blocks that no member has.",
  'bitswap.listen': 'Addresses on which those may dial this site, on a host of its own. An empty list: this site dials them.',
  web: '',
  'web.port': 'Port of the loopback endpoint (`/healthz`, `/metrics`, encrypted blocks for auditors). 0: any free one, told at start.',
  passwordFile: "File whose first line is the password of the node's keys. Without it, give `--password-file` or `--password-fd`.",
}

/** Every key of rota.yaml. */
export const configTable = (): string => keyTable(schema, TEXTS, { 'web.port': '`0`', chainFinality: '`instant`' })
