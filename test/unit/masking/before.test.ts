import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nodeMasking } from '#adapters/masking/node-masking.ts'
import { beforeOf as beforeToAudit } from '#audit/masks/before.ts'
import { linksOf, thresholdOf as thresholdToAudit } from '#audit/masks/mask-round.ts'
import { readLog } from '#audit/run-log.ts'
import { bitmapOf, EMPTY, has, sitesOf, sizeOf, without } from '#base/bitmap.ts'
import { attemptNo, type Bitmap, digest, type RoundNo, roundNo, runId, type SiteId, siteId, studyId, ZERO_DIGEST } from '#base/ids.ts'
import { FIRST, maskGraph } from '#core/masking/graph.ts'
import type { KeyedSite } from '#core/masking/held-deals.ts'
import { thresholdOf } from '#core/masking/threshold.ts'
import { Seeded } from '#core/model/seeded.ts'
import type { ChainEvent, ChainEventBody } from '#ports/chain.ts'
import { beforeIn, beforeOf } from '#round/masking/before.ts'
import type { Play } from '#round/play.ts'
import { below, keyedAs, sitesFrom, some } from '../../support/masked-party.ts'

// given void rounds of a masked run since one closed
// ├── whoever had a place in one and was not in its set, or did not contribute where there was none, defaulted; whoever found no place did not
// ├── who defaulted once is known until a round closes
// ├── nobody did after a refusal, in groups, or in a round that a dispute of the one before it cut short
// └── nodes and auditors say the same of any log, whenever they look

const RUN = runId(7)
const { sha256 } = nodeMasking
const TEN = bitmapOf(sitesFrom(10))
type Mode = 'masked' | 'groups'

/** A run's log, written as a chain would. */
class Scribe {
  readonly events: ChainEvent[] = []

  constructor() {
    this.write({ kind: 'RunOpened', run: RUN, study: studyId(1), site: siteId(0), modelRoot: ZERO_DIGEST, modelCid: ZERO_DIGEST })
  }

  write(...bodies: readonly ChainEventBody[]): void {
    const block = (this.events.at(-1)?.block ?? 0) + 1
    for (const [index, body] of bodies.entries()) this.events.push({ block, index, timestamp: 1_700_000_000 + block, tx: ZERO_DIGEST, ...body })
  }

  open(round: number, awaited: Bitmap = TEN): void {
    const of = {
      run: RUN,
      round: roundNo(round),
      leader: siteId(0),
      turn: 0,
      rota: sitesOf(awaited),
      awaited,
      baseRoot: ZERO_DIGEST,
      baseCid: ZERO_DIGEST,
      epoch: 0,
    }
    this.write({ kind: 'RoundOpened', ...of })
  }

  key(round: number, keyed: readonly KeyedSite[]): void {
    for (const said of keyed) this.write({ kind: 'Keyed', run: RUN, round: roundNo(round), ...said })
  }

  contribute(round: number, sites: Bitmap): void {
    const of = { root: ZERO_DIGEST, cid: ZERO_DIGEST, cohortRoot: ZERO_DIGEST }
    for (const site of sitesOf(sites)) this.write({ kind: 'Contributed', run: RUN, round: roundNo(round), site, ...of })
  }

  freeze(round: number, included: Bitmap): void {
    this.write({ kind: 'Frozen', run: RUN, round: roundNo(round), included, accumulator: ZERO_DIGEST })
  }

  end(round: number, kind: 'RoundVoid' | 'RoundClosed' | 'RoundRefused'): void {
    this.write(endOf(round, kind))
  }

  /** The sum of a closed round is struck while another is open. */
  dispute(round: number, open: number): void {
    const struck = { run: RUN, round: roundNo(round), attempt: attemptNo(0) }
    this.write({ kind: 'Disputed', ...struck, site: siteId(1), publisher: siteId(0), leaf: 0 }, endOf(open, 'RoundVoid'), {
      ...{ kind: 'PublicationDiscarded', ...struck, publisher: siteId(0), wrongSum: true },
    })
  }

  /** A void round in which some keyed and others of these came to nothing. @param frozen null where nothing was */
  void(round: number, { keyed = keyedAll(TEN), contributed = EMPTY, frozen = null }: Acts = {}): void {
    this.open(round)
    this.key(round, keyed)
    this.contribute(round, contributed)
    if (frozen !== null) this.freeze(round, frozen)
    this.end(round, 'RoundVoid')
  }
}

