import { command } from '../command-file.ts'
import { choice, flag, text } from '../options.ts'
import { passwordFrom, siteOptions } from '../site-options.ts'

export const run = command({
  name: 'run',
  group: 'Site',
  summary: "run this site's node until it is stopped",
  description: `Follows the chain, trains on this site's rows in every round of the studies that its steward approved, and adds the updates up when it is
this site's turn. SIGTERM and Ctrl-C end it after the step under way; started again, it goes on where it stood.
Health and metrics: http://127.0.0.1:PORT/healthz and /metrics (port in rota.yaml).`,
  options: {
    ...siteOptions,
    stream: flag('tell each round as it happens (default on a terminal)'),
    logFormat: choice(['human', 'json'], 'log lines for people or machines (default human)', 'human'),
    logLevel: choice(['debug', 'info', 'warn', 'error'], 'least important lines to keep (default info)', 'info'),
    logFile: text('FILE', 'append the log here instead of standard error; SIGHUP opens it again'),
    drill: text('ROW', 'rehearse a failure: stop before this row of the protocol (publish, witness, …) and wait to be killed'),
  },
  example: ['rota run --folder ./cleveland', 'rota run --folder ./cleveland --log-format json --log-file node.log --json'],
  async run({ options, out, signal }) {
    const { startLean } = await import('#app/node/lean-start.ts')
    startLean()
    const { runNode } = await import('#app/node/run-node.ts')
    const { createStoryteller } = await import('#cli/output/node-story.ts')
    const stream = options.stream || out.terminal
    const log = {
      format: options.logFormat,
      level: options.logFile === undefined && stream && options.logFormat === 'human' ? ('warn' as const) : options.logLevel,
    }
    const story = createStoryteller(out)
    await runNode(
      {
        folder: options.folder,
        password: passwordFrom(options),
        log: options.logFile === undefined ? log : { ...log, file: options.logFile },
        drill: options.drill,
        signal,
      },
      (event) => {
        out.event(event)
        if (stream && !out.json) story(event)
      },
    )
    return 0
  },
})
