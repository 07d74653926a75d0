import { spawn } from 'node:child_process'
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
 * builds the addon. Nothing of this happens at `npm install`.
 * @throws ROTA-3055 the package is not there, ROTA-3054 the installer failed (its host out of reach, mostly), or the signal's reason
 */
export async function installNative(options: InstallOptions = {}): Promise<void> {
  const name = options.package ?? '@tensorflow/tfjs-node-gpu'
  const { folder } = findNative(name, options.from ?? null)
  if (folder === null) throw new RotaError('ROTA-3055', { package: name })
  const lastLine = await runInstaller(folder, name.endsWith('-gpu') ? 'gpu' : 'cpu', options)
  options.signal?.throwIfAborted()
  if (!findNative(name, options.from ?? null).hasAddon) throw new RotaError('ROTA-3054', { package: name, reason: lastLine || 'no addon after it ended' })
}

/** @returns the line that tells most of what went wrong, if something did */
function runInstaller(folder: string, kind: 'gpu' | 'cpu', options: InstallOptions): Promise<string> {
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
    installer.on('error', (error) => resolve(error.message))
    installer.on('close', () => resolve(told))
  })
}
