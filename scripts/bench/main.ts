/** What Rota takes, beside its bars and, with --peers, beside Flower and NVFLARE in the same run: `npm run bench`. See --help. */
import { writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { longRunRows } from './audit-row.ts'
import { diskRows, killRows, manyRows } from './chaos-rows.ts'
import { consentRows } from './consent-rows.ts'
import { installRows } from './install-rows.ts'
import { maskedRows } from './masked-rows.ts'
import { maskingRows } from './masking-rows.ts'
import { blockRows, millionRows, roundRows, tenMillionRows } from './network-rows.ts'
import { type BenchOptions, HELP, readOptions } from './options.ts'
import { pageRows } from './page-rows.ts'
import { measurePeers, type PeerFigures } from './peers.ts'
import { privateRows } from './private-rows.ts'
import { chosenRows, type Row, type RowName } from './row.ts'
import { simulatedRows } from './simulated-rows.ts'
import { sliceRows } from './slice-rows.ts'
import { tableText } from './table.ts'

const RECORD = join(import.meta.dirname, '../../docs/measured.json')

const MEASURE: Readonly<Record<RowName, (options: BenchOptions, peers: PeerFigures) => Promise<Row[]>>> = {
  round: roundRows,
  blocks: blockRows,
  million: millionRows,
  'ten-million': tenMillionRows,
  simulated: simulatedRows,
  kills: killRows,
  many: manyRows,
  disk: diskRows,
  consent: consentRows,
  pages: pageRows,
  masked: maskedRows,
  masking: maskingRows,
  slices: sliceRows,
  private: privateRows,
  long: (options) => longRunRows(options),
  install: installRows,
}

const say = (line: string): void => void process.stderr.write(`${line}\n`)

async function main(options: BenchOptions): Promise<void> {
  const names = chosenRows(options.rows, options.install)
  const peers = await measurePeers(options, names, say)
  if ('none' in peers.flower) say(`without peers: ${peers.flower.none}`)
  const rows: Row[] = []
  const loads: number[] = []
  try {
    for (const name of names) {
      const before = loadavg()[0] as number
      say(`${name} … (load ${before.toFixed(1)})`)
      loads.push(before)
      rows.push(...(await MEASURE[name](options, peers)))
    }
  } finally {
    await peers.close()
  }
  const report = { date: new Date().toISOString().slice(0, 10), machine: machine(loads), rows }
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${tableText(rows)}\n\n${report.date}, ${report.machine}\n`)
  if (options.save) await save(report, names, options)
}

const machine = (loads: readonly number[]): string =>
  `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, load before each row ${loads.map((load) => load.toFixed(1)).join(', ')}`

/** As the README's table reads it. */
async function save(
  report: { readonly date: string; readonly machine: string; readonly rows: readonly Row[] },
  names: readonly RowName[],
  options: BenchOptions,
): Promise<void> {
  const command = [
    'npm run bench --',
    ...(options.rows.length > 0 ? names : []),
    ...(options.peers ? ['--peers'] : []),
    ...(options.install ? ['--install'] : []),
  ]
  const rows = report.rows.map(({ work, unit, rota, peers, note }) => ({
    work,
    command: command.join(' ').replace(/ --$/, ''),
    unit,
    rota,
    peers,
    ...(note === undefined ? {} : { note }),
  }))
  await writeFile(RECORD, `${JSON.stringify({ ...report, rows }, null, 2)}\n`)
  say('docs/measured.json is written')
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options === null) process.stdout.write(`${HELP}\n`)
  else await main(options)
} catch (error) {
  say(error instanceof TypeError ? error.message : String(error instanceof Error ? (error.stack ?? error.message) : error))
  process.exitCode = 1
}
