/**
 * What `rota simulate --sites SITES --algorithm fedavg --rounds ROUNDS` does, in this one process; one JSON line.
 *   node scripts/bench/simulated-study.ts SITES ROUNDS
 */
import process from 'node:process'
import { simulate } from '#app/simulate/simulate.ts'

const [sites, rounds] = process.argv.slice(2).map(Number) as [number, number]
const { answer } = await simulate({ sites, rounds, rows: 100, learner: 'logistic', algorithm: 'fedavg' }, { signal: new AbortController().signal })
const { user, system } = process.cpuUsage()
const told = {
  /** From the start of the process, rows made and results judged. */
  seconds: performance.now() / 1_000,
  cpuSeconds: (user + system) / 1e6,
  runSeconds: answer.seconds,
  /** With those in which moments and metrics are summed. */
  rounds: answer.rounds,
  rssBytes: answer.peakRssBytes,
}
process.stdout.write(`${JSON.stringify(told)}\n`)