interface Acts {
  readonly keyed?: readonly KeyedSite[]
  readonly contributed?: Bitmap
  readonly frozen?: Bitmap | null
}

function endOf(round: number, kind: 'RoundVoid' | 'RoundClosed' | 'RoundRefused'): ChainEventBody {
  const at = { run: RUN, round: roundNo(round) }
  if (kind === 'RoundVoid') return { kind, ...at, phase: 'Attesting' }
  const model = { attempt: attemptNo(0), modelRoot: ZERO_DIGEST, modelCid: ZERO_DIGEST }
  return kind === 'RoundRefused' ? { kind, ...at, ...model } : { kind, ...at, ...model, status: 'continue' }
}

const keyedAll = (sites: Bitmap): KeyedSite[] => keyedAs(sitesOf(sites).map((site) => ({ site, holds: without(sites, site) })))
const set = (...sites: readonly number[]): Bitmap => bitmapOf(sites.map(siteId))
const less = (from: Bitmap, ...sites: readonly number[]): Bitmap => (from & ~set(...sites)) as Bitmap

/** Who defaulted before a round, by nodes that read all of the log or ask the chain for parts of it, and by auditors. */
async function defaultedBefore(events: readonly ChainEvent[], round: number, quorum = 7, mode: Mode = 'masked'): Promise<Bitmap> {
  const at: RoundNo = roundNo(round)
  const chain = {
    events: async (from: number, { kinds }: { kinds: readonly string[] }) => events.filter((e) => e.block >= from && kinds.includes(e.kind)),
  }
  const play = { site: { chain, sha256 }, study: { protocol: { mode, quorum } }, run: RUN } as unknown as Play
  const { defaulted } = await beforeOf(play, at)
  if (mode === 'masked') assert.equal(beforeIn(events, at, { quorum }, sha256).defaulted, defaulted)
  const { rounds } = readLog(events).runs[0]!
  const opened = { kind: 'RoundOpened', round: at } as (typeof rounds)[number]['opened']
  const audited = beforeToAudit({ run: { rounds }, round: { opened }, study: { protocol: { mode, quorum } } })
  assert.equal(bitmapOf(audited.defaulted), defaulted, `round ${round}, ${mode}`)
  return defaulted
}

