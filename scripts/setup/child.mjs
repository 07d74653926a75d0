// Starts other programs: no shell, so no argument is ever read twice.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import process from 'node:process'

/** A program that set-up started did not do its work; `output` is what it wrote. */
export class SetupError extends Error {
  constructor(message, output = '') {
    super(message)
    this.output = output
  }
}

/** Runs a program to its end and gives what it wrote to stdout. @throws SetupError with all output when it fails */
export function run(command, args, { cwd, env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] })
    const out = []
    const all = []
    child.stdout.on('data', (piece) => out.push(piece) && all.push(piece))
    child.stderr.on('data', (piece) => all.push(piece))
    child.once('error', (error) => reject(new SetupError(`${command} cannot be started: ${error.message}`)))
    child.once('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out).toString('utf8'))
      else reject(new SetupError(`${[command, ...args].join(' ')} ended with ${code}`, Buffer.concat(all).toString('utf8')))
    })
  })
}

/** How to call npm: [program, first arguments]. npm tells its scripts where it is; else it lies beside Node, or on the PATH. */
export function npmCommand(node) {
  const beside = dirname(process.execPath)
  const candidates = [process.env.npm_execpath, join(beside, '../lib/node_modules/npm/bin/npm-cli.js'), join(beside, 'node_modules/npm/bin/npm-cli.js')]
  const script = candidates.find((path) => path !== undefined && /npm-cli\.c?js$/.test(path) && existsSync(path))
  return script === undefined ? ['npm', []] : [node, [script]]
}

/** The environment with this Node first on the PATH, so that programs started in turn find it too. */
export function withNodeFirst(node, env = process.env) {
  const key = Object.keys(env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH'
  const separator = process.platform === 'win32' ? ';' : ':'
  const dir = dirname(node)
  const rest = env[key] ?? ''
  return rest.split(separator)[0] === dir ? env : { ...env, [key]: rest === '' ? dir : `${dir}${separator}${rest}` }
}
