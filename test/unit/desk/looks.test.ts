import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { daysToDeclare, declareNow } from '#app/desk/declare-looks.ts'
import { figuresOf } from '#app/desk/desk-figures.ts'
import { openDeskLog } from '#app/desk/desk-files.ts'
import { sha256 } from '#app/sha256.ts'
import type { SiteFolder } from '#app/site/site-folder.ts'
import { sitePaths } from '#app/site/site-paths.ts'
import { toDigest, utf8 } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import { type Digest, ZERO_DIGEST } from '#base/ids.ts'
import { Looks } from '#web/desk/looks.ts'
import { DESK_DAY, decodeDeskDay, encodeDeskDay } from '#wire/desk-day.ts'
import { keyed, tempFolder } from '../cohort/support.ts'

/**
 * Looks at people
 * ├── each is on disk before anything is shown, sealed, and names nobody
 * ├── a steward who opens 1,000 records in an hour is stopped at the limit, by a second session and over a restart too, and reported once
 * ├── another steward is not, and a person looked at twice counts once
 * ├── people of a file have a limit of their own
 * ├── an entry that is moved or changed is found
 * └── each day that is over is declared on chain once: a power of two, and a digest of its entries
 */
const HOUR = 3_600_000
const LIMITS = { looksPerHour: 60, importedPerHour: 100 }
let now = Date.parse('2026-11-22T08:00:00Z')
const clock = { nowMs: () => now, sleep: async () => undefined }
const person = (i: number): Digest => toDigest(sha256(utf8(`patient ${i}`)))

function desk(folder = tempFolder()) {
  mkdirSync(join(folder, 'state'), { recursive: true })
  const paths = sitePaths(folder)
  const notes: string[] = []
  const log = openDeskLog({ paths, vault: keyed('a site') } as unknown as SiteFolder)
  const warn = (event: string, fields: unknown = {}) => void notes.push(`${event} ${JSON.stringify(fields)}`)
  return { folder, paths, log, notes, open: () => Looks.open({ log, clock, notes: { warn }, limits: LIMITS }) }
}

const codeOf = (doing: Promise<unknown>): Promise<string> =>
  doing.then(
    () => 'shown',
    (error) => (isRotaError(error) ? error.code : String(error)),
  )

describe('looks', () => {
  it('stop at the limit, over sessions and restarts, and are reported', async () => {
    const { log, notes, open, paths } = desk()
    const looks = await open()
    const said: string[] = []
    for (let i = 0; i < 1_000; i++) {
      if (i === 500) now += 20 * 60_000
      said.push(await codeOf((i < 100 ? looks : await open()).note('anna', 'looked', person(i))))
      if (i === 120) i = 499
    }
    assert.equal(said.filter((word) => word === 'shown').length, 60)
    assert.equal(said.indexOf('ROTA-6705'), 60)
    assert.deepEqual(notes, ['desk.limited {"account":"anna","count":60}', 'desk.limited {"account":"anna","count":60}'], 'once in ten minutes')
    assert.equal(await codeOf(looks.note('bert', 'looked', person(1))), 'shown')
    assert.equal(await codeOf(looks.note('anna', 'withdrew', person(3), 'cardio')), 'shown', 'the same person again')
    now += 40 * 60_000
    assert.equal(await codeOf(looks.note('anna', 'looked', person(2_000))), 'shown', 'an hour later')
    const figures = figuresOf('http://127.0.0.1:1', await log.entries(), now)
    assert.deepEqual([figures.looks, figures.limited], [63, 1])
    assert.match(readFileSync(paths.desk, 'utf8'), /^([\w+/=]+\n)+$/, 'nothing but sealed lines')
  })

  it('of a file have a limit of their own', async () => {
    const { log, open } = desk()
    const looks = await open()
    const people = Array.from({ length: 90 }, (_, i) => person(i))
    await looks.noteMany('anna', 'previewed', people)
    assert.equal(await codeOf(looks.noteMany('anna', 'imported', people)), 'shown', 'the same people')
    assert.equal(
      await codeOf(
        looks.noteMany(
          'anna',
          'previewed',
          Array.from({ length: 11 }, (_, i) => person(1_000 + i)),
        ),
      ),
      'ROTA-6720',
    )
    assert.equal(
      await codeOf(
        (await open()).noteMany(
          'anna',
          'previewed',
          Array.from({ length: 11 }, (_, i) => person(1_000 + i)),
        ),
      ),
      'ROTA-6720',
    )
    assert.equal(await codeOf(looks.note('anna', 'looked', person(5_000))), 'shown')
    now += HOUR
    assert.equal(await codeOf(looks.noteMany('anna', 'previewed', people)), 'shown')
    assert.equal((await log.entries()).filter(({ what }) => what === 'imported').length, 90)
  })

  it('cannot be taken out of the log', async () => {
    const { open, paths, folder } = desk()
    const looks = await open()
    for (let i = 0; i < 3; i++) await looks.note('anna', 'looked', person(i))
    const lines = readFileSync(paths.desk, 'utf8').split('\n')
    appendFileSync(paths.desk, 'torn')
    assert.equal((await desk(folder).log.entries()).length, 3, 'a line torn by a crash is none')
    writeFileSync(paths.desk, [lines[0], lines[2], ''].join('\n'))
    assert.equal(await codeOf(desk(folder).log.entries()), 'ROTA-6002')
  })
})

