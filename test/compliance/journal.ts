import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Bitmap, Digest } from '#base/ids.ts'
import { attemptNo, roundNo, runId } from '#base/ids.ts'
import type { Journal, JournalEntry } from '#ports/journal.ts'

/** A site's disk: opened again, it gives a journal that goes on from what the one before wrote. */
export interface JournalDisk {
  open(): Promise<Journal>
  /** The process is gone; nothing is said to the journal. */
  die(): Promise<void>
}

/**
 * given a journal
 * ├── when entries of every kind were appended, they are there in order, and after a death too
 * ├── when secrets are wiped, they are gone, and entries that came along are there, after a death too
 * ├── when calls are made at once, each is there, in the order of the calls
 * └── when it is compacted, earlier rounds of that run are gone but their frozen sets and the last contribution; other runs and later
 *     rounds stay, after a death too
 */
export function journalCompliance(name: string, makeDisk: () => Promise<JournalDisk>): void {
  describe(`journal: ${name}`, () => {
    it('keeps entries of every kind in order, over a death', async () => {
      const disk = await makeDisk()
      const journal = await disk.open()
      assert.deepEqual(journal.entries(), [])
      for (const entry of ENTRIES) await journal.append(entry)
      assert.deepEqual(journal.entries(), ENTRIES)
      await disk.die()
      const again = await disk.open()
      assert.deepEqual(again.entries(), ENTRIES)
      await again.append(abstained(1, 9))
      assert.deepEqual(again.entries(), [...ENTRIES, abstained(1, 9)])
      await disk.die()
    })

    it('keeps the order of calls made at once', async () => {
      const disk = await makeDisk()
      const journal = await disk.open()
      const wanted = Array.from({ length: 20 }, (_, i) => abstained(1, i))
      await Promise.all(wanted.map((entry) => journal.append(entry)))
      assert.deepEqual(journal.entries(), wanted)
      await disk.die()
    })

    it('wipes the secrets of rounds that are over, and knows that there were some', async () => {
      const disk = await makeDisk()
      const journal = await disk.open()
      const masked = { ...contributed(1, 2), neighbours: ((1n << 200n) | 3n) as Bitmap } as JournalEntry
      const later = [keys(1, 2), dealt(1, 2), keyed(1, 2), keys(2, 1), dealt(2, 1), justified(1, 1), released(1, 1), masked]
      const before = [keys(1, 1), dealt(1, 1), keyed(1, 1), ...later]
      const after = [keys(1, 1, ''), dealt(1, 1, ''), keyed(1, 1, ''), ...later]
      await journal.append(...before)
      await journal.append()
      await journal.burn(runId(1), roundNo(2))
      assert.deepEqual(journal.entries(), after)
      await journal.append(abstained(1, 2))
      await disk.die()
      const again = await disk.open()
      assert.deepEqual(again.entries(), [...after, abstained(1, 2)])
      await again.compact(runId(1), roundNo(9))
      assert.deepEqual(again.entries(), [keys(2, 1), dealt(2, 1), released(1, 1), masked])
      await disk.die()
    })

    it('takes entries along while it wipes, be there something to wipe or not', async () => {
      const disk = await makeDisk()
      const journal = await disk.open()
      await journal.append(keys(1, 1), keys(1, 2))
      await journal.burn(runId(1), roundNo(2), dealt(1, 3))
      await journal.burn(runId(1), roundNo(2), dealt(1, 4))
      const wanted = [keys(1, 1, ''), keys(1, 2), dealt(1, 3), dealt(1, 4)]
      assert.deepEqual(journal.entries(), wanted)
      await disk.die()
      assert.deepEqual((await disk.open()).entries(), wanted)
      await disk.die()
    })

    it('drops earlier rounds of a run when compacted, but no frozen set', async () => {
      const disk = await makeDisk()
      const journal = await disk.open()
      const kept = [frozen(1, 1), contributed(1, 2), abstained(1, 3), frozen(1, 3), contributed(2, 1), abstained(2, 1)]
      const gone = [contributed(1, 1), abstained(1, 1), abstained(1, 2)]
      for (const entry of [...gone, ...kept]) await journal.append(entry)
      await journal.compact(runId(1), roundNo(3))
      assert.deepEqual(journal.entries(), kept)
      await journal.append(abstained(1, 4))
      await disk.die()
      assert.deepEqual((await disk.open()).entries(), [...kept, abstained(1, 4)])
      await disk.die()
    })
  })
}

const digestOf = (byte: number): Digest => `0x${byte.toString(16).padStart(2, '0').repeat(32)}` as Digest
const at = (run: number, round: number) => ({ run: runId(run), round: roundNo(round) })
const abstained = (run: number, round: number): JournalEntry => ({ kind: 'abstained', ...at(run, round), reason: 'maintenance' })
const keys = (run: number, round: number, sealed = '0xabcd'): JournalEntry => ({ kind: 'keys', ...at(run, round), ctx: digestOf(6), sealed })
const keyed = (run: number, round: number, shares = '0xabcd'): JournalEntry => ({
  kind: 'keyed',
  ...at(run, round),
  ...named,
  ctx: digestOf(5),
  held: 7n as Bitmap,
  heldDeals: `0x${'ab'.repeat(60)}`,
  shares,
})
const dealt = (run: number, round: number, shares = '0xabcd'): JournalEntry => ({ kind: 'dealt', ...at(run, round), ...named, ctx: digestOf(5), shares })
const justified = (run: number, round: number): JournalEntry => ({
  kind: 'justified',
  ...at(run, round),
  ctx: digestOf(5),
  holders: ((1n << 200n) | 2n) as Bitmap,
})
const released = (run: number, round: number): JournalEntry => ({ kind: 'released', ...at(run, round), base: digestOf(5), included: 7n as Bitmap })
const frozen = (run: number, round: number): JournalEntry => ({ kind: 'frozen', ...at(run, round), included: ((1n << 255n) | 5n) as Bitmap })
const contributed = (run: number, round: number): JournalEntry => ({
  kind: 'contributed',
  ...at(run, round),
  base: digestOf(4),
  ...named,
  cohortRoot: digestOf(3),
})
const named = { root: digestOf(1), cid: digestOf(2) }

const ENTRIES: readonly JournalEntry[] = [
  { kind: 'contributed', ...at(1, 1), base: digestOf(4), ...named, cohortRoot: digestOf(3) },
  abstained(1, 2),
  { kind: 'witnessed', ...at(1, 3), slice: 0, held: 0n as Bitmap },
  frozen(1, 3),
  { kind: 'published', ...at(1, 3), attempt: attemptNo(2), ...named },
  { kind: 'attested', ...at(1, 3), attempt: attemptNo(2), status: 'ok', ...named },
  { kind: 'adopted', ...at(1, 4), ...named },
  keys(1, 5),
  dealt(1, 5),
  keyed(1, 5),
  justified(1, 5),
  released(1, 5),
]
