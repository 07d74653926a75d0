#!/usr/bin/env node
// The `rota` command. Under Node 24 it runs at once; under an older Node, or before the first set-up, the launcher brings what is missing.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const LINGER_MS = 1000
const self = fileURLToPath(import.meta.url)
const root = join(dirname(self), '../..')

if (Number(process.versions.node.split('.')[0]) >= 24 && existsSync(join(root, 'node_modules', 'commander'))) {
  module.enableCompileCache(join(root, '.cache', 'compile'))
  await import('./bundled.mjs')
  const { main } = await import('./main.ts')
  process.exitCode = await main(process.argv.slice(2))
  // The answer is out. A connection that a peer is slow to close must not keep the command from ending.
  setTimeout(() => process.exit(), LINGER_MS).unref()
} else {
  const launcher = join(root, 'scripts', 'setup', 'launch.mjs')
  const child = spawn(process.execPath, [launcher, 'node/cli/bin.mjs', ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  process.on('SIGINT', () => {})
  child.once('close', (code) => {
    process.exitCode = code ?? 1
  })
}
