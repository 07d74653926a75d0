/** Lines and branches of the contracts that tests take: `npm run -s coverage`. See --help. */

import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { measure } from './measure.ts'
import { type CoverageOptions, HELP, readOptions } from './options.ts'
import { tableOf } from './table.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const print = (text: string): void => void process.stdout.write(`${text}\n`)
const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** @returns whether both are at the bar */
async function main({ json }: CoverageOptions): Promise<boolean> {
  const stopped = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort())
  if (!json) say('The tests of the contracts run on a copy in which every branch tells of itself; this takes some minutes.')
  const result = await measure(ROOT, stopped.signal)
  print(json ? JSON.stringify(result) : tableOf(result))
  return result.reached
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options === null) print(HELP)
  else process.exitCode = (await main(options)) ? 0 : 1
} catch (error) {
  say(error instanceof TypeError ? `${error.message}\n\n${HELP}` : error instanceof Error ? error.message : String(error))
  process.exitCode = 2
}
