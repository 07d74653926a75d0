/** Format, lint, layers and types of the whole tree, in seconds: `npm run check`; `npm run fix` puts right what a tool can. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { BIOME_FILE, biomeIsCurrent, writeBiome } from './generate-biome.ts'
import { layerOf } from './layers.ts'
import { type Outcome, runTool } from './run-tool.ts'

const fix = process.argv.includes('--fix')

async function layersKnown(): Promise<Outcome> {
  const files = (await readdir('node', { recursive: true }))
    .filter((file) => /\.(tsx?|mjs)$/.test(file))
    .map((file) => join('node', file).replaceAll('\\', '/'))
  const strangers = files.filter((file) => layerOf(file) === undefined)
  const output = strangers.map((file) => `${file}: its folder has no row in scripts/checks/layers.ts\n`).join('')
  return { ok: strangers.length === 0, output }
}

async function biomeCurrent(): Promise<Outcome> {
  if (fix) await writeBiome()
  const ok = await biomeIsCurrent()
  return { ok, output: ok ? '' : `${BIOME_FILE} is not what scripts/checks/layers.ts says; run npm run fix\n` }
}

// Documents and biome.json first: with --fix they change files that the linter looks at.
const generated: readonly (readonly [string, Outcome])[] = [
  ['layers', await layersKnown()],
  ['biome.json', await biomeCurrent()],
  ['documents', await runTool(['scripts/docs/main.ts', ...(fix ? [] : ['--check'])])],
]
const checks: readonly (readonly [string, Outcome | Promise<Outcome>])[] = [
  ...generated,
  ['format and lint', runTool(['node_modules/@biomejs/biome/bin/biome', 'check', '--max-diagnostics=60', '--error-on-warnings', ...(fix ? ['--write'] : [])])],
  ['types', runTool(['node_modules/typescript/bin/tsc', '-p', '.', '--pretty', String(process.stdout.isTTY === true)])],
  ['types of pages', runTool(['node_modules/typescript/bin/tsc', '-p', 'node/web/pages', '--pretty', String(process.stdout.isTTY === true)])],
]

let failed = 0
for (const [name, outcome] of checks) {
  const { ok, output } = await outcome
  if (!ok) failed += 1
  if (!ok) process.stdout.write(output)
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}`)
}
console.log(failed === 0 ? 'check: all is well' : `check: ${failed} of ${checks.length} failed; npm run fix puts format, imports and generated files right`)
process.exitCode = failed === 0 ? 0 : 1