describe('who defaulted in a void round', () => {
  it('is who keyed and did not contribute, or was not in the set where there was one', async () => {
    const scribe = new Scribe()
    scribe.void(1, { contributed: less(TEN, 3, 8) })
    assert.equal(await defaultedBefore(scribe.events, 2), set(3, 8))
    const frozen = new Scribe()
    frozen.void(1, { contributed: less(TEN, 3), frozen: less(TEN, 3, 5) })
    assert.equal(await defaultedBefore(frozen.events, 2), set(3, 5))
    // Who did not key is none; nor is anybody where a round has no end yet, or is not before this one.
    const fewer = new Scribe()
    fewer.void(1, { keyed: keyedAll(less(TEN, 9)), contributed: less(TEN, 4, 9) })
    assert.equal(await defaultedBefore(fewer.events, 2), set(4))
    assert.equal(await defaultedBefore(fewer.events, 1), EMPTY)
    assert.equal(await defaultedBefore(fewer.events.slice(0, -1), 2), EMPTY)
  })

  it('is nobody who found no place, be it that others named too few deals of theirs, or keyed with others than they told', async () => {
    const all = keyedAll(TEN)
    // Six do not hold the deal of the first; and the second keyed with another deal than it told anybody.
    const starved = keyedAs(sitesFrom(10).map((site) => ({ site, holds: site > 3 ? less(without(TEN, site), 0) : without(TEN, site) })))
    const other = all.map((said) => (said.site === 1 ? { ...said, dealDigest: digest(`0x${'77'.repeat(32)}`) } : said))
    for (const [keyed, victim] of [
      [starved, 0],
      [other, 1],
    ] as const) {
      const scribe = new Scribe()
      scribe.void(1, { keyed, contributed: less(TEN, victim, 6) })
      assert.equal(await defaultedBefore(scribe.events, 2), set(6))
    }
  })

  it('is known until a round closes, as are those who default after', async () => {
    const scribe = new Scribe()
    scribe.void(1, { contributed: less(TEN, 2) })
    // Left out for that, it cannot contribute, and defaults no more than it did.
    scribe.void(2, { contributed: less(TEN, 2, 7) })
    assert.equal(await defaultedBefore(scribe.events, 3), set(2, 7))
    scribe.void(3, { contributed: less(TEN, 2, 7) })
    assert.equal(await defaultedBefore(scribe.events, 4), set(2, 7))
    scribe.open(4)
    scribe.key(4, keyedAll(TEN))
    scribe.freeze(4, less(TEN, 1))
    scribe.end(4, 'RoundClosed')
    assert.equal(await defaultedBefore(scribe.events, 5), EMPTY)
    scribe.void(5, { contributed: less(TEN, 9) })
    assert.equal(await defaultedBefore(scribe.events, 6), set(9))
    // Whoever looks later finds the same of those before.
    assert.equal(await defaultedBefore(scribe.events, 4), set(2, 7))
  })

  it('is out in the next void round only where the others are enough', async () => {
    for (const quorum of [7, 8]) {
      const scribe = new Scribe()
      scribe.void(1, { contributed: less(TEN, 0, 1) })
      // One more does not key: without the two there are seven.
      scribe.void(2, { keyed: keyedAll(less(TEN, 3)), contributed: less(TEN, 0, 1, 2, 3), frozen: less(TEN, 0, 1, 2, 3) })
      assert.equal(await defaultedBefore(scribe.events, 3, quorum), set(0, 1, 2), `quorum ${quorum}`)
      const { sites } = maskGraph({ members: TEN, threshold: thresholdOf(10) }, keyedAll(less(TEN, 3)), sha256, { quorum, defaulted: set(0, 1) })
      assert.equal(sites, quorum === 8 ? less(TEN, 3) : less(TEN, 0, 1, 3))
    }
  })

  it('is nobody any more who was in a void round after it, or contributed to it where no set was frozen', async () => {
    const scribe = new Scribe()
    scribe.void(1, { contributed: less(TEN, 0, 1, 2, 3) })
    scribe.void(2, { contributed: less(TEN, 1, 2, 3, 4) })
    assert.equal(await defaultedBefore(scribe.events, 3), set(1, 2, 3, 4))
    scribe.void(3, { contributed: less(TEN, 2), frozen: less(TEN, 2, 3) })
    assert.equal(await defaultedBefore(scribe.events, 4), set(2, 3))
  })

  it('is nobody once a sum was refused, and in groups', async () => {
    const scribe = new Scribe()
    scribe.void(1, { contributed: less(TEN, 2) })
    assert.equal(await defaultedBefore(scribe.events, 2, 7, 'groups'), EMPTY)
    scribe.open(2)
    scribe.key(2, keyedAll(TEN))
    scribe.freeze(2, less(TEN, 2))
    scribe.end(2, 'RoundRefused')
    assert.equal(await defaultedBefore(scribe.events, 3), EMPTY)
    // Nor by the void rounds that repeat it.
    scribe.void(3, { contributed: less(TEN, 4) })
    assert.equal(await defaultedBefore(scribe.events, 4), EMPTY)
  })

  it('is nobody whose round a dispute of the one before it cut short', async () => {
    for (const [again, defaulted] of [
      ['RoundClosed', EMPTY],
      ['RoundRefused', EMPTY],
      // The round before it is void in the end, and who was not in its set, or in a void round before it, defaulted.
      ['RoundVoid', set(5, 8)],
    ] as const) {
      const scribe = new Scribe()
      scribe.void(1, { contributed: less(TEN, 8) })
      scribe.open(2)
      scribe.key(2, keyedAll(TEN))
      scribe.freeze(2, less(TEN, 5, 8))
      scribe.end(2, 'RoundClosed')
      scribe.open(3)
      scribe.key(3, keyedAll(TEN))
      scribe.contribute(3, set(0, 1))
      scribe.dispute(2, 3)
      scribe.end(2, again)
      scribe.open(4)
      assert.equal(await defaultedBefore(scribe.events, 4), defaulted, again)
      scribe.end(4, 'RoundVoid')
      assert.equal(await defaultedBefore(scribe.events, 5), defaulted, again)
    }
  })
})

