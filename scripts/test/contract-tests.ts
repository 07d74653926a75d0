import { spawn } from 'node:child_process'
import process from 'node:process'
import { nothing, type Tally } from './tally.ts'

const HARDHAT = 'node_modules/hardhat/dist/src/cli.js'

/** Solidity and mocha tests of the contracts, gas bars included, with Hardhat's own output; its closing lines give the counts. */
export function runContractTests(write: (text: string) => void): Promise<Tally> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [HARDHAT, 'test'], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' } })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
      write(piece)
    })
    child.stderr.setEncoding('utf8').on('data', write)
    child.once('error', reject)
    child.once('close', (code) => resolve(countsIn(text, code === 0)))
  })
}

const KINDS = { passing: 'passed', failing: 'failed', skipped: 'skipped', todo: 'skipped' } as const

/** From lines such as `12 passing (7 solidity, 5 mocha)`. A run that failed without saying how counts as one failure. */
export function countsIn(output: string, ok: boolean): Tally {
  const tally = nothing()
  for (const [, count, kind] of output.matchAll(/^(\d+) (passing|failing|skipped|todo) \(/gm)) tally[KINDS[kind as keyof typeof KINDS]] += Number(count)
  if (!ok && tally.failed === 0) tally.failed = 1
  return tally
}
