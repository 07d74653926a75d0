import { spawn } from 'node:child_process'
import process from 'node:process'

export interface Outcome {
  readonly ok: boolean
  /** All that it wrote. */
  readonly output: string
}

/** Runs a JavaScript tool under this Node and keeps what it writes. */
export function runTool(args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, FORCE_COLOR: process.stdout.isTTY ? '1' : '0' } })
    const pieces: Buffer[] = []
    child.stdout.on('data', (piece) => pieces.push(piece))
    child.stderr.on('data', (piece) => pieces.push(piece))
    child.once('error', reject)
    child.once('close', (code) => resolve({ ok: code === 0, output: Buffer.concat(pieces).toString('utf8') }))
  })
}
