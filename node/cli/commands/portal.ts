import { command } from '../command-file.ts'
import { choice, flag, number, text } from '../options.ts'
import { passwordFrom, siteOptions } from '../site-options.ts'

const logging = {
  logFormat: choice(['human', 'json'], 'log lines for people or machines (default human)', 'human'),
  logLevel: choice(['debug', 'info', 'warn', 'error'], 'least important lines to keep (default info)', 'info'),
  logFile: text('FILE', 'append the log here instead of standard error; SIGHUP opens it again'),
}

export const portal = command({
  name: 'portal',
  group: 'Consent',
  summary: "serve patients' page, relay and proofs for this site until it is stopped",
  description: `Patients open the page with their card: it shows what they take part in and in which rounds their record was, takes withdrawals, and gives consents
again. Runs beside the node; with \`portal\` in rota.yaml, rota run serves it too. Withdrawals that it took wait in state/portal and survive a restart.
Put a proxy with a certificate before it when it is to be reached from elsewhere.`,
  options: {
    ...siteOptions,
    listen: text('HOST:PORT', 'address to listen on (default: portal.listen of rota.yaml, else 127.0.0.1 and any free port)'),
    longestDelay: number('SECONDS', "longest that a withdrawal waits for others before it goes on chain, where that is less than the programme's terms allow", {
      from: 0.1,
      to: 604_800,
    }),
    behindProxy: flag('a proxy on this machine stands before it: count requests by its X-Forwarded-For'),
    ...logging,
  },
  example: 'rota portal --folder ./cleveland --listen 127.0.0.1:8081',
  async run({ options, out, signal }) {
    const { runPortal } = await import('#app/portal/portal.ts')
    const { portalText } = await import('#cli/output/portal-text.ts')
    const log = { format: options.logFormat, level: options.logLevel, ...(options.logFile === undefined ? {} : { file: options.logFile }) }
    const { folder, listen, longestDelay, behindProxy } = options
    await runPortal({ folder, password: passwordFrom(options), listen, longestDelay, behindProxy, log, signal }, (started) => {
      out.event({ event: 'started', ...started })
      if (!out.json) out.line(portalText(started, out.style))
    })
    return 0
  },
})
