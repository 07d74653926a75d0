/**
 * Every kill, line, folder and chain case on real processes, of which `npm test` plays some: `npm run chaos:processes`.
 * Files in place of all: `npm run chaos:processes -- test/e2e/chaos-kills.test.ts`. With ROTA_CHAOS_TIMES=1 it says how long each round took to close.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { runNodeTest } from './node-tests.ts'
import { add, nothing, tell } from './tally.ts'

const FOLDER = join('test', 'e2e')
/** An hour for a file: all 76 kills take a quarter of it. */
const LIMIT_MS = 3_600_000

/** Files that leave something out unless all of chaos is asked for. */
const isChaos = (name: string): boolean => /^(chaos-.*|chain-consortium|kills)\.test\.ts$/.test(name)

async function main(wanted: readonly string[]): Promise<number> {
  process.env['ROTA_CHAOS'] = 'all'
  const files = wanted.length > 0 ? wanted : (await readdir(FOLDER)).filter(isChaos).map((name) => join(FOLDER, name))
  const total = nothing()
  for (const file of files) add(total, await runNodeTest(file, (text) => void process.stdout.write(text), LIMIT_MS))
  console.log(tell(total))
  return total.failed === 0 && total.passed > 0 ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
