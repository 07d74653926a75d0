import { readFileSync } from 'node:fs'
import process from 'node:process'
import { Command, CommanderError } from 'commander'
import { buildProgram, type Runner } from './build-program.ts'
import { commands } from './commands/index.ts'
import { reportError } from './output/error-text.ts'
import { createOutput } from './output/output.ts'

/** Parses the words after `rota`, runs the command, prints the answer or the error. @returns the exit code */
export async function main(words: readonly string[]): Promise<number> {
  const stop = new AbortController()
  const json = words.includes('--json')
  const release = onInterrupt(stop)
  endWithReader()
  let exitCode = 0
  const runner: Runner = async (file, options, args) => {
    exitCode = (await file.run({ options, args, out: createOutput(json), signal: stop.signal })) ?? 0
  }
  try {
    await buildProgram(new Command(), commands, version(), runner).parseAsync(words.length === 0 ? ['--help'] : [...words], { from: 'user' })
  } catch (error) {
    // Help and version end by an exception whose exit code is 0.
    if (error instanceof CommanderError) exitCode = error.exitCode
    else exitCode = reportError(error, json, stop.signal.aborted)
  } finally {
    release()
  }
  return exitCode
}

/** Whoever reads the output (`| head`) has enough: that is no error. */
function endWithReader(): void {
  process.stdout.once('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
}

/** The first Ctrl-C or SIGTERM lets the command put its things away; the second ends it at once. */
function onInterrupt(stop: AbortController): () => void {
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(130)
    stop.abort(new Error('stopped by the person or system that started it'))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return () => {
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

const version = (): string => JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
