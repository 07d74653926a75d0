import { spawn } from 'node:child_process'
import process from 'node:process'

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const BIN = 'node/cli/bin.mjs'

/** The command as a person starts it, in a process of its own. */
export function rota(
  words: readonly string[],
  options: { readonly nodeArgs?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...(options.nodeArgs ?? []), BIN, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', ...options.env },
      timeout: 60_000,
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (piece) => {
      stdout += piece
    })
    child.stderr.setEncoding('utf8').on('data', (piece) => {
      stderr += piece
    })
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}
