import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sha256 } from '#adapters/sim/hash.ts'
import { toDigest, utf8 } from '#base/bytes.ts'
import { attemptNo, type Bitmap, type Digest, type RunId, roundNo, runId, siteId, studyId, ZERO_DIGEST } from '#base/ids.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { ChainEventBody } from '#ports/chain.ts'
import { NamedObjects, type Naming, type Spent, type UpTo } from '#round/named-objects.ts'

// given three runs that go on for weeks, with void and disputed rounds, and members who name others' objects as their updates
// ├── who forgets what is settled finds the same objects spent as who remembers all
// └── and remembers a few days' names alone

const name = (...words: readonly unknown[]): Digest => toDigest(sha256(utf8(words.join(' '))))

/** Seconds between two rounds: three days have 260. */
const ROUND_S = 1_000
const ROUNDS = 1_000
const PER_RUN = 334

function* log(random: Seeded): Generator<Naming> {
  let block = 0
  let timestamp = 0
  const named: Digest[] = []
  const write = (body: ChainEventBody): Naming => ({ block: block++, index: 0, timestamp, tx: ZERO_DIGEST, ...body }) as Naming
  const own = (...words: readonly unknown[]): Digest => {
    const cid = name(...words)
    named.push(cid)
    return cid
  }
  const others = (): Digest => named[Math.floor(random.uniform() * named.length)] as Digest
  yield write({ kind: 'StudyPublished', study: studyId(1), publisher: siteId(0), protocolDigest: ZERO_DIGEST, protocolCid: own('protocol') })
  const model = (...words: readonly unknown[]) => ({ modelRoot: ZERO_DIGEST, modelCid: own('model', ...words) })
  for (let n = 1; n <= ROUNDS; n++) {
    const run = runId(1 + Math.floor((n - 1) / PER_RUN))
    if (n % PER_RUN === 1) yield write({ kind: 'RunOpened', run, study: studyId(1), site: siteId(0), ...model(run) })
    const at = { run, round: roundNo(((n - 1) % PER_RUN) + 1) }
    timestamp += Math.floor(2 * ROUND_S * random.uniform())
    yield write({
      kind: 'RoundOpened',
      ...at,
      leader: siteId(0),
      turn: 0,
      rota: [],
      awaited: 0n as Bitmap,
      baseRoot: ZERO_DIGEST,
      baseCid: ZERO_DIGEST,
      epoch: 0,
    })
    for (let site = 0; site < 3; site++) {
      const cid = random.uniform() < 0.1 ? others() : own('update', n, site)
      yield write({ kind: 'Contributed', ...at, site: siteId(site), root: ZERO_DIGEST, cid, cohortRoot: ZERO_DIGEST })
    }
    const isVoid = random.uniform() < 0.1
    for (let attempt = 0; ; attempt++) {
      yield write({ kind: 'Published', ...at, attempt: attemptNo(attempt), site: siteId(0), sumRoot: ZERO_DIGEST, sumCid: own('sum', n, attempt) })
      if (isVoid) yield write({ kind: 'RoundVoid', ...at, phase: 'Attesting' })
      else yield write({ kind: 'RoundClosed', ...at, attempt: attemptNo(attempt), status: 'continue', ...model(n, attempt) })
      if (isVoid || random.uniform() > 0.1) break
      yield write({ kind: 'Disputed', ...at, attempt: attemptNo(attempt), site: siteId(1), publisher: siteId(0), leaf: 0 })
    }
  }
}

/** What would be deleted now, as retention does it: of each run what was not dealt with before, unless it is kept under another name. */
function toDrop(objects: NamedObjects, now: number, done: Map<RunId, UpTo>): readonly Spent[] {
  const { runs, kept, named } = objects.sort(now)
  return [...runs].flatMap(([run, { spent, upTo }]) => {
    const before = done.get(run) ?? { updates: 0, large: 0 }
    done.set(run, upTo)
    const isNew = ({ round, onlyLarge }: Spent): boolean => round > (onlyLarge ? before.large : before.updates)
    return spent.filter((object) => isNew(object) && !(object.onlyLarge ? kept : named).has(object.cid))
  })
}

describe('names of objects', () => {
  for (const seed of [1, 2, 3])
    it(`forgets what is settled, and decides as who remembers all (seed ${seed})`, () => {
      const random = new Seeded(seed)
      const [all, settled] = [new NamedObjects(), new NamedObjects()]
      const done = [new Map<RunId, UpTo>(), new Map<RunId, UpTo>()] as const
      let dropped = 0
      let most = 0
      for (const event of log(random)) {
        all.take(event)
        settled.take(event)
        if (random.uniform() > 0.02) continue
        const expected = toDrop(all, event.timestamp, done[0])
        assert.deepEqual(toDrop(settled, event.timestamp, done[1]), expected)
        assert.deepEqual(done[1], done[0])
        settled.settle(event.timestamp)
        dropped += expected.length
        most = Math.max(most, settled.sort(event.timestamp).named.all().size)
      }
      assert.ok(dropped > 3 * ROUNDS, `${dropped} objects were spent`)
      assert.ok(most < 1_200, `${most} names remembered`)
    })
})
