import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import type { Figure } from './figures.ts'
import type { BenchOptions } from './options.ts'
import type { Row, RowName } from './row.ts'

/** What the others took for the same work on this machine, in this run; empty lists where they did not run. */
export interface PeerFigures {
  readonly small: Row['peers']
  readonly smallMemory: Row['peers']
  readonly smallBytes: Row['peers']
  readonly start: Row['peers']
  readonly million: Row['peers']
  readonly tenMillion: Row['peers']
  readonly tenMillionMemory: Row['peers']
  /** Where Flower is installed, for a row that plays it between its own runs; or why there is none. */
  readonly flower: { readonly bin: string } | { readonly none: string }
  /** Deletes what was installed, unless it is kept. */
  close(): Promise<void>
}

export const noPeers = (none: string): PeerFigures => ({
  ...{ small: [], smallMemory: [], smallBytes: [], start: [], million: [], tenMillion: [], tenMillionMemory: [] },
  flower: { none },
  close: async () => undefined,
})

const PACKAGES = { flower: ['flwr[simulation]==1.41.0', 'psutil', 'scikit-learn'], nvflare: ['nvflare==2.9.0', 'psutil'] } as const
type Product = keyof typeof PACKAGES
const OF_BOTH: readonly RowName[] = ['round', 'million', 'ten-million']

interface Report {
  readonly round_s_quartiles: readonly number[] | null
  readonly start_to_round1_s: number | null
  readonly memory: Readonly<Record<string, { readonly peak_mib_max?: number } | number>>
  readonly bytes_per_round?: Readonly<Record<string, number>>
}

/** A minute of one core, and of others where they work too. */
const INSTALL_MS = 1_800_000
const RUN_MS = 600_000
const run = promisify(execFile)

