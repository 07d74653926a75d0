/**
 * All tests, in order: `npm test`. Some: `npm test -- unit rounds`, or files: `npm test -- test/unit/core/ring.test.ts`.
 * The last line gives the counts; the exit code is 1 when anything failed.
 */
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { runTool } from '../checks/run-tool.ts'
import { runContractTests } from './contract-tests.ts'
import { runNodeTests } from './node-tests.ts'
import { add, nothing, type Tally, tell } from './tally.ts'

/** Files of one group run side by side, two on two cores: networks of e2e wait for blocks and limits most of the time. */
const GROUPS: Readonly<Record<string, () => Promise<Tally>>> = {
  check: runCheck,
  contracts: runContractTests,
  unit: () => runFolder('unit', side()),
  compliance: () => runFolder('compliance', side()),
  rounds: () => runFolder('rounds', side()),
  e2e: () => runFolder('e2e', side()),
}

const side = (): number => Math.max(1, Math.min(2, availableParallelism()))

async function runCheck(): Promise<Tally> {
  const { ok, output } = await runTool(['scripts/checks/check.ts'])
  process.stdout.write(output)
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 }
}

async function runFolder(folder: string, concurrency: number): Promise<Tally> {
  const files = await testsIn(join('test', folder))
  return files.length === 0 ? nothing() : runNodeTests(files, concurrency)
}

async function testsIn(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return []
  const names = await readdir(folder, { recursive: true })
  return names
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => join(folder, name))
}

/** A test file that no group would run is a test that cannot fail. */
async function strays(): Promise<string[]> {
  const groups = Object.keys(GROUPS)
  return (await testsIn('test')).filter((file) => !groups.includes(file.split(/[\\/]/)[1] ?? ''))
}

async function main(wanted: readonly string[]): Promise<Tally> {
  const total = nothing()
  const files = wanted.filter((word) => word.endsWith('.ts'))
  const unknown = wanted.filter((word) => !word.endsWith('.ts') && !(word in GROUPS))
  if (unknown.length > 0) throw new Error(`no such group of tests: ${unknown.join(', ')} (there are ${Object.keys(GROUPS).join(', ')})`)
  if (files.length > 0) add(total, await runNodeTests(files, 1))
  const groups = Object.entries(GROUPS).filter(([name]) => (wanted.length === 0 ? true : wanted.includes(name)))
  const lines: string[] = []
  for (const [name, runGroup] of groups) {
    console.log(`\n── ${name} ──`)
    const started = performance.now()
    const tally = await runGroup()
    add(total, tally)
    lines.push(`${name.padEnd(12)} ${tell(tally)}  (${((performance.now() - started) / 1000).toFixed(0)} s)`)
  }
  for (const file of wanted.length === 0 ? await strays() : []) {
    console.log(`FAIL ${file}: lies in no group that npm test runs`)
    total.failed += 1
  }
  console.log(`\n${lines.join('\n')}`)
  console.log(
    existsSync('../shared') ? '../shared was there: tests on real data ran.' : '../shared was not there: tests on real data fell back on generated cases.',
  )
  return total
}

const total = await main(process.argv.slice(2))
console.log(tell(total))
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1
