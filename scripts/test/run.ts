/**
 * All tests: `npm test`. Some: `npm test -- unit rounds`, or files, one after the other: `npm test -- test/unit/core/ring.test.ts`.
 * The last line gives the counts; the exit code is 1 when anything failed.
 */
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { runTool } from '../checks/run-tool.ts'
import { runContractTests } from './contract-tests.ts'
import type { Job } from './job.ts'
import { knownOf, LONG } from './long-files.ts'
import { runTogether } from './many-tests.ts'
import { runNodeTest } from './node-tests.ts'
import { runJobs } from './pool.ts'
import { add, nothing, type Tally, tell } from './tally.ts'
import { ALONE, together } from './together.ts'

/** In the order of the closing lines. Two are tools; the others are folders of test files. */
const TOOLS: Readonly<Record<string, Job['run']>> = { check: runCheck, contracts: runContractTests }
const FOLDERS = ['unit', 'compliance', 'rounds', 'attacks', 'web', 'e2e']
const GROUPS = [...Object.keys(TOOLS), ...FOLDERS]

// What a test file and the processes that it starts are compiled to is kept, as the command line keeps it.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '../../.cache/compile')

/** One job a core, at most four; beside them one or two networks that mostly wait for blocks and limits. */
const lanes = () => ({ working: Math.max(1, Math.min(4, availableParallelism())), waiting: Math.max(1, Math.min(2, availableParallelism())) })

async function runCheck(write: (text: string) => void): Promise<Tally> {
  const { ok, output } = await runTool(['scripts/checks/check.ts'])
  write(output)
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 }
}

async function jobsOf(group: string): Promise<readonly Job[]> {
  const tool = TOOLS[group]
  if (tool !== undefined) return [{ group, name: group, ...knownOf(group), run: tool }]
  const { alone, batches } = together(group, await testsIn(join('test', group)))
  return [
    ...alone.map((file): Job => ({ group, name: file, ...knownOf(file), run: (write) => runNodeTest(file, write) })),
    ...batches.map((files): Job => ({ group, name: files.join(' '), waits: false, seconds: files.length, run: (write) => runTogether(files, write) })),
  ]
}

async function testsIn(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return []
  const names = await readdir(folder, { recursive: true })
  return names
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => join(folder, name))
}

/** A test file that no group would run is a test that cannot fail; a name that no file has gives no order. */
async function strays(): Promise<string[]> {
  const outside = (await testsIn('test')).filter((file) => !GROUPS.includes(file.split(/[\\/]/)[1] ?? ''))
  const gone = Object.keys(LONG).filter((name) => !(name in TOOLS) && !existsSync(name))
  gone.push(...Object.keys(ALONE).filter((name) => !existsSync(name)))
  return [
    ...outside.map((file) => `${file}: lies in no group that npm test runs`),
    ...gone.map((name) => `${name}: is in long-files.ts or together.ts, and nowhere else`),
  ]
}

/** Files, one after the other, each told as it goes. */
async function runFiles(files: readonly string[], total: Tally): Promise<void> {
  for (const file of files) add(total, await runNodeTest(file, (text) => void process.stdout.write(text)))
}

async function runGroups(groups: readonly string[], total: Tally): Promise<void> {
  const sums = new Map(groups.map((group) => [group, { tally: nothing(), ms: 0 }]))
  const jobs = (await Promise.all(groups.map(jobsOf))).flat()
  const started = performance.now()
  // A file that would use several cores has the one of its lane.
  process.env['ROTA_THREADS'] ??= '1'
  await runJobs(jobs, lanes(), ({ job, tally, output, ms }) => {
    process.stdout.write(job.name in TOOLS ? `\n── ${job.name} ──\n${output}\n` : output)
    const sum = sums.get(job.group)
    if (sum !== undefined) add(sum.tally, tally)
    if (sum !== undefined) sum.ms += ms
    add(total, tally)
  })
  const seconds = (ms: number) => (ms / 1000).toFixed(0)
  console.log(`\n${[...sums].map(([group, { tally, ms }]) => `${group.padEnd(12)} ${tell(tally)}  (${seconds(ms)} s, side by side with others)`).join('\n')}`)
  console.log(`all in ${seconds(performance.now() - started)} s`)
}

async function main(wanted: readonly string[]): Promise<Tally> {
  const total = nothing()
  const files = wanted.filter((word) => word.endsWith('.ts'))
  const groups = wanted.length === 0 ? GROUPS : GROUPS.filter((group) => wanted.includes(group))
  const unknown = wanted.filter((word) => !word.endsWith('.ts') && !GROUPS.includes(word))
  if (unknown.length > 0) throw new Error(`no such group of tests: ${unknown.join(', ')} (there are ${GROUPS.join(', ')})`)
  await runFiles(files, total)
  if (groups.length > 0) await runGroups(groups, total)
  for (const stray of wanted.length === 0 ? await strays() : []) {
    console.log(`FAIL ${stray}`)
    total.failed += 1
  }
  console.log(
    existsSync('../shared') ? '../shared was there: tests on real data ran.' : '../shared was not there: tests on real data fell back on generated cases.',
  )
  return total
}

const total = await main(process.argv.slice(2))
console.log(tell(total))
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1