/** Measures what the chosen rows compare with; where something that it needs is not here, nothing, and `flower.none` says why. @throws Error when a peer fails */
export async function measurePeers(options: BenchOptions, rows: readonly RowName[], say: (line: string) => void): Promise<PeerFigures> {
  const none = await whyNoPeers(options, rows)
  if (none !== null) return noPeers(none)
  const dir = await mkdtemp(join(tmpdir(), 'rota-peers-'))
  const close = (): Promise<void> => rm(dir, { recursive: true, force: true, maxRetries: 5 })
  const kept = options.peersHome === undefined ? dir : resolve(options.peersHome)
  try {
    for (const product of ['flower', 'nvflare'] as const) {
      // Masked rounds are compared with Flower's alone.
      if (product === 'nvflare' && !rows.some(ofBoth)) continue
      if (await isThere(join(kept, product), PACKAGES[product][0])) continue
      say(`${product}: installing`)
      const failed = await install(join(kept, product), PACKAGES[product])
      if (failed === null) continue
      await close()
      return noPeers(failed)
    }
    return { ...(await figures(kept, dir, options, rows, say)), flower: { bin: join(kept, 'flower/bin') }, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Why the peers cannot run here, or null. */
async function whyNoPeers({ peers, shared }: BenchOptions, rows: readonly RowName[]): Promise<string | null> {
  if (!peers) return 'not asked for: add --peers'
  if (!rows.some((row) => ofBoth(row) || row === 'masked')) return 'no row that was chosen compares with them'
  if (!existsSync(join(shared, 'peers/flower/deploy.py'))) return `their scripts are not in ${shared}/peers`
  if (rows.some(ofBoth) && process.getuid?.() !== 0) return 'their bytes are counted on the loopback, which needs root'
  const found = await run('python3', ['-c', 'import sys, venv, ensurepip; print(sys.version_info >= (3, 11))']).catch(() => null)
  return found?.stdout.trim() === 'True' ? null : 'Python 3.11 or newer with venv and pip is not here'
}

const ofBoth = (row: RowName): boolean => OF_BOTH.includes(row)

/** Whether a run before this one left it there, of this very version. */
async function isThere(environment: string, wanted: string): Promise<boolean> {
  const [name = '', version] = wanted.replace(/\[.*\]/, '').split('==')
  const ask = `import importlib.metadata as m; print(m.version('${name}'))`
  const found = await run(join(environment, 'bin/python'), ['-c', ask]).catch(() => null)
  return found?.stdout.trim() === version
}

/** A Python environment of its own. @returns why it could not be had, or null */
export async function install(into: string, packages: readonly string[]): Promise<string | null> {
  try {
    await run('python3', ['-m', 'venv', into], { timeout: INSTALL_MS })
    await run(join(into, 'bin/python'), ['-m', 'pip', 'install', '--quiet', '--no-input', ...packages], { timeout: INSTALL_MS, maxBuffer: 1e8 })
    return null
  } catch (error) {
    const { stderr, message } = error as Error & { readonly stderr?: string }
    const said = (stderr ?? '')
      .trim()
      .split('\n')
      .findLast((line) => /error/i.test(line))
    return `${packages[0]} could not be installed: ${said ?? message.trim().split('\n')[0]}`
  }
}

type Deployed = Omit<PeerFigures, 'flower' | 'close'>

async function figures(home: string, dir: string, { shared }: BenchOptions, rows: readonly RowName[], say: (line: string) => void): Promise<Deployed> {
  const play = async (product: Product, label: string, args: readonly string[]): Promise<Report> => {
    say(`${product}: ${label}`)
    const script = join(shared, 'peers', product, 'deploy.py')
    const csv = resolve(shared, 'data/heart-disease/flamby_prepared.csv')
    const work = join(dir, `work-${product}-${label.replaceAll(/\W+/g, '-')}`)
    const { stdout } = await run(join(home, product, 'bin/python'), [script, '--csv', csv, '--work', work, ...args], { timeout: RUN_MS, maxBuffer: 1e8 })
    return JSON.parse(stdout.trim().split('\n').at(-1) as string) as Report
  }
  const both = async (label: string, args: readonly string[]): Promise<readonly (readonly [string, Report])[]> => [
    ['Flower', await play('flower', label, args)],
    ['NVFLARE', await play('nvflare', label, args)],
    ['NVFLARE, shortest polling', await play('nvflare', `${label}, shortest polling`, [...args, '--poll', '0.05', '--direct'])],
  ]
  const small = rows.includes('round') ? await both('14 weights', []) : []
  const million = rows.includes('million') ? await both('1 million weights', ['--vector', '1000000', '--rounds', '7']) : []
  const ten = rows.includes('ten-million') ? await both('10 million weights', ['--vector', '10000000', '--rounds', '5']) : []
  return {
    ...{ small: secondsOf(small), million: secondsOf(million), tenMillion: secondsOf(ten) },
    ...{ smallMemory: memoryOf(small), tenMillionMemory: memoryOf(ten) },
    smallBytes: small.flatMap(([name, report]) => single(name, upOf(report))),
    start: small.flatMap(([name, report]) => single(name, report.start_to_round1_s)),
  }
}

type Reports = readonly (readonly [string, Report])[]

const secondsOf = (reports: Reports): Row['peers'] =>
  reports.flatMap(([name, { round_s_quartiles: q }]) => (q === null ? [] : [{ name, low: q[0] as number, median: q[2] as number, high: q[4] as number }]))

/** The largest single process: what Rota's figure is, too, since each of its nodes is one process. */
const memoryOf = (reports: Reports): Row['peers'] =>
  reports.flatMap(([name, { memory }]) =>
    single(name, Math.max(...Object.values(memory).map((role) => (typeof role === 'number' ? 0 : (role.peak_mib_max ?? 0)))) * 1.048576),
  )

/** Per site; both products' scripts give the four sites together. */
const upOf = ({ bytes_per_round: b }: Report): number | null => {
  const up = b?.site_to_link ?? b?.others_to_server
  return up === undefined ? null : up / 4 / 1_000
}

const single = (name: string, value: number | null): readonly ({ readonly name: string } & Figure)[] =>
  value === null ? [] : [{ name, median: value, low: value, high: value }]
