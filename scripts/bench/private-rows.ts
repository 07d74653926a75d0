import { execFile } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { figureOf } from './figures.ts'
import type { PrivatePair } from './private.ts'
import type { Row } from './row.ts'

const PAIRS = 9
const LIMIT_MS = 600_000

/** What clipping each patient and adding noise costs a training step. */
export async function privateRows(): Promise<Row[]> {
  const script = join(import.meta.dirname, 'private.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [script, `${PAIRS}`], { timeout: LIMIT_MS, maxBuffer: 1e7 })
  const measured = JSON.parse(stdout) as { readonly dense: readonly PrivatePair[]; readonly convolution: readonly PrivatePair[] }
  return [
    row('private training step over a plain one, dense layers, wasm', measured.dense, 1.3),
    row('private training step over a plain one, convolutions, wasm', measured.convolution, 1.6),
  ]
}

function row(work: string, pairs: readonly PrivatePair[], bar: number): Row {
  const ms = (of: (pair: PrivatePair) => number): string => figureOf(pairs.map(of)).median.toPrecision(3)
  return {
    ...{ work, unit: '×', bar, peers: [] },
    rota: figureOf(pairs.map(({ plainMs, privateMs }) => privateMs / plainMs)),
    note: `CPU time, ${pairs.length} pairs in turn, 32 patients a step: ${ms(({ plainMs }) => plainMs)} ms plain, ${ms(({ privateMs }) => privateMs)} ms private`,
  }
}
