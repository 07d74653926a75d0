import { spawn } from 'node:child_process'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import { DemoError } from './demo-error.ts'

export const BIN = join(import.meta.dirname, '../../node/cli/bin.mjs')

/** Calls the command line as a person would, and reads its JSON answer. */
export type Rota = <T>(words: readonly string[], options?: CallOptions) => Promise<T>

interface CallOptions {
  /** Exit codes that are an answer; default 0 alone. */
  readonly expect?: readonly number[]
  /** What may pass (exit code 3 of the catalogue) is tried again, as a person would. */
  readonly patient?: boolean
}

const LIMIT_MS = 60_000
const MAY_PASS = 3
const TRIES = 10
const TRY_AGAIN_MS = 500

/**
 * @param logFile every command is noted there, with its seconds and what it wrote to stderr
 * @throws DemoError from a call that ends with another code, with the command's own words
 */
export function commandLine(logFile: string, signal: AbortSignal): Rota {
  return async <T>(words: readonly string[], { expect = [0], patient = false }: CallOptions = {}): Promise<T> => {
    for (let tries = 1; ; tries++) {
      const { code, stdout } = await once(words)
      if (expect.includes(code)) return parse<T>(stdout, words)
      if (!patient || code !== MAY_PASS || tries === TRIES) throw new DemoError(`rota ${brief(words)} ended with ${code}`, reasonOf(stdout))
      await setTimeout(TRY_AGAIN_MS)
    }
  }

  async function once(words: readonly string[]): Promise<{ readonly code: number; readonly stdout: string }> {
    const started = Date.now()
    const { code, stdout, stderr } = await run([...words, '--json'], signal)
    signal.throwIfAborted()
    await appendFile(logFile, `$ rota ${words.join(' ')}\n  ended with ${code} after ${((Date.now() - started) / 1_000).toFixed(2)} s\n${stderr}`)
    return { code, stdout: stdout === '' ? stderr : stdout }
  }
}

function run(words: readonly string[], signal: AbortSignal): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BIN, ...words], { stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT_MS, signal, killSignal: 'SIGTERM' })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (part) => (stdout += part))
    child.stderr.setEncoding('utf8').on('data', (part) => (stderr += part))
    child.once('error', (error) => (signal.aborted ? reject(signal.reason) : reject(error)))
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
  })
}

function parse<T>(stdout: string, words: readonly string[]): T {
  try {
    return JSON.parse(stdout) as T
  } catch (cause) {
    throw new DemoError(`rota ${brief(words)} --json printed no JSON`, stdout.slice(0, 500), cause)
  }
}

/** The error as the command tells it, else whatever it wrote. */
function reasonOf(stdout: string): string {
  try {
    const { error } = JSON.parse(stdout) as { error: { code: string; what: string; remedy: string } }
    return `${error.code} ${error.what} ${error.remedy}`
  } catch {
    return stdout.trim().slice(0, 2_000)
  }
}

/** Long lists of files are cut short. */
const brief = (words: readonly string[]): string => words.map((word) => (word.length > 120 ? `${word.slice(0, 120)}…` : word)).join(' ')
