import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { DifferencingLedger } from '#adapters/cohort/differencing-ledger.ts'
import { isRotaError } from '#base/errors.ts'
import type { Digest } from '#base/ids.ts'
import { keyed, tempFolder } from './support.ts'

/*
  Differencing ledger
  ├── given no earlier cohort, anyone may join
  ├── given earlier cohorts, equal to one is fine, else each must differ by 10 patients or more, counted both ways
  ├── those who train and those who test are counted each by themselves
  ├── after one withdrew it tells ten others of their part to rest, as long as the file does not change
  ├── who is gone from a cohort of an old file, which does not tell who tests, may have been in either part
  ├── each cohort is known by its roots, as they stand on chain
  ├── what is recorded outlives the process, and twice the same is one
  └── a damaged ledger lets nobody join
*/
const patients = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => keyed('site').keyedDigest('used', Buffer.from(String(from + i))))
const root = keyed('site').keyedDigest('root')
const ledger = () => new DifferencingLedger(join(tempFolder(), 'used.jsonl'))

describe('differencing ledger', () => {
  it('lets the first cohort join, and the same again', async () => {
    const book = ledger()
    assert.deepEqual(await book.mayJoin(patients(0, 5), []), { ok: true })
    await book.record(patients(0, 100), root, [])
    assert.deepEqual(await book.mayJoin(patients(0, 100).reverse(), []), { ok: true })
  })

  it('counts who left and who came', async () => {
    const book = ledger()
    await book.record(patients(0, 100), root, [])
    const cases: readonly (readonly [number, number, number | null])[] = [
      [0, 99, 1],
      [0, 91, 9],
      [0, 90, null],
      [1, 101, 2],
      [5, 104, 9],
      [5, 105, null],
      [0, 109, 9],
      [0, 110, null],
      [500, 600, null],
    ]
    for (const [from, to, difference] of cases) {
      assert.deepEqual(
        await book.mayJoin(patients(from, to), []),
        difference === null ? { ok: true } : { ok: false, part: 'train', smallestDifference: difference },
        `${from} to ${to}`,
      )
    }
  })

  it('asks it of each earlier cohort', async () => {
    const book = ledger()
    await book.record(patients(0, 100), root, [])
    await book.record(patients(0, 50), root, [])
    assert.deepEqual(await book.mayJoin(patients(0, 55), []), { ok: false, part: 'train', smallestDifference: 5 })
    assert.deepEqual(await book.mayJoin(patients(0, 60), []), { ok: true })
    await book.record(patients(0, 95), root, [])
    assert.deepEqual(await book.mayJoin(patients(0, 100), []), { ok: false, part: 'train', smallestDifference: 5 }, 'equal to one, too close to another')
  })

  it('tells who rests, of either part by itself', async () => {
    const file = join(tempFolder(), 'used.jsonl')
    const book = new DifferencingLedger(file)
    const [training, testing] = [patients(0, 100), patients(100, 180)]
    const but = (all: readonly Digest[], at: number): Digest[] => all.filter((_, i) => i !== at)
    await book.record([...training, ...testing], root, testing)
    assert.deepEqual(await book.whoRests([...training, ...testing], testing), [])
    const one = [...but(training, 7), ...testing]
    const rest = (await book.whoRests(one, testing)) as readonly Digest[]
    assert.deepEqual([rest.length, rest.filter((patient) => testing.includes(patient)).length], [10, 0])
    assert.equal(await book.whoRests(one, testing), rest, 'worked out once')
    const another = [...training, ...but(testing, 3)]
    const resting = (await new DifferencingLedger(file).whoRests(another, but(testing, 3))) as readonly Digest[]
    assert.deepEqual([resting.length, resting.filter((patient) => testing.includes(patient)).length], [10, 10])
    assert.equal(
      (
        await book.mayJoin(
          one.filter((patient) => !rest.includes(patient)),
          testing,
        )
      ).ok,
      true,
    )
  })

  it('counts those who train and those who test each by themselves', async () => {
    const book = ledger()
    const [training, testing] = [patients(0, 100), patients(100, 180)]
    await book.record([...training, ...testing], root, testing)
    const without = (train: number, test: number) => book.mayJoin([...training.slice(train), ...testing.slice(test)], testing.slice(test))
    assert.deepEqual(await without(1, 9), { ok: false, part: 'train', smallestDifference: 1 })
    assert.deepEqual(await without(10, 9), { ok: false, part: 'test', smallestDifference: 9 })
    for (const [train, test] of [
      [10, 0],
      [0, 10],
      [10, 10],
      // A sum over nobody shows nothing.
      [0, 80],
    ] as const)
      assert.deepEqual(await without(train, test), { ok: true }, `${train} and ${test}`)
  })

  it('takes who is gone from a cohort of an old file for one of either part, unless another cohort tells', async () => {
    const file = join(tempFolder(), 'used.jsonl')
    const all = patients(0, 100)
    const [training, testing] = [patients(0, 60), patients(60, 100)]
    const ask = (train: readonly Digest[], test: readonly Digest[]) => new DifferencingLedger(file).mayJoin([...train, ...test], test)
    writeFileSync(file, `${JSON.stringify({ roots: [root], patients: all.map((digest) => digest.slice(2, 34)) })}\n`)
    assert.deepEqual(await ask(training, testing), { ok: true })
    assert.deepEqual(await ask(training.slice(10), testing.slice(10)), { ok: false, part: 'train', smallestDifference: 1 })
    assert.equal(await new DifferencingLedger(file).whoRests([...training.slice(1), ...testing], testing), null)
    assert.deepEqual(await ask([...training.slice(1), ...patients(100, 110)], [...testing, ...patients(110, 120)]), { ok: true }, 'ten are new in both')
    await new DifferencingLedger(file).record([...training, ...patients(200, 220)], root, [])
    assert.deepEqual(await ask(training.slice(10), testing), { ok: true }, 'they trained')
    await new DifferencingLedger(file).record(all, root, testing)
    assert.ok(
      readFileSync(file, 'utf8')
        .split('\n')
        .every((line) => line === '' || /"testing"/.test(line)),
      'once used again, it is known',
    )
  })

  it('is on disk when it returns, once for each cohort, and holds no whole digest', async () => {
    const file = join(tempFolder(), 'used.jsonl')
    await new DifferencingLedger(file).record(patients(0, 20), root, [])
    await new DifferencingLedger(file).record(patients(0, 20).reverse(), root, [])
    await Promise.all([new DifferencingLedger(file).record(patients(0, 40), root, []), new DifferencingLedger(file).record(patients(0, 60), root, [])])
    assert.equal(readFileSync(file, 'utf8').trim().split('\n').length, 3)
    assert.deepEqual(readdirSync(join(file, '..')), ['used.jsonl'])
    assert.deepEqual(await new DifferencingLedger(file).mayJoin(patients(0, 21), []), { ok: false, part: 'train', smallestDifference: 1 })
    assert.ok(!readFileSync(file, 'utf8').includes(patients(0, 1)[0] as string))
  })

  it('knows each cohort by its roots, one a programme, and what version 0.1 wrote without', async () => {
    const file = join(tempFolder(), 'used.jsonl')
    const other = keyed('other').keyedDigest('root')
    writeFileSync(file, `${JSON.stringify(patients(0, 20).map((digest) => digest.slice(2, 34)))}\n`)
    assert.deepEqual(await new DifferencingLedger(file).mayJoin(patients(0, 19), []), { ok: false, part: 'train', smallestDifference: 1 })
    assert.deepEqual([...(await new DifferencingLedger(file).roots())], [])
    for (const each of [root, other, root]) await new DifferencingLedger(file).record(patients(0, 20), each, [])
    assert.deepEqual([...(await new DifferencingLedger(file).roots())], [root, other])
    assert.equal(readFileSync(file, 'utf8').trim().split('\n').length, 1)
  })

  it('goes on at once after a process that was killed while it wrote', async () => {
    const file = join(tempFolder(), 'used.jsonl')
    const killed = spawnSync(process.execPath, ['-e', 'process.kill(process.pid, "SIGKILL")'])
    writeFileSync(`${file}.lock`, String(killed.pid))
    writeFileSync(`${file}.1.new`, 'half')
    const start = performance.now()
    await new DifferencingLedger(file).record(patients(0, 20), root, [])
    assert.ok(performance.now() - start < 2000)
    assert.deepEqual(await new DifferencingLedger(file).mayJoin(patients(0, 20), []), { ok: true })
  })

  it('lets nobody join when it is damaged', async () => {
    const file = join(tempFolder(), 'used.jsonl')
    for (const text of ['[', '{}\n', '[1]\n', 'x', '{"roots":["0x12"],"patients":[]}\n']) {
      writeFileSync(file, text)
      await assert.rejects(new DifferencingLedger(file).mayJoin(patients(0, 20), []), (error) => isRotaError(error, 'ROTA-6006'))
      await assert.rejects(new DifferencingLedger(file).record(patients(0, 20), root, []), (error) => isRotaError(error, 'ROTA-6006'))
    }
  })
})
