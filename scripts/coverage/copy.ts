import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'

/** What the tests of contracts need; as far as it is there. */
const PARTS = ['contracts', 'test/contracts', 'node', 'hardhat.config.ts', 'package.json', 'tsconfig.json', '.gas-snapshot']

/** Sources under `contracts/` by their path from the project's folder, with `/`. */
export async function readContracts(root: string): Promise<Map<string, string>> {
  const names = (await readdir(join(root, 'contracts'), { recursive: true })).filter((name) => name.endsWith('.sol')).sort()
  const entries = names.map(async (name) => [`contracts/${name.replaceAll('\\', '/')}`, await readFile(join(root, 'contracts', name), 'utf8')] as const)
  return new Map(await Promise.all(entries))
}

/**
 * Does `work` in a copy of the project outside of it, with other sources, and removes the copy whatever happens. Dependencies are linked.
 * The project's own artifacts are not touched: a build with coverage would take their place.
 */
export async function inCopy<T>(root: string, sources: ReadonlyMap<string, string>, work: (copy: string) => Promise<T>): Promise<T> {
  const copy = await realpath(await mkdtemp(join(tmpdir(), `rota-coverage-${process.pid}-`)))
  try {
    for (const part of PARTS.filter((path) => existsSync(join(root, path)))) await cp(join(root, part), join(copy, part), { recursive: true })
    await symlink(await realpath(join(root, 'node_modules')), join(copy, 'node_modules'), 'junction')
    for (const [file, source] of sources) await write(join(copy, file), source)
    return await work(copy)
  } finally {
    await rm(copy, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}
