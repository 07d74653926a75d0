// The way in of every npm script: brings what is missing (Node 24, dependencies, compiled contracts, bundled pages and packages), then runs the program.
//   node scripts/setup/launch.mjs [--no-contracts] [PROGRAM [ARGUMENTS…]]
// Plain JavaScript for Node 20 on, built-in modules only: when it starts, nothing else is there.
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { compileContracts, contractsStand } from './contracts.mjs'
import { dependenciesStand, installDependencies } from './dependencies.mjs'
import { handOver } from './hand-over.mjs'
import { alone } from './lock.mjs'
import { findNode } from './node24.mjs'
import { bundlePackages, packagesStand } from './packages.mjs'
import { bundlePages, pagesStand } from './pages.mjs'
import { say } from './say.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const OLDEST = 20

async function setUp(needsContracts) {
  const node = await findNode(root)
  if (!dependenciesStand(root)) await alone(root, async () => dependenciesStand(root) || installDependencies(root, node))
  if (needsContracts && !contractsStand(root)) await alone(root, async () => contractsStand(root) || compileContracts(root, node))
  if (needsContracts && !pagesStand(root)) await alone(root, async () => pagesStand(root) || bundlePages(root))
  if (needsContracts && !packagesStand(root)) await alone(root, async () => packagesStand(root) || bundlePackages(root, node))
  return node
}

async function main([first, ...rest]) {
  const needsContracts = first !== '--no-contracts'
  const [program, ...args] = needsContracts ? [first, ...rest] : rest
  if (Number(process.versions.node.split('.')[0]) < OLDEST) throw new Error(`Node ${process.versions.node} is too old: install Node ${OLDEST} or newer`)
  const node = await setUp(needsContracts)
  if (program === undefined) say('all is set up')
  return program === undefined ? 0 : handOver(node, [join(root, program), ...args])
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (error.output) process.stderr.write(error.output.replace(/\n?$/, '\n'))
  say(`set-up stopped: ${error.message}`)
  process.exitCode = 1
}
