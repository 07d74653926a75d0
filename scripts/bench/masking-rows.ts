import { execFile } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { figureOf } from './figures.ts'
import type { Row } from './row.ts'

const SITES = 23
const DROPPED = 4
const WORDS = 1_000_000
const REPEATS = 9
const LIMIT_MS = 300_000

type Measured = Readonly<Record<'shares' | 'mask' | 'unmask', readonly number[]>>

/** One site's part of a masked round, in seconds of its processor; what goes over the wire is counted in test/unit/masking/wire.test.ts. */
export async function maskingRows(): Promise<Row[]> {
  const script = join(import.meta.dirname, 'masking.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [script, `${SITES}`, `${DROPPED}`, `${WORDS}`, `${REPEATS}`], { timeout: LIMIT_MS })
  const m = JSON.parse(stdout) as Measured
  const row = (work: string, seconds: readonly number[], bar: number, note?: string): Row => ({
    ...{ work: `masked round, ${SITES} sites, 1 million weights: ${work}`, unit: 's', rota: figureOf(seconds), bar, peers: [] },
    ...(note === undefined ? {} : { note }),
  })
  return [
    row('to mask', m.mask, 0.35, `seconds of one core; ${SITES} streams of AES-256-CTR`),
    row('to make and check keys and shares', m.shares, 0.1),
    row(`to unmask, ${DROPPED} dropped out`, m.unmask, 0.5, `shares combined and checked, ${SITES - DROPPED + DROPPED * (SITES - DROPPED)} streams taken off`),
  ]
}
