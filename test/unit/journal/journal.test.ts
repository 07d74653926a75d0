/**
 * Journal
 * given entries, when the file is opened again, they are there, in order and of the same type
 * given a torn last line (at every byte), the whole ones before it are there and the next append follows them
 * given a damaged line in the middle, it says so (ROTA-1305)
 * given compaction, entries of earlier rounds of that run go, frozen sets and the last contribution stay; killed in the middle of it, nothing is lost
 * given a full disk, the refused entry leaves nothing (ROTA-1306)
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeAtomic } from '#adapters/journal/atomic-file.ts'
import { openJournal } from '#adapters/journal/file-journal.ts'
import { lockFolder } from '#adapters/journal/folder-lock.ts'
import { bitmapOf } from '#base/bitmap.ts'
import { isRotaError } from '#base/errors.ts'
import { attemptNo, digest, roundNo, runId, siteId } from '#base/ids.ts'
import type { JournalEntry } from '#ports/journal.ts'

const some = digest(`0x${'ab'.repeat(32)}`)
const [one, two] = [runId(1), runId(2)]
const entries: readonly JournalEntry[] = [
  { kind: 'contributed', run: one, round: roundNo(1), base: some, root: some, cid: some, cohortRoot: some },
  { kind: 'frozen', run: one, round: roundNo(1), included: bitmapOf([0, 3, 255].map(siteId)) },
  { kind: 'leftOut', run: one, round: roundNo(1), sites: bitmapOf([3, 255].map(siteId)) },
  { kind: 'witnessed', run: one, round: roundNo(1), slice: 0, held: bitmapOf([]) },
  { kind: 'abstained', run: two, round: roundNo(1), reason: 'differencing' },
  { kind: 'published', run: one, round: roundNo(2), attempt: attemptNo(1), root: some, cid: some },
]

describe('journal', () => {
  let dir: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rota-journal-'))
  })
  after(() => rm(dir, { recursive: true }))
  let count = 0
  const freshPath = () => join(dir, `journal-${++count}`)

  const filled = async () => {
    const path = freshPath()
    const journal = await openJournal(path)
    for (const entry of entries) await journal.append(entry)
    await journal.close()
    return path
  }

  it('is the same after it is opened again', async () => {
    const path = await filled()
    const again = await openJournal(path)
    assert.deepEqual(again.entries(), entries)
    await again.close()
  })

  it('keeps the order of calls made at once', async () => {
    const path = freshPath()
    const journal = await openJournal(path)
    await Promise.all(entries.map((entry) => journal.append(entry)))
    assert.deepEqual(journal.entries(), entries)
    await journal.close()
  })

  it('leaves a torn last line out, wherever it was torn', async () => {
    const path = await filled()
    const whole = await readFile(path)
    const lastLine = whole.lastIndexOf('\n', whole.length - 2) + 1
    for (let size = whole.length - 1; size >= lastLine; size -= 7) {
      await truncate(path, size)
      const journal = await openJournal(path)
      assert.deepEqual(journal.entries(), entries.slice(0, -1))
      await journal.append(entries[0] as JournalEntry)
      await journal.close()
      const again = await openJournal(path)
      assert.deepEqual(again.entries(), [...entries.slice(0, -1), entries[0]])
      await again.close()
      await writeFile(path, whole)
    }
  })

  it('says where it is damaged', async () => {
    const path = await filled()
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace('"round":1', '"round":9'))
    await assert.rejects(openJournal(path), (error) => isRotaError(error, 'ROTA-1305') && error.details.entry === 1)
  })

  it('forgets earlier rounds of a run, but no frozen set, nor who was left out', async () => {
    const path = await filled()
    const journal = await openJournal(path)
    await journal.compact(one, roundNo(2))
    const kept = entries.filter(({ kind }) => kind !== 'witnessed')
    assert.deepEqual(journal.entries(), kept)
    await journal.append(entries[0] as JournalEntry)
    await journal.close()
    const again = await openJournal(path)
    assert.deepEqual(again.entries(), [...kept, entries[0]])
    await again.close()
  })

  it('loses nothing when it is killed while it compacts, and clears away what that left', async () => {
    const folder = await mkdtemp(join(dir, 'killed-'))
    const path = join(folder, 'journal')
    for (let kill = 0; kill < 6; kill++) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', COMPACT, path], { stdio: ['ignore', 'pipe', 'inherit'] })
      let said = ''
      child.stdout.on('data', (text) => {
        said += text
      })
      await once(child.stdout, 'data')
      await sleep(20 + 17 * kill)
      child.kill('SIGKILL')
      await once(child, 'close')
      const journal = await openJournal(path)
      const last = Number(said.trim().split('\n').at(-1))
      const rounds = (kind: JournalEntry['kind']) => journal.entries().flatMap((e) => (e.kind === kind ? [Number(e.round)] : []))
      assert.ok((rounds('contributed').at(-1) ?? 0) >= last, 'what was told as written is there')
      const frozen = rounds('frozen')
      assert.deepEqual(
        frozen,
        frozen.map((_, i) => i + 1),
      )
      assert.deepEqual(await readdir(folder), ['journal'])
      await journal.close()
    }
  })

  it('leaves nothing of an entry that the disk refused', async (t) => {
    if (process.platform === 'win32') return t.skip('Windows has no file size limit to stand for a full disk')
    const path = freshPath()
    // A limit of 4 KiB for files, its signal ignored: writes beyond it fail half-way, as on a full disk.
    const child = spawn('sh', ['-c', `trap '' XFSZ; ulimit -f 8; exec "$0" --input-type=module -e "$1" "$2"`, process.execPath, FILL, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [output] = await once(child.stdout, 'data')
    await once(child, 'exit')
    const { code, kept } = JSON.parse(String(output))
    assert.equal(code, 'ROTA-1306')
    assert.ok((await readFile(path, 'utf8')).endsWith('\n'))
    const journal = await openJournal(path)
    assert.equal(journal.entries().length, kept)
    await journal.close()
  })

  it('replaces a file as a whole and leaves nothing beside it', async () => {
    const folder = await mkdtemp(join(dir, 'atomic-'))
    const path = join(folder, 'state')
    await writeAtomic(path, 'old')
    await writeAtomic(path, new Uint8Array([110, 101, 119]))
    assert.equal(await readFile(path, 'utf8'), 'new')
    assert.deepEqual(await readdir(folder), ['state'])
  })
})

describe('lock of a data folder', () => {
  let dir: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rota-lock-'))
  })
  after(() => rm(dir, { recursive: true }))
  const isLocked = (error: unknown) => isRotaError(error, 'ROTA-1307')

  it('lets one in at a time', async () => {
    const lock = await lockFolder(dir)
    await assert.rejects(lockFolder(dir), isLocked)
    await lock.release()
    const again = await lockFolder(dir)
    await again.release()
    assert.deepEqual(await readdir(dir), [])
  })

  it('respects another living process and takes over from a dead one', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', HOLD, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    await assert.rejects(lockFolder(dir), (error) => isLocked(error) && isRotaError(error) && error.details.pid === child.pid)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const lock = await lockFolder(dir)
    await lock.release()
  })

  it('is not fooled by a process number that was given again, nor by rubbish', async () => {
    for (const content of [JSON.stringify({ pid: process.ppid, started: 'another boot/1' }), 'rubbish', '{}']) {
      await writeFile(join(dir, 'node.lock'), content)
      const lock = await lockFolder(dir)
      await lock.release()
    }
  })
})

const HOLD = `
const { lockFolder } = await import(${JSON.stringify(new URL('../../../node/adapters/journal/folder-lock.ts', import.meta.url).href)})
await lockFolder(process.argv[1])
console.log('locked')
setInterval(() => {}, 1_000)
`

const COMPACT = `
const { openJournal } = await import(${JSON.stringify(new URL('../../../node/adapters/journal/file-journal.ts', import.meta.url).href)})
const journal = await openJournal(process.argv[1])
const some = '0x' + 'ab'.repeat(32)
const from = journal.entries().reduce((most, e) => (e.kind === 'frozen' ? Math.max(most, e.round) : most), 0) + 1
for (let round = from; ; round++) {
  await journal.append({ kind: 'frozen', run: 1, round, included: 5n })
  await journal.append({ kind: 'contributed', run: 1, round, base: some, root: some, cid: some, cohortRoot: some })
  console.log(round)
  await journal.compact(1, round)
}
`

const FILL = `
const { openJournal } = await import(${JSON.stringify(new URL('../../../node/adapters/journal/file-journal.ts', import.meta.url).href)})
const journal = await openJournal(process.argv[1])
try {
  for (let round = 1; ; round++) await journal.append({ kind: 'abstained', run: 1, round, reason: 'x'.repeat(500) })
} catch (error) {
  console.log(JSON.stringify({ code: error.code, kept: journal.entries().length }))
}
`
