import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { makeReaderKey } from '#app/audit.ts'
import { figureOf } from './figures.ts'
import { type BenchNetwork, makeNetwork } from './hospitals.ts'
import { type NodeProcess, startNodeProcess } from './node-process.ts'
import type { Row } from './row.ts'
import { type BenchStudy, smallStudy } from './studies.ts'

const ROTA = join(import.meta.dirname, '../../node/cli/bin.mjs')
const AUDITS = 3
const ROUNDS = 500
/** The last hospital leaves after this round, and is away for so many. */
const GONE_AFTER = 5
const AWAY = 100
/** One round waits this long for the one that left. */
const SHORT = { seconds: 9, blocks: 8 }
/** By then all code is compiled. */
const SETTLED = 50
const RUN_MS = 30 * 60_000

/** A long run on a real chain: one hospital is away for a hundred rounds of it, and an auditor computes all of it again. */
export async function longRunRows(rounds = ROUNDS): Promise<Row[]> {
  const dir = await mkdtemp(join(tmpdir(), 'rota-audit-'))
  const passwordFile = join(dir, 'password')
  await writeFile(passwordFile, 'a benchmark has no secrets\n', { mode: 0o600 })
  const reader = join(dir, 'auditor.json')
  const { encryptionKey } = await makeReaderKey(reader, { file: passwordFile })
  const network = await makeNetwork(withReader(smallStudy(rounds, SHORT), encryptionKey))
  let back: NodeProcess | null = null
  try {
    const nodes = await network.startNodes()
    const run = await network.openRun()
    const first = nodes[0] as NodeProcess
    const reached = (round: number) => first.until((line) => line.event === 'opened' && line.run === run && (line.round ?? 0) >= round, RUN_MS)
    await reached(GONE_AFTER)
    await nodes.at(-1)?.end()
    await reached(Math.min(GONE_AFTER + AWAY, rounds - 3))
    const startedMs = Date.now()
    back = await startNodeProcess({ folder: network.folders.at(-1) as string, chainPort: network.chain.port, index: network.folders.length - 1 })
    await back.until((line) => line.event === 'step' && line.row === 'contribute', RUN_MS)
    const returnSeconds = (Date.now() - startedMs) / 1_000
    await first.until((line) => line.event === 'over' && line.run === run, RUN_MS)
    const memory = memoryRow(first, run, rounds)
    const seconds: number[] = []
    for (let i = 0; i < AUDITS; i++) seconds.push(await auditOnce(network, reader, passwordFile, rounds))
    return [
      {
        work: `audit of ${rounds} rounds, every sum added up again`,
        unit: 's',
        rota: figureOf(seconds),
        bar: 10,
        peers: [],
        note: 'from the start of the command, the chain read too',
      },
      { work: `a site away for ${AWAY} rounds: from its start to its update`, unit: 's', rota: figureOf([returnSeconds]), bar: 10, peers: [] },
      memory,
    ]
  } finally {
    await back?.end()
    await network.stop()
    await rm(dir, { recursive: true, force: true })
  }
}

/** Of a node that is there all the time: the middle of ten rounds around the 50th, and of the last ten. */
function memoryRow(node: NodeProcess, run: number, rounds: number): Row {
  const middle = (from: number): number =>
    figureOf(
      node.lines
        .filter((line) => line.event === 'opened' && line.run === run && (line.round ?? 0) >= from && (line.round ?? 0) < from + 10)
        .map((line) => line.rssBytes),
    ).median
  const [early, late] = [middle(Math.min(SETTLED, rounds - 10)), middle(rounds - 9)]
  const note = `${(early / 1e6).toFixed(0)} MB at round ${SETTLED}, ${(late / 1e6).toFixed(0)} MB at round ${rounds}`
  return { work: `resident memory of a node at round ${rounds} against round ${SETTLED}`, unit: '×', rota: figureOf([late / early]), bar: 1.1, peers: [], note }
}

/** The others must be able to go on without the one that is away. */
const withReader = ({ protocol, sites }: BenchStudy, encryptionKey: string): BenchStudy => ({
  sites,
  protocol: { ...protocol, minSites: sites.length - 1, quorum: sites.length - 1, readers: [{ name: 'auditor', encryptionKey }] },
})

/** The command as an auditor types it, in a process of its own. */
async function auditOnce({ chain, contracts, folders }: BenchNetwork, reader: string, passwordFile: string, rounds: number): Promise<number> {
  const where = ['--chain', chain.url, '--contracts', contracts, '--store', folders[0] as string]
  const words = [ROTA, 'audit', 'verify', ...where, '--reader', reader, '--password-file', passwordFile, '--json']
  const startedMs = performance.now()
  const { stdout } = await promisify(execFile)(process.execPath, words, { maxBuffer: 1e8, timeout: RUN_MS })
  const seconds = (performance.now() - startedMs) / 1_000
  const report = JSON.parse(stdout) as { readonly ok: boolean; readonly recomputed: number }
  if (!report.ok || report.recomputed < rounds) throw new Error(`the audit recomputed ${report.recomputed} of ${rounds} rounds`)
  return seconds
}