/** Draws a round's acts: some key, deals are lost, some of those who have a place contribute, some of these are in the set. */
function drawRound(scribe: Scribe, round: number, members: Bitmap, random: Seeded, isWhole: boolean): void {
  const here = sitesOf(members)
  scribe.open(round, random.uniform() < 0.2 ? ((members & ~bitmapOf(some(here, 1, random))) as Bitmap) : members)
  const [lost, victim] = [random.uniform() < 0.5 ? 0 : 0.08, random.uniform() < 0.3 ? some(here, 1, random)[0] : undefined]
  const holds = (site: SiteId) => bitmapOf(here.filter((other) => other !== site && random.uniform() >= lost && (other !== victim || random.uniform() < 0.4)))
  const keyed = keyedAs(here.filter(() => random.uniform() > 0.05).map((site) => ({ site, holds: holds(site) })))
  scribe.key(round, keyed)
  const came = keyed.map(({ site }) => site).filter(() => isWhole || random.uniform() > 0.2)
  scribe.contribute(round, bitmapOf(came))
  if (isWhole || random.uniform() < 0.5) scribe.freeze(round, bitmapOf(came.filter(() => random.uniform() > 0.15)))
}

describe('what nodes and auditors say of rounds before one', () => {
  it('is the same, whenever they look (250 logs)', async () => {
    const random = new Seeded(41)
    let [none, few, strikes, groups] = [0, 0, 0, 0]
    for (let i = 0; i < 250; i++) {
      const members = bitmapOf(sitesFrom(7 + below(random, 9)).map((site) => siteId(3 * site + 1)))
      const quorum = thresholdOf(sizeOf(members)) + below(random, 3) - 1
      const scribe = new Scribe()
      const said = new Map<number, Bitmap>()
      const look = async (round: number) => said.set(round, await defaultedBefore(scribe.events, round, quorum))
      for (let round = 1, last = 2 + below(random, 6); round <= last; round++) {
        await look(round)
        const draw = random.uniform()
        drawRound(scribe, round, members, random, draw > 0.7)
        if (draw <= 0.7) scribe.end(round, 'RoundVoid')
        else if (draw > 0.92) scribe.end(round, 'RoundRefused')
        else {
          scribe.end(round, 'RoundClosed')
          if (random.uniform() > 0.4) continue
          // The next one is struck with it, whatever came of that so far.
          await look(round + 1)
          drawRound(scribe, round + 1, members, random, false)
          if (scribe.events.some((e) => e.kind === 'Frozen' && e.round === round + 1)) {
            scribe.end(round + 1, 'RoundVoid')
          } else {
            scribe.dispute(round, round + 1)
            scribe.end(round, random.uniform() < 0.4 ? 'RoundClosed' : random.uniform() < 0.7 ? 'RoundVoid' : 'RoundRefused')
            strikes += 1
          }
          round += 1
        }
      }
      // Whoever comes later sees what those saw who were there; of rounds that came to something, since no others are looked at.
      for (const { opened, ended } of readLog(scribe.events).runs[0]!.rounds) {
        const defaulted = said.get(opened.round)!
        if (ended?.kind !== 'RoundVoid') assert.equal(await defaultedBefore(scribe.events, opened.round, quorum), defaulted, `log ${i}, round ${opened.round}`)
        if (defaulted === EMPTY) none += 1
        else few += 1
        groups += (await defaultedBefore(scribe.events, opened.round, quorum, 'groups')) === EMPTY ? 1 : 0
        // And the same masks follow.
        const keyed = scribe.events.filter((e) => e.kind === 'Keyed').filter((e) => e.round === opened.round)
        const threshold = thresholdOf(sizeOf(opened.awaited))
        const graph = maskGraph({ members: opened.awaited, threshold }, keyed, sha256, { quorum, defaulted })
        const { edges } = linksOf({ members: opened.awaited, threshold: thresholdToAudit(opened.awaited) }, keyed, {
          quorum,
          defaulted: new Set(sitesOf(defaulted)),
        })
        assert.equal(bitmapOf(edges.keys()), graph.sites)
        const whole = maskGraph({ members: opened.awaited, threshold }, keyed, sha256, FIRST)
        if (sitesOf(graph.sites).some((site) => has(defaulted, site))) assert.equal(graph.sites, whole.sites)
      }
    }
    assert.ok(none > 200 && few > 200 && strikes > 30 && groups === none + few, `${none} with nobody, ${few} with some, ${strikes} disputes`)
  })
})
