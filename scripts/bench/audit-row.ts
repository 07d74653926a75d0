import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { makeReaderKey } from '#app/audit/audit.ts'
import { figureOf } from './figures.ts'
import { type BenchNetwork, makeNetwork } from './hospitals.ts'
import { type NodeLine, type NodeProcess, startNodeProcess } from './node-process.ts'
import type { BenchOptions } from './options.ts'
import type { Row } from './row.ts'
import { type BenchStudy, smallStudy } from './studies.ts'

const ROTA = join(import.meta.dirname, '../../node/cli/bin.mjs')
const AUDITS = 3
const ROUNDS = 500
/** The last hospital leaves after this round, and is away for so many; and again, after as many more. */
const STAYS = 5
const AWAY = [10, 100]
/** One round waits this long for the one that left. */
const SHORT = { seconds: 9, blocks: 8 }
/** By then all code is compiled. */
const SETTLED = 50
const RUN_MS = 30 * 60_000

/** A long run on a real chain: one hospital is away for ten rounds of it, then for a hundred, and an auditor computes all of it again. */
export async function longRunRows({ profiles }: Pick<BenchOptions, 'profiles'>, rounds = ROUNDS): Promise<Row[]> {
  const dir = await mkdtemp(join(tmpdir(), 'rota-audit-'))
  try {
    const passwordFile = join(dir, 'password')
    await writeFile(passwordFile, 'a benchmark has no secrets\n', { mode: 0o600 })
    const reader = join(dir, 'auditor.json')
    const { encryptionKey } = await makeReaderKey(reader, { file: passwordFile })
    const network = await makeNetwork(withReader(smallStudy(rounds, SHORT), encryptionKey))
    try {
      const played = await playLong(network, rounds, profiles)
      return [await auditRow(network, { reader, passwordFile, rounds }), ...played]
    } finally {
      await network.stop()
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Plays the run to its end; nodes that are there all the time are the network's to end. */
async function playLong(network: BenchNetwork, rounds: number, profiles: string | undefined): Promise<Row[]> {
  const nodes = await network.startNodes()
  const run = await network.openRun()
  const first = nodes[0] as NodeProcess
  const index = nodes.length - 1
  const rows: Row[] = []
  let last = nodes[index] as NodeProcess
  try {
    for (const away of AWAY) {
      await roundAfter(first, run, STAYS)
      await last.end()
      await roundAfter(first, run, away)
      const startedMs = Date.now()
      last = await startNodeProcess({ folder: network.folders[index] as string, chainPort: network.chain.port, index, profiles })
      rows.push(await returnRow(last, away, startedMs))
    }
    await first.until((line) => line.event === 'over' && line.run === run, RUN_MS)
    return [...rows, memoryRow(first, run, rounds)]
  } finally {
    await last.end()
  }
}

/** Resolves when so many more rounds have opened. */
async function roundAfter(node: NodeProcess, run: number, more: number): Promise<void> {
  const opened = (line: NodeLine): boolean => line.event === 'opened' && line.run === run
  const now = node.lines.findLast(opened)?.round ?? 0
  await node.until((line) => opened(line) && (line.round ?? 0) >= now + more, RUN_MS)
}

/** A round that opened without the site, and that it is too late for, is part of it. */
async function returnRow(node: NodeProcess, away: number, startedMs: number): Promise<Row> {
  const sent = await node.until((line) => line.event === 'step' && line.row === 'contribute', RUN_MS)
  const saw = await node.until((line) => line.event === 'opened', RUN_MS)
  const seconds = (ms: number): string => (ms / 1_000).toFixed(1)
  return {
    ...{ work: `a site away for ${away} rounds: from its start to its update`, unit: 's', bar: 10, aim: 5, peers: [] },
    rota: figureOf([(sent.atMs - startedMs) / 1_000]),
    note: `it saw round ${saw.round} after ${seconds(saw.atMs - startedMs)} s, ${seconds(saw.cpuMs)} of them its own CPU, and was in round ${sent.round}; load ${(loadavg()[0] as number).toFixed(1)}`,
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
  const note = `at most ${(early / 1e6).toFixed(0)} MB by round ${SETTLED}, ${(late / 1e6).toFixed(0)} MB by round ${rounds}`
  return {
    work: `most resident memory of a node by round ${rounds} against round ${SETTLED}`,
    unit: '×',
    rota: figureOf([late / early]),
    bar: 1.1,
    peers: [],
    note,
  }
}

/** The others must be able to go on without the one that is away. */
const withReader = ({ protocol, sites }: BenchStudy, encryptionKey: string): BenchStudy => ({
  sites,
  protocol: { ...protocol, minSites: sites.length - 1, quorum: sites.length - 1, readers: [{ name: 'auditor', encryptionKey }] },
})

interface Audited {
  readonly reader: string
  readonly passwordFile: string
  readonly rounds: number
}

async function auditRow(network: BenchNetwork, audited: Audited): Promise<Row> {
  const seconds: number[] = []
  for (let i = 0; i < AUDITS; i++) seconds.push(await auditOnce(network, audited))
  const work = `audit of ${audited.rounds} rounds, every sum added up again`
  return { work, unit: 's', rota: figureOf(seconds), bar: 10, peers: [], note: 'from the start of the command, the chain read too' }
}

/** The command as an auditor types it, in a process of its own. */
async function auditOnce({ chain, contracts, folders }: BenchNetwork, { reader, passwordFile, rounds }: Audited): Promise<number> {
  const where = ['--chain', chain.url, '--contracts', contracts, '--store', folders[0] as string]
  const words = [ROTA, 'audit', 'verify', ...where, '--reader', reader, '--password-file', passwordFile, '--json']
  const startedMs = performance.now()
  const { stdout } = await promisify(execFile)(process.execPath, words, { maxBuffer: 1e8, timeout: RUN_MS })
  const seconds = (performance.now() - startedMs) / 1_000
  const report = JSON.parse(stdout) as { readonly ok: boolean; readonly recomputed: number }
  if (!report.ok || report.recomputed < rounds) throw new Error(`the audit recomputed ${report.recomputed} of ${rounds} rounds`)
  return seconds
}
