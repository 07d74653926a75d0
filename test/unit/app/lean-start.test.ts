import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import process from 'node:process'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'

// given a process that starts lean
// ├── the space for new objects stays small, however many are made
// └── http brings neither fetch nor WebSocket with it, and both are still there for whoever asks

const MB = 2 ** 20
const LEAN = new URL('../../../node/app/node/lean-start.ts', import.meta.url).href

/** Runs the code in a process of its own, after `startLean`, and reads what it prints. */
async function inProcess(code: string): Promise<Record<string, number | boolean>> {
  const whole = `import v8 from 'node:v8'
    import { setTimeout as sleep } from 'node:timers/promises'
    import { startLean } from '${LEAN}'
    startLean()
    const space = (name) => v8.getHeapSpaceStatistics().find((s) => s.space_name === name).space_size
    ${code}`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', whole], { timeout: 60_000 })
  return JSON.parse(stdout)
}

describe('a process that starts lean', () => {
  it('keeps the space for new objects small', async () => {
    const { last } = await inProcess(`
      let kept = []
      const end = Date.now() + 2_000
      while (Date.now() < end) {
        for (let i = 0; i < 20_000; i++) kept.push({ i, text: 'x' + i })
        if (kept.length > 100_000) kept = []
        await sleep(1)
      }
      console.log(JSON.stringify({ last: space('new_space') }))`)
    assert.ok((last as number) >= 4 * MB && (last as number) <= 16 * MB, `${last} bytes`)
  })

  it('leaves fetch out, and does not take it away', async () => {
    const found = await inProcess(`
      const loaded = () => process.moduleLoadList.includes('NativeModule internal/deps/undici/undici')
      const http = await import('node:http')
      const before = loaded()
      console.log(JSON.stringify({ before, server: typeof http.createServer === 'function', socket: typeof WebSocket === 'function', fetch: typeof fetch === 'function', after: loaded() }))`)
    assert.deepEqual(found, { before: false, server: true, socket: true, fetch: true, after: true })
  })
})