describe('a day at the desk', () => {
  it('is declared once it is over, with a digest of its entries', async () => {
    now = Date.parse('2026-11-20T10:00:00Z')
    const { log, open } = desk()
    const looks = await open()
    for (let i = 0; i < 5; i++) await looks.note('anna', 'looked', person(i))
    assert.deepEqual(daysToDeclare(await log.entries(), now), [])
    now += 49 * HOUR
    await looks.note('anna', 'looked', person(9))
    const sent = new Map<number, Digest[]>()
    const parts = { log, clock, notes: { info() {}, warn() {} } }
    await declareNow({ ...parts, declare: async () => false })
    assert.equal(sent.size, 0, 'the chain is away')
    const declare = async (work: (chain: { audit(category: number, subject: Digest): Promise<void> }) => Promise<void>) => {
      await work({ audit: async (category, subject) => void sent.set(category, [...(sent.get(category) ?? []), subject]) })
      return true
    }
    await declareNow({ ...parts, declare })
    await declareNow({ ...parts, declare })
    const told = (sent.get(DESK_DAY) ?? []).map((subject) => decodeDeskDay(DESK_DAY, subject))
    assert.deepEqual(
      told.map((day) => [day?.day, day?.looksAtMost]),
      [
        ['2026-11-20', 8],
        ['2026-11-21', 0],
      ],
    )
    const first = (await log.entries()).filter(({ at }) => at.startsWith('2026-11-20'))
    const digest = sha256(utf8(first.map((entry) => `${JSON.stringify(entry)}\n`).join('')))
    assert.deepEqual(told[0]?.entries, new Uint8Array(digest.slice(0, 24)))
  })

  it('has 32 bytes on chain', () => {
    const entries = new Uint8Array(32).map((_, i) => i)
    const subject = encodeDeskDay('2026-11-22', 33, entries)
    // Golden: days since 1970 as 4 bytes, 64 as 4 bytes, 24 bytes of the digest; worked out by hand.
    assert.equal(subject, '0x0000512b00000040000102030405060708090a0b0c0d0e0f1011121314151617')
    assert.deepEqual(decodeDeskDay(DESK_DAY, subject), { day: '2026-11-22', looksAtMost: 64, entries: entries.slice(0, 24) })
    assert.equal(decodeDeskDay(2, subject), null)
    assert.deepEqual(decodeDeskDay(DESK_DAY, ZERO_DIGEST)?.looksAtMost, 0)
    assert.equal(decodeDeskDay(DESK_DAY, `0x${'ff'.repeat(32)}` as Digest), null)
  })
})
