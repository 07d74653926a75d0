import { spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import process from 'node:process'
import { BIOME_FILE, biomeConfig } from '../../../scripts/checks/generate-biome.ts'

const BIOME = resolve('node_modules/@biomejs/biome/bin/biome')

/** Files by path in a folder of its own, linted with the project's rules. @returns rule names by path */
export async function lintPlanted(files: Readonly<Record<string, string>>): Promise<ReadonlyMap<string, readonly string[]>> {
  const dir = await mkdtemp(join(tmpdir(), 'rota-layers-'))
  try {
    await cp('scripts/checks/rules', join(dir, 'scripts/checks/rules'), { recursive: true })
    await writeFile(join(dir, BIOME_FILE), biomeConfig())
    await writeFile(join(dir, '.gitignore'), 'node_modules/\n')
    await writeFile(join(dir, 'package.json'), JSON.stringify({ imports: { '#*': './node/*' } }))
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(dir, path)), { recursive: true })
      await writeFile(join(dir, path), text)
    }
    return await lint(dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

interface Report {
  readonly diagnostics: readonly { readonly category: string; readonly location: { readonly path: string | { readonly file?: string } } }[]
}

function lint(dir: string): Promise<ReadonlyMap<string, readonly string[]>> {
  return new Promise((done, reject) => {
    const child = spawn(process.execPath, [BIOME, 'lint', '--reporter=json', '--max-diagnostics=none', 'node'], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (piece) => out.push(piece))
    child.stderr.on('data', (piece) => err.push(piece))
    child.once('error', reject)
    child.once('close', () => {
      const text = Buffer.concat(out).toString('utf8')
      try {
        done(byPath(JSON.parse(text) as Report))
      } catch (cause) {
        reject(new Error(`biome gave no report: ${text.slice(0, 300)} ${Buffer.concat(err)}`, { cause }))
      }
    })
  })
}

function byPath({ diagnostics }: Report): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const { category, location } of diagnostics) {
    const path = (typeof location.path === 'string' ? location.path : (location.path.file ?? '')).replaceAll('\\', '/')
    found.set(path, [...(found.get(path) ?? []), category])
  }
  return found
}
