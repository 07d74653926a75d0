// What `npm start` runs, once set-up has brought Node 24, the dependencies and the compiled contracts.
import process from 'node:process'
import { DemoError } from './demo-error.ts'
import { readOptions, USAGE } from './options.ts'
import { INTERRUPTED, playDemo } from './play.ts'

/** The first Ctrl-C clears up; the second ends at once. */
function onInterrupt(): AbortSignal {
  const stop = new AbortController()
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(INTERRUPTED)
    stop.abort(new DemoError('stopped'))
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal)
  return stop.signal
}

try {
  const options = readOptions(process.argv.slice(2), process.env.INIT_CWD)
  if (options === null) process.stdout.write(USAGE)
  process.exitCode = options === null ? 0 : await playDemo(options, onInterrupt(), (text) => void process.stdout.write(text))
} catch (error) {
  if (!(error instanceof DemoError)) throw error
  process.stderr.write(`${error.message}\n  → ${error.advice}\n`)
  process.exitCode = 2
}
