// Runs the real program in place of this one: its input, output, signals and exit code are ours.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import process from 'node:process'
import { withNodeFirst } from './child.mjs'

/** On a terminal, Ctrl-C reaches the whole group by itself; passing it on would count as a second one. */
const onTerminal = Boolean(process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY)
const FORWARDED = onTerminal ? ['SIGTERM', 'SIGHUP'] : ['SIGINT', 'SIGTERM', 'SIGHUP']

/** @returns {Promise<number>} the exit code; 128 + n when signal n ended it, as shells say it */
export function handOver(node, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, args, { stdio: 'inherit', env: withNodeFirst(node) })
    for (const signal of FORWARDED) process.on(signal, () => child.kill(signal))
    if (onTerminal) process.on('SIGINT', () => {})
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)))
  })
}
