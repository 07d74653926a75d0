import { vaultPath } from '../../node/adapters/vault/site-vault.ts'
import { sitePaths } from '../../node/app/site/site-folder.ts'
import { markdownTable } from './markdown.ts'

type Place = Exclude<keyof ReturnType<typeof sitePaths>, 'folder'>

/** What each is, and whether a backup must hold it. */
const TEXTS: Readonly<Record<Place, readonly [what: string, backup: string]>> = {
  config: ['The config: [every key](#config-rotayaml)', 'yes'],
  steward: ["The data steward's keystore. Move it to the steward's own machine", 'yes, while it is here'],
  recovery: ['The recovery keystore. Move it off the machine, into a safe', 'yes, while it is here'],
  card: ['What others may see: names, addresses, public keys. Founders hand it over', 'yes'],
  state: ['All that the node writes; only one node at a time (`node.lock`)', 'see below'],
  journal: ['What this node did, written before a message leaves', '**no**, only how far it was: see [backup](#backup)'],
  events: ['Copy of chain events, to start faster', 'no'],
  blocks: ['Encrypted objects: updates, sums, models, protocols', 'no; other members hold them'],
  consents: ['Consents and withdrawals that were recorded here, encrypted', '**yes**'],
  cohorts: ['Who was in which cohort that this site committed to, encrypted; `rota consent prove` needs it', '**yes**'],
  differencing: ['Cohorts that exact runs used; keeps one patient from showing by a difference', '**yes**'],
  desk: [
    'What was done at the desk, by whom and for whom, encrypted; full ones beside it as `desk-1.log`, `desk-2.log` …',
    '**yes**, but for the full ones: they never change again, copy each once',
  ],
  deskUsers: ['Accounts of the desk, encrypted', '**yes**'],
  deskFigures: ['Counts of the last day at the desk, for `rota status` and the metrics', 'no'],
  portal: ['Withdrawals that a portal took and that are not on chain yet: tags and signatures, no names', 'no'],
  portalFigures: ['Counts of them, for the metrics', 'no'],
  opened: ['Runs that this site opened last: opened again when the chain has lost them', 'no'],
  rounds: ['Bytes and training time of each round that this node saw, for `rota study show`', 'no'],
  shares: ['What other sites said of themselves that runs had cost them, for `rota study show`', 'no'],
  canary: ['What the last `rota canary` of each study measured: `rota study start` looks at it', 'no'],
  control: ['There while the node runs: who can read it may ask the node for a canary', 'no'],
  resting: ['There while maintenance is announced (`rota pause`)', 'no'],
  restored: ['There after `rota restore`, until the node has brought its journal up to the chain', 'no'],
  results: ['Results that were written out', 'as you wish'],
  withdrawals: ['Confirmations of withdrawals at the desk, to print and hand over: tags, no names', 'as you wish'],
}

/** Where a site keeps what, with the vault first. */
export function folderTable(): string {
  const paths = sitePaths('') as Readonly<Record<Place, string>>
  const places = Object.keys(TEXTS) as Place[]
  const missing = Object.keys(paths).filter((name) => name !== 'folder' && !(name in TEXTS))
  if (missing.length > 0) throw new Error(`places without a sentence: ${missing.join(', ')}`)
  const vault = [`\`${vaultPath('')}\``, "The node's keys (chain account, libp2p, encryption, consent), under a password", '**yes**']
  return markdownTable(['file or folder', 'what', 'in the backup'], [vault, ...places.map((place) => [`\`${paths[place]}\``, ...TEXTS[place]])])
}
