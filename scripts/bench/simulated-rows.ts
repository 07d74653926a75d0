import { execFile } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { figureOf } from './figures.ts'
import type { BenchOptions } from './options.ts'
import type { Row } from './row.ts'

const SITES = 100
const LIMIT_MS = 300_000

/** In a process of its own, so that its memory is its own. */
export async function simulatedRows({ rounds }: BenchOptions): Promise<Row[]> {
  const script = join(import.meta.dirname, 'simulated.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [script, `${SITES}`, `${rounds}`], { timeout: LIMIT_MS, maxBuffer: 1e7 })
  const { seconds, rssBytes } = JSON.parse(stdout) as { seconds: number[]; rssBytes: number }
  const note = `${(rssBytes / 1e6).toFixed(0)} MB of memory at most (bar 300)`
  return [{ work: 'simulated round, 100 sites', unit: 's', rota: figureOf(seconds), bar: 0.3, peers: [], note }]
}
