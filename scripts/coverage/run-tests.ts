import { spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'

const HARDHAT = join('node_modules', 'hardhat', 'dist', 'src', 'cli.js')
/** Where Hardhat leaves what it noted: a file of tags for each kind of tests, and a report of lines. */
const REPORT = join('coverage', 'lcov.info')
const NOTED = join('coverage', 'data')

export interface Seen {
  /** Branches that told of themselves. */
  readonly tags: ReadonlySet<number>
  /** Hardhat's report of lines. */
  readonly lcov: string
}

/** Runs all tests of contracts in a copy. @throws Error with Hardhat's output when one fails: then nothing is known */
export async function runTests(copy: string, signal?: AbortSignal): Promise<Seen> {
  const { code, output } = await hardhat(copy, signal)
  if (code !== 0) throw new Error(`the tests of the contracts failed on the copy:\n${output}`)
  const tags = await readTags(join(copy, NOTED))
  if (tags.size === 0)
    throw new Error('no branch told of itself: this version of Hardhat listens elsewhere (scripts/coverage/probes.ts) or notes it elsewhere (run-tests.ts)')
  return { tags, lcov: await readFile(join(copy, REPORT), 'utf8') }
}

function hardhat(cwd: string, signal?: AbortSignal): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true' }
    const child = spawn(process.execPath, [HARDHAT, 'test', '--coverage'], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], ...(signal ? { signal } : {}) })
    const pieces: Buffer[] = []
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece))
    child.stderr.on('data', (piece: Buffer) => pieces.push(piece))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output: Buffer.concat(pieces).toString('utf8') }))
  })
}

/** Tags are 32 bytes in hex: ours are small numbers, Hardhat's digests are not. */
async function readTags(folder: string): Promise<Set<number>> {
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.json'))
  const all = await Promise.all(files.map(async (name) => Object.keys(JSON.parse(await readFile(join(folder, name), 'utf8')) as object)))
  const ours = all.flat().filter((tag) => /^0{48}/.test(tag))
  return new Set(ours.map((tag) => Number.parseInt(tag, 16)))
}
