/**
 * Log
 * given fields, only listed names are written; the others are counted
 * given a value with line breaks or escapes, it stays one line; a long one is cut
 * given --log-format json, each line is one JSON object
 * given a moved file and SIGHUP, the next line is in a new file
 */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createLog } from '#adapters/host/log.ts'
import { createSystemHost, systemClock } from '#adapters/host/system-host.ts'
import { isRotaError } from '#base/errors.ts'
import type { LogFields } from '#ports/host.ts'

const clock = { nowMs: () => Date.UTC(2030, 0, 2, 3, 4, 5, 6) }

const written = (format: 'human' | 'json', event: string, fields: LogFields) => {
  const lines: string[] = []
  const log = createLog(clock, { format, write: (line) => lines.push(line) })
  log.info(event, fields)
  return { line: lines.join(''), dropped: log.droppedFields() }
}

describe('log', () => {
  let dir: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rota-log-'))
  })
  after(() => rm(dir, { recursive: true }))

  it('writes listed fields alone', () => {
    const { line, dropped } = written('human', 'round closed', {
      round: 3,
      leader: 1,
      name: 'Marked Patient',
      age: 63,
      line: 17,
      included: 11n,
      code: undefined,
    })
    assert.equal(line, '2030-01-02T03:04:05.006Z  info   round closed  round=3 leader=1 included=0xb\n')
    assert.equal(dropped, 3)
  })

  it('writes one JSON object a line', () => {
    const { line } = written('json', 'round closed', { round: 3, patient: 'x', seconds: Number.NaN, state: null })
    assert.deepEqual(JSON.parse(line), { time: '2030-01-02T03:04:05.006Z', level: 'info', event: 'round closed', round: 3, seconds: null, state: null })
    assert.equal(line.split('\n').length, 2)
  })

  it('lets no value forge a line', () => {
    const { line } = written('human', 'peer\nlost', { reason: 'x\n2030  error  forged\u001b[31m\u2028', what: 'y'.repeat(1_000) })
    assert.equal(line.split(/[\n\u2028\u001b]/).length, 2)
    assert.ok(line.length < 450)
  })

  it('writes from its level on', () => {
    const lines: string[] = []
    const log = createLog(clock, { format: 'human', level: 'warn', write: (line) => lines.push(line) })
    log.debug('a')
    log.info('b')
    log.warn('c')
    log.error('d')
    assert.equal(lines.length, 2)
  })

  it('opens its file again at SIGHUP', async () => {
    const file = join(dir, 'node.log')
    const host = createSystemHost({ format: 'human', file })
    host.log.info('before')
    await rename(file, `${file}.1`)
    host.log.info('still in the old one')
    process.emit('SIGHUP')
    host.log.info('after')
    host.stop()
    assert.equal((await readFile(`${file}.1`, 'utf8')).split('\n').length, 3)
    assert.match(await readFile(file, 'utf8'), /after/)
    assert.equal(process.listenerCount('SIGHUP'), 0)
  })

  it('says when its file cannot be opened', () => {
    assert.throws(
      () => createLog(clock, { format: 'json', file: join(dir, 'no', 'where.log') }),
      (error) => isRotaError(error, 'ROTA-1304'),
    )
  })

  it('sleeps until it is told to stop', async () => {
    const stop = new AbortController()
    const asleep = systemClock.sleep(60_000, stop.signal)
    stop.abort(new Error('enough'))
    await assert.rejects(asleep, /enough/)
    await systemClock.sleep(1, new AbortController().signal)
  })
})
