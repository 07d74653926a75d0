/**
 * Parts behind a site's commands
 * ├── the clock alarm: ours is wrong by ten minutes (ROTA-1206); one member's wrong clock among several alarms nobody
 * ├── the disk, by the measure by which a node abstains: a large one at 85 % is a fault (ROTA-5513), next to nothing free another (ROTA-1218)
 * ├── who a round waits for, in each phase
 * ├── stages of a long run from few models
 * ├── notes of rounds: a torn line is left out
 * ├── protocols of published studies: fetched once, asked for again after a failure
 * └── features to predict for: mapping, units, the rule for empty cells, and the line of what does not fit
 */
import assert from 'node:assert/strict'
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openFeatures } from '#adapters/cohort/read-features.ts'
import { diskUse, FULLEST } from '#adapters/store/disk-use.ts'
import { fetchProtocols } from '#app/node/fetch-protocols.ts'
import { clockAlarm } from '#app/node/peer-watch.ts'
import { noteRounds, readRoundNotes } from '#app/node/round-notes.ts'
import type { NodeEvent } from '#app/node/run-node.ts'
import { stagesOf } from '#app/node/run-stages.ts'
import { parseMapping } from '#app/protocol/mapping-file.ts'
import { checkClock, checkDisk, checkReach, judgeDisk } from '#app/site/doctor-checks.ts'
import { awaitedIn } from '#app/site/site-status.ts'
import { bitmapOf } from '#base/bitmap.ts'
import { isRotaError, RotaError } from '#base/errors.ts'
import { type Digest, digest, runId, siteId } from '#base/ids.ts'
import type { RoundView } from '#ports/chain.ts'
import type { MemberHealth } from '#web/health.ts'
import { generatedStudy } from '../../support/studies.ts'

const signal = new AbortController().signal
const id = (n: number): Digest => digest(`0x${n.toString(16).padStart(64, '0')}`)

