import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { drawnIn, groupsFrom, withSaltOf } from '#audit/masks/drawn-groups.ts'
import { groupFaults } from '#audit/masks/groups.ts'
import { edgesOf, maskRoundOf } from '#audit/masks/mask-round.ts'
import { readLog } from '#audit/run-log.ts'
import { bitmapOf, EMPTY, has, sitesOf, sizeOf } from '#base/bitmap.ts'
import { toDigest } from '#base/bytes.ts'
import { attemptNo, type Bitmap, type Digest, roundNo, runId, siteId, studyId, ZERO_DIGEST } from '#base/ids.ts'
import { maskingRound } from '#core/masking/context.ts'
import { drawGroups, drawnCount, groupsOfDraw, withSalt } from '#core/masking/drawn-groups.ts'
import { maskGraph } from '#core/masking/graph.ts'
import { FEWEST_IN_GROUP, groupsStand } from '#core/masking/groups.ts'
import type { Model } from '#core/model/model.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { ChainEvent, ChainEventBody } from '#ports/chain.ts'
import { watchDraw } from '#round/masking/study-draw.ts'
import { sitesFrom, termsOf } from '../../support/masked-party.ts'

// given the model that the first round of a study left
// ├── nodes and audit draw the same groups, an odd number, as even as can be; another model draws others
// ├── whoever is away moves nobody else, and whoever was not in the draw has one place whoever else comes
// ├── a group with too few is joined to another, and with fewer than three groups none stand
// └── it is found in the log, by nodes and audit the same one, for all runs of the study

type Told = ChainEventBody
const RUN = runId(7)
const { sha256 } = nodeMasking
const BASE: Model = { version: 1, learner: 'logistic/fedavg', stage: 'fit', refusals: 0, state: { rows: 3 } }
const rootOf = (salt: number): Digest => toDigest(new Seeded(salt).bytes(32))
const drawn = (sites: number, salt = 1) => drawGroups(rootOf(salt), bitmapOf(sitesFrom(sites)), sha256)
const sorted = (sets: readonly Bitmap[]): number[] => sets.map(sizeOf).sort((a, b) => a - b)
const graphOf = (sites: Bitmap) => {
  const here = sitesOf(sites)
  const keyed = here.map((site) => ({ site, holds: bitmapOf(here.filter((other) => other !== site)) }))
  const terms = termsOf(bitmapOf(here))
  return { graph: maskGraph(maskingRound(terms, sha256), keyed), edges: edgesOf(maskRoundOf(terms), keyed) }
}

describe('groups of a study', () => {
  it('are three, five or seven, of five sites or more from fifteen on', () => {
    assert.deepEqual([12, 15, 24, 25, 34, 35, 100].map(drawnCount), [3, 3, 3, 5, 5, 7, 7])
    for (let n = 15; n <= 100; n++) assert.ok(Math.floor(n / drawnCount(n)) >= 5)
    assert.deepEqual(
      [sorted(drawn(23).sets), sorted(drawn(12).sets)],
      [
        [7, 8, 8],
        [4, 4, 4],
      ],
    )
  })

  it('come of the model that nobody could foresee, and to the audit the same', () => {
    const random = new Seeded(2)
    for (let i = 0; i < 100; i++) {
      const included = bitmapOf(sitesFrom(12 + Math.floor(random.uniform() * 60)).filter(() => random.uniform() > 0.1))
      const draw = drawGroups(rootOf(i), included, sha256)
      assert.equal(
        draw.sets.reduce((all, set) => all | set, 0n),
        included,
      )
      assert.ok(Math.max(...sorted(draw.sets)) - Math.min(...sorted(draw.sets)) <= 1)
      const audited = drawnIn({ first: [{ run: RUN, modelRoot: rootOf(i), included }] })
      assert.deepEqual([audited?.seed, audited?.sets.map(bitmapOf)], [draw.seed, draw.sets])
      const sum = random.bytes(100)
      assert.deepEqual(withSalt(BASE, sum, sha256), withSaltOf(BASE, sum))
    }
    assert.notDeepEqual(drawn(15, 1).sets, drawn(15, 2).sets)
    assert.notDeepEqual(withSalt(BASE, random.bytes(32), sha256), withSalt(BASE, random.bytes(32), sha256))
    assert.equal(drawnIn({ first: [] }), null)
  })

  it('put each site with each other about as often as chance does', () => {
    let together = 0
    for (let salt = 0; salt < 400; salt++) if (drawn(15, salt).sets.some((set) => has(set, siteId(0)) && has(set, siteId(1)))) together++
    // 4 of 14 places; 5 standard deviations.
    assert.ok(Math.abs(together - (400 * 4) / 14) < 5 * Math.sqrt((400 * 4 * 10) / 14 ** 2), `${together} of 400`)
  })
})

