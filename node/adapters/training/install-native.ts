import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { RotaError } from '#base/errors.ts'
import { findNative } from './native-package.ts'

export interface InstallOptions {
  readonly package?: '@tensorflow/tfjs-node-gpu' | '@tensorflow/tfjs-node'
  /** A folder whose node_modules hold the package; default: this program's own. */
  readonly from?: string
  /** The installer's own lines, as they come. */
  readonly onLine?: (line: string) => void
  readonly signal?: AbortSignal
  /** For mirrors: TFJS_NODE_BASE_URI, TFJS_NODE_CDN_STORAGE, HTTPS_PROXY. */
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Runs the native package's own installer in its folder: it downloads libtensorflow (about 400 MB for GPU) and fetches or
 * builds the addon. Nothing of this happens at `npm install`. A native part that was there stays when it fails.
 * @throws ROTA-3055 the package is not there, ROTA-3054 the installer failed (its host out of reach, mostly), or the signal's reason
 */
export async function installNative(options: InstallOptions = {}): Promise<void> {
  const name = options.package ?? '@tensorflow/tfjs-node-gpu'
  const { folder } = findNative(name, options.from ?? null)
  if (folder === null) throw new RotaError('ROTA-3055', { package: name })
  await setAside(folder)
  const { ended, lastLine } = await runInstaller(folder, name.endsWith('-gpu') ? 'gpu' : 'cpu', options)
  const done = ended && options.signal?.aborted !== true && findNative(name, options.from ?? null).hasAddon
  await (done ? throwAway(folder) : putBack(folder))
  options.signal?.throwIfAborted()
  if (!done) throw new RotaError('ROTA-3054', { package: name, reason: lastLine || 'no addon after it ended' })
}

/** What the installer writes, and deletes before it knows whether it can bring another. */
const PARTS = ['deps', 'lib']
const aside = (folder: string, part: string): string => join(folder, `${part}.before`)

async function setAside(folder: string): Promise<void> {
  // Left by an installation that was killed: what it had set aside is whole, what lies in its place may not be.
  await putBack(folder)
  for (const part of PARTS) if (existsSync(join(folder, part))) await rename(join(folder, part), aside(folder, part))
}

async function putBack(folder: string): Promise<void> {
  for (const part of PARTS.filter((one) => existsSync(aside(folder, one)))) {
    await rm(join(folder, part), { recursive: true, force: true })
    await rename(aside(folder, part), join(folder, part))
  }
}

async function throwAway(folder: string): Promise<void> {
  for (const part of PARTS) await rm(aside(folder, part), { recursive: true, force: true })
}

/** @returns whether it ended well, and the line that tells most of what went wrong, if something did */
function runInstaller(folder: string, kind: 'gpu' | 'cpu', options: InstallOptions): Promise<{ readonly ended: boolean; readonly lastLine: string }> {
  const path = [join(folder, 'node_modules', '.bin'), join(folder, '..', '..', '.bin'), process.env['PATH'] ?? ''].join(delimiter)
  const installer = spawn(process.execPath, [join('scripts', 'install.js'), kind, 'download'], {
    cwd: folder,
    env: { ...process.env, ...options.env, PATH: path },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
  let told = ''
  const read = (piece: Buffer) => {
    for (const line of piece
      .toString('utf8')
      .split('\n')
      .filter((l) => l.trim() !== '')) {
      options.onLine?.(line)
      if (/error|failed|ENOTFOUND|ECONN|ETIMEDOUT|EAI_AGAIN/i.test(line)) told = line.trim()
    }
  }
  installer.stdout.on('data', read)
  installer.stderr.on('data', read)
  return new Promise((resolve) => {
    installer.on('error', (error) => resolve({ ended: false, lastLine: error.message }))
    installer.on('close', (code) => resolve({ ended: code === 0, lastLine: told }))
  })
}
