/**
 * The desk's log over several files
 * given a full log whose first entry is old, it is put away and goes on in another file; a full one of today, or a small old one, stays
 * given three parts, all is read in order; the desk itself reads the last two, so that limits and declarations go on
 * given a part that was shortened, altered, exchanged or taken out of the middle, that is found; the oldest may go, and it is said
 * given a part that the disk does not give, that is said, and not that it was altered
 * given a crash between copy and exchange, nothing is lost, and the next try goes on; another log in the place of the last is found
 */
import assert from 'node:assert/strict'
import { copyFile, mkdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { openDeskLog } from '#app/desk/desk-files.ts'
import { partFile, putAwayFull, readWholeLog } from '#app/desk/desk-log-parts.ts'
import type { SiteFolder } from '#app/site/site-folder.ts'
import { fromHex } from '#base/bytes.ts'
import { isRotaError } from '#base/errors.ts'
import type { DeskEntry } from '#web/desk/desk-log.ts'
import { keyed, tempFolder } from '../cohort/support.ts'

const DAY_MS = 86_400_000
const START_MS = Date.parse('2026-01-01T00:00:00Z')

it('is read whole and in order, and what was taken from it is found', async () => {
  const vault = keyed('a site')
  const paths = { desk: join(tempFolder(), 'desk.log') }
  const at = { paths, vault } as unknown as SiteFolder
  const files = { file: paths.desk, key: fromHex(vault.keyedDigest('desk-log')) }
  const limits = { bytes: 400, ageMs: 32 * DAY_MS }
  const log = openDeskLog(at)
  const entry = (day: number, who: string): DeskEntry => ({ at: new Date(START_MS + day * DAY_MS).toISOString(), who, what: 'signed in' })
  const putAway = (day: number) => putAwayFull(files, START_MS + day * DAY_MS, limits)
  const broken = () => assert.rejects(readWholeLog(files), (error) => isRotaError(error, 'ROTA-6002'))
  const names = (entries: readonly DeskEntry[]) => entries.filter(({ what }) => what !== 'continued').map(({ who }) => who)

  await log.append([entry(0, 'a'), entry(1, 'b')])
  assert.equal(await putAwayFull(files, START_MS + 99 * DAY_MS), false, 'small')
  await log.append([entry(2, 'c')])
  assert.equal(await putAway(31), false, 'of this month')
  await log.append([entry(32, 'd')])
  assert.deepEqual([await putAway(33), await putAway(33)], [true, false])
  assert.deepEqual(names(await log.entries()), ['a', 'b', 'c', 'd'], 'a desk that runs goes on')
  await log.append([entry(40, 'e'), entry(41, 'f'), entry(42, 'g')])
  assert.equal(await putAway(80), true)
  await log.append([entry(81, 'h')])
  assert.deepEqual(names(await openDeskLog(at).entries()), ['e', 'f', 'g', 'h'], 'the last two parts')
  const whole = await readWholeLog(files)
  assert.deepEqual([names(whole.entries), whole.missing], [[...'abcdefgh'], null])

  const [first, second] = [partFile(files, 1), partFile(files, 2)]
  const text = await readFile(first, 'utf8')
  const lines = text.split('\n')
  for (const bad of [`${lines.slice(0, -2).join('\n')}\n`, text.replace(/^./, 'A'), '']) {
    await writeFile(first, bad === text ? text.replace(/^./, 'B') : bad)
    await broken()
  }
  await copyFile(second, first)
  await broken()
  await writeFile(first, text)
  await rename(second, `${second}.away`)
  await broken()
  // Not altered: the disk does not give it.
  await mkdir(second)
  await assert.rejects(readWholeLog(files), (error) => isRotaError(error, 'ROTA-1306'))
  await rmdir(second)
  await rename(`${second}.away`, second)
  // The hospital's own rule for old records: the oldest go first.
  await rm(first)
  const later = await readWholeLog(files)
  assert.deepEqual([names(later.entries), later.missing], [[...'efgh'], { file: 'desk-1.log' }])
  await writeFile(first, text)

  // A crash after the copy: the log goes on, and is put away at the next try.
  await log.append([entry(82, 'i'), entry(83, 'j')])
  await copyFile(files.file, partFile(files, 3))
  await log.append([entry(84, 'k')])
  assert.deepEqual(names((await readWholeLog(files)).entries), [...'abcdefghijk'])
  assert.equal(await putAway(120), true)
  assert.deepEqual(names((await readWholeLog(files)).entries), [...'abcdefghijk'])
  await rm(files.file)
  await openDeskLog(at).append([entry(121, 'z')])
  await broken()
})
