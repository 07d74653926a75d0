import { parseArgs } from 'node:util'

export interface BenchOptions {
  /** Names of the rows to run; all but `install` when none is named. */
  readonly rows: readonly string[]
  readonly json: boolean
  /** Writes docs/measured.json, which the README's table is made of. */
  readonly save: boolean
  /** Installs Flower and NVFLARE into a temporary folder and runs them beside Rota, in the same run. */
  readonly peers: boolean
  /** They are installed here, and kept for the next run. */
  readonly peersHome: string | undefined
  /** Also measures a fresh install and a set-up from a bare copy. */
  readonly install: boolean
  /** Rounds measured in the rows of small models; large ones run a quarter of it. */
  readonly rounds: number
  /** Writes a CPU profile of each node here; in the row `long`, of the site that comes back. */
  readonly profiles: string | undefined
  /** Where ../shared lies: its peers and its rows are used when they are there. */
  readonly shared: string
}

export const HELP = `npm run bench -- [ROW …] [options]

Measures Rota on this machine and compares it with its bars. Rows (all but install when none is named):
  round blocks million ten-million memory bytes start simulated kills many disk consent pages masked masking slices private long away audit
  install (long, with away and audit: 500 rounds on a real chain, some minutes; slices: 200 sites of 40 MB each, some minutes, 8 GB of disk)

  --json           one JSON object instead of the table
  --peers          install Flower and NVFLARE into a temporary folder and run them in the same run (minutes, 1.4 GB)
  --peers-home DIR install them there, and keep them for the next run
  --install        also measure a fresh install and a set-up from a bare copy (minutes)
  --rounds N       rounds to measure (default 20)
  --profiles DIR   write a CPU profile of each node
  --shared DIR     where the peers' scripts and the real rows lie (default ../shared)
  --save           write docs/measured.json`

/** @throws TypeError for an option that does not exist */
export function readOptions(args: readonly string[]): BenchOptions | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      'peers-home': { type: 'string' },
      install: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '20' },
      profiles: { type: 'string' },
      shared: { type: 'string', default: '../shared' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 4) throw new TypeError(`--rounds ${values.rounds}: a whole number from 4 on`)
  return {
    rows: positionals,
    json: values.json,
    save: values.save,
    peers: values.peers,
    peersHome: values['peers-home'],
    install: values.install,
    rounds,
    profiles: values.profiles,
    shared: values.shared,
  }
}
