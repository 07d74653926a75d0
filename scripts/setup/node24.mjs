// Rota's code is TypeScript that Node runs as it is, from version 24 on. An older Node brings the newer one from npm.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { npmCommand, run, SetupError } from './child.mjs'
import { step } from './say.mjs'

/** Exactly this one is fetched, and its answer to `node -v` is checked. */
const FETCHED = '24.21.0'
const NEEDED_MAJOR = 24

/** @returns {Promise<string>} the path of a Node that runs the code */
export async function findNode(root) {
  if (major(process.versions.node) >= NEEDED_MAJOR) return process.execPath
  const memory = join(root, '.cache', 'node.json')
  return remembered(memory) ?? remember(memory, await step(`Node ${FETCHED} (this is ${process.versions.node}) is fetched from npm`, () => fetchNode(root)))
}

async function fetchNode(root) {
  const [npm, first] = npmCommand(process.execPath)
  // .npmrc forbids packages to run code at install; this one package has to (it unpacks the binary), and is pinned.
  const args = [...first, 'exec', '--yes', '--ignore-scripts=false', `--package=node@${FETCHED}`, '--', 'node', '-p', 'process.execPath']
  const path = (await run(npm, args, { cwd: root })).trim().split('\n').at(-1) ?? ''
  const version = (await run(path, ['-p', 'process.versions.node'])).trim()
  if (version !== FETCHED) throw new SetupError(`npm brought Node ${version} where ${FETCHED} was asked for; install Node 24 and try again`)
  return path
}

function remembered(memory) {
  try {
    const { path, version } = JSON.parse(readFileSync(memory, 'utf8'))
    return version === FETCHED && existsSync(path) ? path : null
  } catch {
    return null
  }
}

function remember(memory, path) {
  mkdirSync(join(memory, '..'), { recursive: true })
  writeFileSync(memory, JSON.stringify({ path, version: FETCHED }))
  return path
}

const major = (version) => Number(version.split('.')[0])
