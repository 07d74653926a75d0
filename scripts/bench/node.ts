/**
 * One hospital's node as `rota run` runs it, watched from inside: when it saw each round open, its bytes and its memory.
 *   node scripts/bench/node.ts FOLDER CHAIN_PORT [--noise SEED]
 * One JSON object a line.
 */
import process from 'node:process'
import { startLean } from '#app/node/lean-start.ts'
import { noiseTrainer } from './noise-trainer.ts'
import { meterWire } from './wire-meter.ts'

const [folder, chainPort, noise, seed] = process.argv.slice(2) as [string, string, string | undefined, string | undefined]
startLean()
const { runNode } = await import('#app/node/run-node.ts')

const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
const wire = meterWire(Number(chainPort))
const seen = new Map<number, number>()

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

const usage = () => {
  const { user, system } = process.cpuUsage()
  return { wire: wire.read(), rssBytes: process.resourceUsage().maxRSS * 1024, cpuMs: (user + system) / 1000 }
}

await runNode(
  {
    folder,
    password: null,
    log: { format: 'json', level: 'warn' },
    drill: undefined,
    signal: stop.signal,
    seen(view) {
      if (seen.get(view.run) === view.round.round) return
      seen.set(view.run, view.round.round)
      say({ event: 'opened', run: view.run, round: view.round.round, block: view.round.openedAtBlock, atMs: Date.now(), ...usage() })
    },
    ...(noise === '--noise' ? { trainer: noiseTrainer(Number(seed)) } : {}),
  },
  (event) => {
    if (event.event === 'started' || event.event === 'run-over') say({ ...event, atMs: Date.now(), ...usage() })
    else if (event.event === 'progress' && event.progress.kind === 'step') say({ event: 'step', ...event.progress, kind: undefined, atMs: Date.now() })
    else if (event.event === 'progress' && event.progress.kind === 'run-over') say({ event: 'over', run: event.progress.run, atMs: Date.now(), ...usage() })
    else if (event.event === 'progress' && event.progress.kind === 'trouble') say({ event: 'trouble', ...event.progress, kind: undefined })
  },
)
