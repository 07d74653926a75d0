import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { describe, it } from 'node:test'

// given `npm run -s chaos`
// ├── when every invariant holds: what it counted as one JSON object, exit code 0
// ├── when one seed breaks one: that seed is named, and how to play it again; exit code 1, also when it is played again
// └── when it is asked for what there is not: what there is, exit code 2

const MAIN = join(import.meta.dirname, '../../scripts/chaos/main.ts')
const PLANTED = ['--import', `${new URL('../support/broken-invariant.ts', import.meta.url)}`]

interface Ran {
  readonly code: unknown
  readonly stdout: string
  readonly stderr: string
}

const chaos = (words: readonly string[], planted: readonly string[] = []): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(process.execPath, [...planted, MAIN, '--threads', '1', ...words], { timeout: 240_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    )
  })

describe('the command chaos', { timeout: 600_000 }, () => {
  it('counts, and ends with 0 where all holds', async () => {
    const { code, stdout, stderr } = await chaos(['--seeds', '2', '--from', '3', '--sites', '4', '--json'])
    assert.equal(code, 0, stderr)
    const { seeds, roundsOpened, roundsClosed, roundsLost, invariantsBroken, failing } = JSON.parse(stdout) as Record<string, number> & { failing: number[] }
    assert.deepEqual({ seeds, roundsLost, invariantsBroken, failing }, { seeds: 2, roundsLost: 0, invariantsBroken: 0, failing: [] })
    assert.ok((roundsClosed as number) > 2 && (roundsOpened as number) >= (roundsClosed as number), stdout)
  })

  it('names the seed that breaks one, and ends with 1', async () => {
    const ran = await chaos(['--seeds', '2', '--sites', '4'], PLANTED)
    assert.equal(ran.code, 1, ran.stderr)
    assert.match(ran.stderr, /^seed 2 breaks noRoundLost: planted$/m)
    assert.match(ran.stdout, /1 lost\.\nBroken 1 times, by seeds 2\.\nWhat happened: npm run -s chaos -- --sites 4 --replay 2\n$/)
    const again = await chaos(['--sites', '4', '--replay', '2'], PLANTED)
    assert.equal(again.code, 1)
    assert.match(again.stdout, /^Seed 2: 4 sites[\s\S]*BROKEN noRoundLost: planted/)
  })

  it('says what there is, and ends with 2', async () => {
    const { code, stderr } = await chaos(['--sites', '3'])
    assert.equal(code, 2)
    assert.match(stderr, /^--sites 3: a whole number from 4 to 9\n/)
  })
})