describe('groups of a round', () => {
  it('stay what they are where sites are away, come late, or are too few: node and audit agree', () => {
    const random = new Seeded(3)
    let [joined, fallen] = [0, 0]
    for (let i = 0; i < 120; i++) {
      const draw = drawn(15 + Math.floor(random.uniform() * 25), i)
      const away = random.uniform() * 0.75
      const here = bitmapOf(sitesFrom(45).filter((site) => (site < 40 ? random.uniform() > away : random.uniform() < 0.2)))
      const { graph, edges } = graphOf(here)
      const groups = groupsOfDraw(draw, graph, here, sha256)
      const audited = groupsFrom({ seed: draw.seed, sets: draw.sets.map(sitesOf) }, edges, [], 32 + 80 * draw.sets.length)
      const stands = groupsStand(groups, groups.masks.sites)
      assert.equal(stands, audited.length >= 3 && groupFaults(audited, groups.masks.sites).length === 0)
      if (!stands) {
        fallen += 1
        continue
      }
      assert.deepEqual(
        audited.map(({ sites, start }) => [bitmapOf(sites), (start - 32) / 80]),
        groups.sets.flatMap((set, place) => (set === EMPTY ? [] : [[set, place]])),
      )
      if (groups.sets.includes(EMPTY)) joined += 1
      // Who is together by the draw stays so.
      for (const set of draw.sets) assert.equal(groups.sets.filter((each) => (each & set) !== 0n).length <= 1, true)
      for (const set of groups.sets) assert.ok(set === EMPTY || sizeOf(set) >= FEWEST_IN_GROUP)
    }
    assert.ok(joined > 5 && fallen > 5, `${joined} joined, ${fallen} without three`)
  })

  it('have one place for a site that was not in the draw, whoever else comes', () => {
    const draw = drawn(15)
    const placeAmong = (others: readonly number[]): number => {
      const here = bitmapOf([...sitesFrom(15), siteId(20), ...others.map(siteId)])
      return groupsOfDraw(draw, graphOf(here).graph, here, sha256).sets.findIndex((set) => has(set, siteId(20)))
    }
    assert.deepEqual(new Set([[], [16], [17, 18, 19], [30, 40]].map(placeAmong)).size, 1)
  })
})

describe('the draw of a study', () => {
  const study = studyId(1)
  const at = { block: 0, timestamp: 0, tx: ZERO_DIGEST }
  const opened = (run: number, of = study): Told => ({
    kind: 'RunOpened',
    run: runId(run),
    study: of,
    site: siteId(0),
    modelRoot: ZERO_DIGEST,
    modelCid: ZERO_DIGEST,
  })
  const frozen = (run: number, round: number, sites: number): Told[] => {
    const [of, included] = [{ run: runId(run), round: roundNo(round) }, bitmapOf(sitesFrom(sites))]
    const base = { baseRoot: ZERO_DIGEST, baseCid: ZERO_DIGEST, epoch: 0 }
    return [
      { kind: 'RoundOpened', ...of, leader: siteId(0), turn: 0, rota: sitesFrom(sites), awaited: included, ...base },
      { kind: 'Frozen', ...of, included, accumulator: ZERO_DIGEST },
    ]
  }
  const closed = (run: number, round: number, salt: number): Told => ({
    kind: 'RoundClosed',
    run: runId(run),
    round: roundNo(round),
    attempt: attemptNo(0),
    status: 'continue',
    modelRoot: rootOf(salt),
    modelCid: ZERO_DIGEST,
  })
  const disputed = (run: number, round: number): Told => ({
    kind: 'Disputed',
    run: runId(run),
    round: roundNo(round),
    attempt: attemptNo(0),
    site: siteId(0),
    publisher: siteId(1),
    leaf: 0,
  })
  const asEvents = (told: readonly Told[]): ChainEvent[] => told.map((body, index) => ({ ...at, index, ...body }))
  const readBy = async (...told: Told[]) => {
    const events = asEvents(told)
    const published = { ...at, index: 0, kind: 'StudyPublished', study, publisher: siteId(0), protocolDigest: ZERO_DIGEST, protocolCid: ZERO_DIGEST } as const
    const draw = await watchDraw({ chain: { events: async () => events } as never, sha256 }, study)()
    const audited = readLog([published, ...events]).studies.get(study)
    const again = audited === undefined ? null : drawnIn(audited)
    assert.deepEqual([again?.seed ?? null, again?.sets.map(bitmapOf)], [draw?.seed ?? null, draw?.sets])
    return draw
  }

  it('is by the round of its that closed first, for all of its runs', async () => {
    const first = [opened(1), opened(2, studyId(9)), ...frozen(2, 1, 40), closed(2, 1, 8), ...frozen(1, 2, 16), closed(1, 2, 5)]
    assert.equal(await readBy(...first.slice(0, -1)), null)
    assert.deepEqual(await readBy(...first), drawn(16, 5))
    assert.deepEqual(await readBy(...first, ...frozen(1, 3, 20), closed(1, 3, 6), opened(3), ...frozen(3, 1, 30), closed(3, 1, 7)), drawn(16, 5))
  })

  it('is by another where a dispute took that one back', async () => {
    const struck = [opened(1), ...frozen(1, 1, 16), closed(1, 1, 5), disputed(1, 1)]
    assert.equal(await readBy(...struck), null)
    assert.deepEqual(await readBy(...struck, closed(1, 1, 6)), drawn(16, 6))
  })
})
