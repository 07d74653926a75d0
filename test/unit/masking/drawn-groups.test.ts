import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { drawnIn, groupsFrom, withSaltOf } from '#audit/masks/drawn-groups.ts'
import { groupFaults } from '#audit/masks/groups.ts'
import { linksOf, maskRoundOf } from '#audit/masks/mask-round.ts'
import { readLog } from '#audit/run-log.ts'
import { bitmapOf, EMPTY, has, sitesOf, sizeOf } from '#base/bitmap.ts'
import { toDigest } from '#base/bytes.ts'
import { attemptNo, type Bitmap, type Digest, roundNo, runId, type SiteId, siteId, studyId, ZERO_DIGEST } from '#base/ids.ts'
import { maskingRound } from '#core/masking/context.ts'
import { type Draw, drawGroups, drawnCount, groupsOfDraw, withSalt } from '#core/masking/drawn-groups.ts'
import { maskGraph } from '#core/masking/graph.ts'
import { FEWEST_IN_GROUP, groupsStand } from '#core/masking/groups.ts'
import type { Model } from '#core/model/model.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { ChainEvent, ChainEventBody } from '#ports/chain.ts'
import { watchDraw } from '#round/masking/study-draw.ts'
import { keyedAs, showing, sitesFrom, termsOf } from '../../support/masked-party.ts'

// given the model that the first round of a study left
// ├── nodes and audit draw the same groups, an odd number, as even as can be; another model draws others
// ├── whoever is away moves nobody else, and whoever was not in the draw has one place whoever else comes
// ├── a group with too few sits out, so that sums of two runs tell of nobody who was in both; with fewer than three groups none stand
// ├── whatever deals sites hold, nodes go on where the audit finds no fault, and nowhere else
// └── it is found in the log, by nodes and audit the same one, for all runs of the study

type Told = ChainEventBody
const RUN = runId(7)
const { sha256 } = nodeMasking
const BASE: Model = { version: 1, learner: 'logistic/fedavg', stage: 'fit', refusals: 0, state: { rows: 3 } }
const rootOf = (salt: number): Digest => toDigest(new Seeded(salt).bytes(32))
const drawn = (sites: number, salt = 1) => drawGroups(rootOf(salt), bitmapOf(sitesFrom(sites)), sha256)
const sorted = (sets: readonly Bitmap[]): number[] => sets.map(sizeOf).sort((a, b) => a - b)
/** @param lost whether a site does not hold the deal of another */
const graphOf = (sites: Bitmap, lost: (site: SiteId, dealer: SiteId) => boolean = () => false) => {
  const here = sitesOf(sites)
  const keyed = keyedAs(here.map((site) => ({ site, holds: bitmapOf(here.filter((other) => other !== site && !lost(site, other))) })))
  const terms = termsOf(bitmapOf(here))
  const shown = showing(here, here)
  return { graph: maskGraph(maskingRound(terms, sha256), keyed, sha256, shown), edges: linksOf(maskRoundOf(terms), keyed, shown).edges }
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
  /** A round of these sites, of which some do not hold the deals of some. */
  function play(draw: Draw, here: Bitmap, lost: (site: SiteId, dealer: SiteId) => boolean) {
    const { graph, edges } = graphOf(here, lost)
    const groups = groupsOfDraw(draw, graph, here, sha256)
    const audited = groupsFrom({ seed: draw.seed, sets: draw.sets.map(sitesOf) }, edges, [], 32 + 80 * draw.sets.length)
    /** What nodes do with a frozen set, and what the audit says of it. */
    const verdicts = (included: Bitmap) => [groupsStand(groups, included), audited.length >= 3 && groupFaults(audited, included).length === 0]
    return { groups, audited, verdicts }
  }

  it('stay what they are where sites are away, come late, share too few masks, or are too few: node and audit agree', () => {
    const random = new Seeded(3)
    let [without, pruned, fallen] = [0, 0, 0]
    for (let i = 0; i < 300; i++) {
      const draw = drawn(15 + Math.floor(random.uniform() * 25), i)
      const [away, share] = [random.uniform() * 0.6, random.uniform() * 0.15]
      const here = bitmapOf(sitesFrom(45).filter((site) => (site < 40 ? random.uniform() > away : random.uniform() < 0.2)))
      const { groups, audited, verdicts } = play(draw, here, () => random.uniform() < share)
      const all = groups.masks.sites
      const some = sitesOf(all).filter(() => random.uniform() > 0.05)
      const stranger = sitesOf((here & ~all) as Bitmap)[0]
      for (const included of [all, bitmapOf(some), bitmapOf([...sitesOf(all), ...(stranger === undefined ? [] : [stranger])])]) {
        const [node, audit] = verdicts(included)
        assert.equal(node, audit)
      }
      assert.deepEqual(
        audited.map(({ sites, start }) => [bitmapOf(sites), (start - 32) / 80]),
        groups.sets.flatMap((set, place) => (set === EMPTY ? [] : [[set, place]])),
      )
      if (!groupsStand(groups, all)) {
        fallen += 1
        continue
      }
      if (groups.sets.includes(EMPTY)) without += 1
      if (sizeOf(all) < sizeOf(here)) pruned += 1
      for (const [place, set] of groups.sets.entries()) {
        assert.ok(set === EMPTY || sizeOf(set) >= FEWEST_IN_GROUP)
        for (const site of sitesOf(set)) assert.equal(groups.masks.neighbours(site) & ~set, 0n)
        for (const [other, drawnSet] of draw.sets.entries()) assert.ok(other === place || (drawnSet & set) === 0n)
      }
    }
    assert.ok(without > 20 && pruned > 50 && fallen > 20, `${without} without a group, ${pruned} without a site, ${fallen} without three groups`)
  })

  it('go on without the group of two that hold no deals of it: audit and node say so', () => {
    const draw = drawn(25)
    const [first, ...others] = draw.sets as [Bitmap, ...Bitmap[]]
    const liars = sitesOf(first).slice(0, 2)
    const { groups, verdicts } = play(draw, bitmapOf(sitesFrom(25)), (site, dealer) => liars.includes(site) && has(first, dealer))
    assert.deepEqual(
      [groups.sets, verdicts(groups.masks.sites)],
      [
        [EMPTY, ...others],
        [true, true],
      ],
    )
    assert.deepEqual(verdicts(bitmapOf(sitesFrom(25))), [false, false])
  })

  it('show no sums in two runs that tell of fewer than a group, but of sites that were in one of them alone', () => {
    const random = new Seeded(6)
    for (let i = 0; i < 60; i++) {
      const draw = drawn(25 + Math.floor(random.uniform() * 15), i)
      const [small, ...others] = draw.sets as [Bitmap, ...Bitmap[]]
      const left = sitesOf(small).slice(0, 1 + Math.floor(random.uniform() * 3))
      const [before, after] = [bitmapOf(sitesFrom(40)), bitmapOf([...left, ...others.flatMap(sitesOf)])].map((here) => play(draw, here, () => false).groups)
      assert.ok(before !== undefined && after !== undefined && groupsStand(before, before.masks.sites) && groupsStand(after, after.masks.sites))
      for (const was of before.sets)
        for (const is of after.sets) if ((was & is) !== 0n) assert.deepEqual([was & ~is & after.masks.sites, is & ~was & before.masks.sites], [0n, 0n])
    }
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
