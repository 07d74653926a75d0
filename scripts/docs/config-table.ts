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
  'data.dataset':
    'Name of the privacy budget that these rows spend from, over all studies with differential privacy (default: patients). Rows of other people have another name; the same people never have two.',
  listen: 'Addresses to listen on, as multiaddrs. An empty list: no port is opened, and the site is reached through relays of other members.',
  announce: 'Addresses that others dial, when they are not the ones listened on (behind a proxy or NAT).',
  relay: 'Whether this site carries connections between members that cannot reach each other. It costs their bytes twice here.',
  bitswap: '',
  'bitswap.peers':
    "Addresses of the hospital's own IPFS nodes, as multiaddrs that end in the peer id. They may fetch every block that lies here (encrypted, but for protocols), and are asked for blocks that no member has.",
  'bitswap.listen': 'Addresses on which those may dial this site, on a host of its own. An empty list: this site dials them.',
  web: '',
  'web.port': 'Port of the loopback endpoint (`/healthz`, `/metrics`, encrypted blocks for auditors). 0: any free one, told at start.',
  portal: '',
  'portal.listen': "Address of the patients' portal, HOST:PORT, served by `rota run`: page, relay and proofs. A proxy with a certificate belongs before it.",
  'portal.page': "The patient's page as cards name it. Left out: the first portal of the programme's terms.",
  'portal.others': 'Portals of other members that pages may ask besides those that the terms name.',
  'portal.behindProxy': 'Whether a proxy on this machine stands before it: requests are then counted by its X-Forwarded-For.',
  'portal.requestsPerMinute':
    'Requests that one address may make in a minute; a request for proofs counts as thirty, what is sent as five. More where many patients share an address, as in a clinic.',
  'portal.longestDelaySeconds': "Longest that this relay keeps a withdrawal back, where that is less than the programme's terms allow.",
  desk: '',
  'desk.url': 'How browsers call the [desk](desk.md): `https://…` when a proxy stands before it. Left out: this machine alone.',
  'desk.looksPerHour': 'People that one steward may look at within an hour; who goes on is stopped and reported.',
  'desk.importedPerHour': 'People that one steward may import within an hour.',
  'desk.oidc': "The hospital's own sign-in service, by OpenID Connect.",
  'desk.oidc.issuer': 'Its address, as its own configuration names it.',
  'desk.oidc.clientId': 'As the service knows the desk.',
  'desk.oidc.clientSecretFile': 'File whose first line is the secret that goes with it; left out for a public client.',
  'desk.oidc.claim': 'What of an identity names the account; it must be something that nobody can choose for themselves.',
  passwordFile: "File whose first line is the password of the node's keys. Without it, give `--password-file` or `--password-fd`.",
}

/** Every key of rota.yaml. */
export const configTable = (): string => keyTable(schema, TEXTS, { 'web.port': '`0`', chainFinality: '`instant`' })
