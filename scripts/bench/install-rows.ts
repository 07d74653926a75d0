import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import type { Figure } from './figures.ts'
import type { Row } from './row.ts'

const ROOT = join(import.meta.dirname, '../..')
const LIMIT_MS = 900_000
/** What a clone has not. */
const NOT_CLONED = new Set(['node_modules', '.cache', '.git', 'coverage'])
const run = promisify(execFile)

/** In fresh copies of what a clone holds; npm's own cache is used where it is warm, as the note says. */
export async function installRows(): Promise<Row[]> {
  const dir = await mkdtemp(join(tmpdir(), 'rota-install-'))
  try {
    const bare = join(dir, 'clone')
    await cp(ROOT, bare, { recursive: true, filter: (from) => !NOT_CLONED.has(from.slice(ROOT.length + 1).split('/')[0] ?? '') })
    const started = performance.now()
    await run(process.execPath, ['scripts/setup/launch.mjs'], { cwd: bare, timeout: LIMIT_MS, maxBuffer: 1e8 })
    const seconds = (performance.now() - started) / 1000
    const all = (await sizeOf(join(bare, 'node_modules'))) / 1e6
    await rm(join(bare, 'node_modules'), { recursive: true })
    await run('npm', ['ci', '--omit=dev'], { cwd: bare, timeout: LIMIT_MS, maxBuffer: 1e8 })
    const production = (await sizeOf(join(bare, 'node_modules'))) / 1e6
    const note = `${all.toFixed(0)} MB with what development needs (bar 900)`
    return [
      { work: 'installed size, production', unit: 'MB', rota: one(production), bar: 500, peers: [], note },
      { work: 'set-up from a bare clone', unit: 's', rota: one(seconds), bar: 180, peers: [], note: "npm's cache as it was" },
    ]
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

const one = (value: number): Figure => ({ median: value, low: value, high: value })

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size
  }
  return bytes
}