describe("parts behind a site's commands", () => {
  let dir: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'rota-parts-'))
  })
  after(() => rm(dir, { recursive: true, force: true }))

  it('alarms when our clock is off, not when one of theirs is', () => {
    const at = (...minutes: (number | null)[]) => minutes.map((m) => ({ clockOffsetMs: m === null ? null : m * 60_000 }))
    assert.equal(clockAlarm(at(12, 11, 10.5))?.code, 'ROTA-1206')
    assert.equal(clockAlarm(at(-10))?.message, "this node's clock is 600 s off those of its peers")
    for (const fine of [at(), at(null), at(0, 60, 1), at(9.9, -9.9), at(0, 0, null)]) assert.equal(clockAlarm(fine), null)
    const member = (site: number, reachable: boolean, offsetMs: number | null): MemberHealth => ({
      site,
      name: `hospital ${site}`,
      reachable,
      rttMs: reachable ? 3 : null,
      clockOffsetMs: offsetMs,
      software: null,
      arithmetic: null,
    })
    assert.throws(
      () => checkClock([member(1, true, 700_000)]),
      (error) => isRotaError(error, 'ROTA-1206'),
    )
    assert.equal(checkClock([]).state, 'warn')
    assert.equal(checkReach([member(1, true, 0), member(2, false, null)], true).state, 'warn')
    assert.match(checkReach([], true).what, /no other members yet/)
    assert.match(checkReach([], false).what, /nobody but members/)
    assert.throws(
      () => checkReach([member(1, false, null), member(2, false, null)], true),
      (error) => isRotaError(error, 'ROTA-4005'),
    )
  })

  it('looks at the disk as the node does', async () => {
    const judged = (usedFraction: number, freeBytes: number) => judgeDisk({ usedFraction, freeBytes }, '/state')
    assert.deepEqual(judged(0.2, 800e9), { state: 'ok', what: '800 GB are free, 20 % are used' })
    assert.equal(judged(FULLEST, 200e9).state, 'ok', 'as full as may be')
    for (const usedFraction of [0.801, 0.85, 1])
      assert.throws(
        () => judged(usedFraction, 150e9),
        (error) => isRotaError(error, 'ROTA-5513'),
        `${usedFraction} of a terabyte`,
      )
    assert.equal(judged(0.2, 4e9).state, 'warn')
    assert.throws(
      () => judged(0.85, 199e6),
      (error) => isRotaError(error, 'ROTA-1218'),
    )
    const { usedFraction, freeBytes } = await diskUse(dir)
    const found = await checkDisk({ folder: dir, state: join(dir, 'state') }).catch((error) => error.code)
    if (usedFraction > FULLEST || freeBytes < 200e6) assert.match(String(found), /ROTA-(5513|1218)/)
    else assert.match(found.what, /are free, \d+ % are used/)
    const missing = join(dir, 'missing')
    await assert.rejects(checkDisk({ folder: missing, state: join(missing, 'state') }), (error) => isRotaError(error, 'ROTA-1306'))
  })

  it('knows who a round waits for', () => {
    const set = (...sites: number[]) => bitmapOf(sites.map(siteId))
    const rota = [0, 1, 2, 3].map(siteId)
    const round = {
      rota,
      turn: 3,
      awaited: set(0, 1, 2, 3),
      contributed: set(1),
      abstained: set(2),
      custodianPlaces: [3],
      witnessed: [set(0)],
      firstPlace: 1,
      included: set(0, 1, 3),
      attested: set(3),
    }
    const waits = (phase: RoundView['phase']) => awaitedIn({ ...round, phase } as unknown as RoundView)
    assert.deepEqual(waits('Contributing'), [0, 3])
    assert.deepEqual(waits('Witnessing'), [3, 1])
    assert.deepEqual(waits('Publishing'), [0])
    assert.deepEqual(waits('Attesting'), [0, 1])
  })

  it('finds the stages of a long run from few models', async () => {
    const stages = ['moments', ...new Array<string>(100).fill('fit'), 'evaluation']
    let opened = 0
    const shelf = {
      protocol: () => assert.fail('no protocol is needed'),
      model: async (_run: unknown, root: Digest) => {
        opened += 1
        const i = Number(BigInt(root))
        if (i === 50) throw new RotaError('ROTA-4010', { cid: root })
        return { version: 1, learner: 'logistic', stage: stages[i] as string, refusals: 0, state: {} } as const
      },
    }
    const found = await stagesOf(
      shelf,
      runId(1),
      stages.map((_, i) => id(i)),
      signal,
    )
    assert.deepEqual([found[0], found[1], found[100], found[101]], ['moments', 'fit', 'fit', 'evaluation'])
    assert.ok(opened < 30, `${opened} models were opened`)
    assert.deepEqual(await stagesOf(shelf, runId(1), [], signal), [])
  })

  it('keeps notes of rounds over a crash', async () => {
    const file = join(dir, 'rounds.jsonl')
    const note = noteRounds(file)
    note({ event: 'progress', progress: { kind: 'contributed', run: 1, round: 2, bytes: 9, trainMs: 5, backend: null, resting: 0 } } as unknown as NodeEvent)
    note({ event: 'round', story: { run: 1, round: 2, bytesIn: 100, bytesOut: 50, workMs: 7.4 } } as unknown as NodeEvent)
    await appendFile(file, '{"run":1,"rou')
    assert.deepEqual([...readRoundNotes(file)], [['1/2', { run: 1, round: 2, bytesIn: 100, bytesOut: 50, workMs: 7, trainMs: 5 }]])
    assert.equal(readRoundNotes(join(dir, 'none')).size, 0)
    await writeFile(file, '')
    note({ event: 'progress', progress: { kind: 'contributed', run: 2, round: 1, trainMs: 5, resting: 10 } } as unknown as NodeEvent)
    note({ event: 'round', story: { run: 2, round: 1, bytesIn: 1, bytesOut: 1, workMs: 0 } } as unknown as NodeEvent)
    assert.equal(readRoundNotes(file).get('2/1')?.resting, 10)
    noteRounds(join(dir, 'no', 'such', 'folder'))({ event: 'round', story: { run: 1, round: 3, bytesIn: 0, bytesOut: 0, workMs: 0 } } as unknown as NodeEvent)
  })

  it('fetches the protocol of each published study', async () => {
    const stop = new AbortController()
    const asked: Digest[] = []
    const pauses: number[] = []
    const studies = [id(1), id(2)].map((protocolCid, i) => ({ id: i + 1, publisher: siteId(0), protocolCid }))
    const store = {
      has: async (cid: Digest) => cid === id(1),
      getPlain: async (cid: Digest) => {
        asked.push(cid)
        if (asked.length === 1) throw new RotaError('ROTA-4010', { cid })
        return new Uint8Array()
      },
    }
    const chain = { studies: async () => studies as never, events: async () => [], onChange: () => () => undefined }
    const clock = {
      nowMs: () => 0,
      async sleep(ms: number) {
        pauses.push(ms)
        if (pauses.length === 2) stop.abort()
      },
    }
    const log = { info() {}, warn() {}, error() {}, debug() {} }
    await fetchProtocols({ chain, store, clock, log }, stop.signal)
    assert.deepEqual(
      [asked, pauses],
      [
        [id(2), id(2)],
        [5_000, 60_000],
      ],
    )
  })

  it('reads features alone, by the mapping', async () => {
    const { protocol } = generatedStudy({ sites: 3, rows: 30 })
    const features = protocol.features.map((f, i) => (i === 1 ? { ...f, missing: { fill: 0 } } : f))
    const study = { ...protocol, features }
    const file = join(dir, 'new.csv')
    const [age, male] = features
    const rest = features.slice(2).map(({ name, range }) => [name, String((range[0] + range[1]) / 2)] as const)
    const text = (first: string, second: string) =>
      [`months;${male?.name};${rest.map(([name]) => name).join(';')}`, `${first};${second};${rest.map(([, value]) => value).join(';')}`].join('\n')
    const mapping = parseMapping(`patient: mrn\nset: fold\nfeatures:\n  ${age?.name}: { column: months, unit: mo }\n`, study)
    const read = async () => {
      for await (const row of (await openFeatures(file, mapping, study)).rows) return row
      return undefined
    }
    await writeFile(file, text('600', ''))
    const row = await read()
    assert.ok(Math.abs((row?.features?.[0] ?? 0) - 50) < 1e-9)
    assert.equal(row?.features?.[1], 0)
    await writeFile(file, text('', '1'))
    assert.equal((await read())?.features, null)
    await writeFile(file, text('fifty', '1'))
    await assert.rejects(read, (error) => isRotaError(error, 'ROTA-3004') && error.details['line'] === 2)
    await writeFile(file, text('6000', '1'))
    await assert.rejects(read, (error) => isRotaError(error, 'ROTA-3005'))
    await writeFile(file, 'months\n600\n')
    await assert.rejects(read, (error) => isRotaError(error, 'ROTA-3006'))
  })
})
