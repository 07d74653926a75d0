import assert from 'node:assert/strict'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { AuditReport } from '#audit/report.ts'
import { sitesOf, without as withoutSite } from '#base/bitmap.ts'
import { type Bitmap, type Digest, siteId, ZERO_DIGEST } from '#base/ids.ts'
import { auditText } from '#cli/output/audit-text.ts'
import { plain } from '#cli/output/style.ts'
import { NAME_BYTES } from '#core/masking/held-deals.ts'
import type { Release } from '#core/masking/release.ts'
import type { FedAvgSpec } from '#core/protocol/protocol.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { hidingOtherIn } from '../../support/masked-party.ts'
import { audit, buildWorld, flip, leafFile, rewrite, rootFile, type World } from './audit-world.ts'
import type { MaskedWorld } from './masked-round.ts'

/*
 * given a masked run of two rounds over seven sites, one of which keyed in and dropped out
 * ├── when nothing is changed ................... it takes the masks off again and recomputes every round
 * ├── when updates are thinned .................. from the stored masked sum
 * ├── when what some sites released is gone .... it recomputes, and says whose
 * ├── when all of that is gone .................. the masks stay on, the verdict says so, and the report is not ok
 * ├── when a byte of an update, a deal or a release is changed, it names object and block
 * └── when a liar released a wrong share, told a wrong seed, hid a false secret of a pair, keyed with another round's deal or another site's, or attested with another's, it names the site
 */
const FEDAVG: FedAvgSpec = { kind: 'logistic', algorithm: 'fedavg', rounds: 1, localSteps: 2, learningRate: 0.5, l2: 0, standardise: 'pooled' }
const DROPPED = siteId(2)
type KeyedEvent = Extract<ChainEvent, { kind: 'Keyed' }>

let root: string
let world: World
let count = 0
const build = (masked: MaskedWorld = {}) =>
  buildWorld(join(root, `${count++}`), { learner: FEDAVG, rounds: 1, sites: 7, masked: { dropped: [DROPPED], ...masked } })
const verdicts = (report: AuditReport) => report.rounds.map((round) => round.verdict)
const messages = (report: AuditReport) => report.faults.map((fault) => fault.message)

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'rota-masked-'))
  world = await buildWorld(join(root, 'honest'), { learner: FEDAVG, rounds: 2, sites: 7, masked: { dropped: [DROPPED] } })
})
after(() => rm(root, { recursive: true, force: true }))

async function without<T>(paths: readonly string[], use: () => Promise<T>): Promise<T> {
  for (const path of paths) await rename(path, `${path}.away`)
  try {
    return await use()
  } finally {
    for (const path of paths) await rename(`${path}.away`, path)
  }
}

const shownFiles = (round: number): Promise<string[]> => Promise.all([...(world.made[round]?.shown.values() ?? [])].map((cid) => rootFile(world, cid)))
const keyed = (site: number): Digest => world.events.filter((e) => e.kind === 'Keyed').find((e) => e.site === site && e.round === 1)?.dealCid ?? ZERO_DIGEST

describe('an audit of a masked run', () => {
  it('recomputes every round', async () => {
    const report = await audit(world)
    assert.deepEqual([messages(report), report.notes], [[], []])
    assert.deepEqual(verdicts(report), ['recomputed', 'recomputed'])
    assert.equal(report.ok, true)
    assert.deepEqual(report.rounds[0]?.included, [0, 1, 3, 4, 5, 6])
  })

  it('recomputes from the stored masked sum once updates are thinned', async () => {
    const updates = await Promise.all([...(world.made[0]?.updates.values() ?? [])].map(async (cid) => (await leafFile(world, cid)).path))
    const report = await without(updates, () => audit(world))
    assert.deepEqual(verdicts(report), ['recomputed from the stored sum', 'recomputed'])
  })

  it('says what is missing of what sites released, and needs one of them alone', async () => {
    const files = await shownFiles(0)
    const one = await without(files.slice(1, 2), () => audit(world))
    assert.deepEqual(verdicts(one), ['recomputed', 'recomputed'])
    assert.deepEqual(one.notes, ['run 1: what site 1 released is not in the stores, for 1 of its rounds; the masks came off without it'])
    const five = await without(files.slice(1), () => audit(world))
    assert.deepEqual([five.ok, verdicts(five)], [true, ['recomputed', 'recomputed']])
    assert.match(five.notes[0] ?? '', /^run 1: what site 1, 3, 4, 5, 6 released/)
  })

  it('takes the word of attesters for a site whose deal is gone, if they agree', async () => {
    const report = await without([(await leafFile(world, keyed(0))).path], () => audit(world))
    assert.deepEqual(verdicts(report), ['masks not taken off: the mask between site 0 and site 2, which dropped out, cannot be made again', 'recomputed'])
    const whole = await buildWorld(join(root, 'whole'), { learner: FEDAVG, rounds: 1, sites: 5, masked: {} })
    const key = whole.events.find((e) => e.kind === 'Keyed')
    const file = await leafFile(whole, key?.kind === 'Keyed' ? key.dealCid : ZERO_DIGEST)
    const taken = await without([file.path], () => audit(whole))
    assert.deepEqual(verdicts(taken), ['recomputed'])
    assert.deepEqual(taken.notes, ['run 1 round 1: the deal of site 0 is not in the stores: its mask was taken off on the word of site 0, 1, 2, 3, 4'])
  })

  it('says that the masks stay on when nobody left anything, and goes on from the stored model', async () => {
    const report = await without(await shownFiles(0), () => audit(world))
    assert.match(
      verdicts(report)[0] ?? '',
      /^masks not taken off: what site 0, 1, 3, 4, 5, 6 released is not in the stores;.*0 of the 5 shares that rebuild the mask of site 0/,
    )
    assert.equal(verdicts(report)[1], 'recomputed')
    assert.equal(report.ok, false)
    assert.deepEqual(report.faults, [])
    const text = auditText(report, plain)
    assert.match(text, /✗ run 1 round 1: masks not taken off: /)
    assert.match(text, /The masks of 1 of 2 rounds could not be taken off: what sites released is missing\.$/)
  })

  it('names the block of an update, a deal or a release in which one byte is changed', async () => {
    const update = await leafFile(world, world.made[0]?.updates.get(siteId(3)) as Digest)
    const key = await leafFile(world, keyed(4))
    const shown = await rootFile(world, world.made[0]?.shown.get(siteId(5)) as Digest)
    for (const [path, at, about, named] of [
      [update.path, 40, 'update', /^update of site 3 .* no longer hashes to its CID; .*leaf 0 differs from the sum less the other updates$/],
      [key.path, 40, 'masks', /^deal of site 4 .* no longer hashes to its CID/],
      [shown, 20, 'masks', /^what site 5 took off the sum .* no longer hashes to its name$/],
    ] as const) {
      const mend = await flip(path, at)
      const report = await audit(world)
      await mend()
      assert.match(verdicts(report)[0] ?? '', /^does not hold/)
      assert.equal(report.ok, false)
      assert.match(messages(report)[0] ?? '', named)
      assert.equal(report.faults[0]?.about, about)
    }
    assert.deepEqual(verdicts(await audit(world)), ['recomputed', 'recomputed'])
  })

  it('does not open under the terms of another chain', async () => {
    const elsewhere = world.events.map((event) =>
      event.kind === 'RoundOpened' && event.round === 1 ? { ...event, awaited: (event.awaited | 512n) as Bitmap } : event,
    )
    const report = await audit(world, { events: elsewhere })
    assert.match(messages(report)[0] ?? '', /^site 0 keyed with a deal of another round, key epoch or member set$/)
  })
})

describe('an audit that finds a liar in a masked round', () => {
  const other = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === 7 ? byte ^ 1 : byte))
  const wrongShare = (release: Release, about: number): Release => {
    const place = sitesOf(release.about).indexOf(siteId(about))
    return { ...release, shares: release.shares.with(place, other(release.shares[place] as Uint8Array)) }
  }

  it('names who released a wrong share; the round holds by the others', async () => {
    const report = await audit(await build({ release: (release, site) => (site === 4 ? wrongShare(wrongShare(release, 2), 5) : release) }))
    assert.deepEqual(verdicts(report), ['recomputed'])
    assert.deepEqual(report.notes, [
      'run 1 round 1: site 4 released a wrong share of the mask of site 2',
      'run 1 round 1: site 4 released a wrong share of the mask of site 5',
    ])
  })

  it('names who dropped out and had hidden a false secret of a pair, though all its shares are right', async () => {
    // What it hid of site 1, or all but a byte of what it hid last.
    for (const [site, change] of [
      [DROPPED, (event: KeyedEvent) => hidingOtherIn(event, [siteId(1)])],
      [siteId(6), (event: KeyedEvent) => ({ ...event, heldDeals: event.heldDeals.slice(0, -2) })],
    ] as const) {
      const lied = await build({ dropped: [site], unmasking: (made) => ({ ...made, seeds: new Map([...made.seeds].filter(([of]) => of !== site)) }) })
      assert.deepEqual(verdicts(await audit(lied)), ['recomputed'])
      const report = await audit(lied, { events: rewrite(lied, 'Keyed', (event) => (event.site === site ? change(event) : event)) })
      assert.deepEqual(verdicts(report), [`masks not taken off: the shares of the mask of site ${site} do not rebuild what its deal commits to`])
      assert.deepEqual(report.notes, [`run 1 round 1: site ${site} dealt shares of another secret than it committed to`])
    }
  })

  it('names who tells a wrong seed', async () => {
    const report = await audit(
      await build({
        unmasking: (made) => (made.site === 6 ? { ...made, seeds: new Map(made.seeds).set(siteId(1), other(made.seeds.get(siteId(1)) as Uint8Array)) } : made),
      }),
    )
    assert.deepEqual(verdicts(report), ['recomputed'])
    assert.deepEqual(report.notes, ['run 1 round 1: site 6 tells a wrong seed of the mask of site 1'])
  })

  it('names who keyed with what is no deal of its own, of this round', async () => {
    const deal = await audit(
      await build({ deal: (made) => (made.index.dealer === 3 ? { ...made, index: { ...made.index, ctx: other(made.index.ctx) } } : made) }),
    )
    assert.match(messages(deal)[0] ?? '', /^site 3 keyed with a deal of another round, key epoch or member set$/)
    const without3 = await audit(
      await build({
        deal: (made) => (made.index.dealer === 3 ? { ...made, index: { ...made.index, to: withoutSite(made.index.to, siteId(3)) }, parcels: [] } : made),
      }),
    )
    assert.match(messages(without3)[0] ?? '', /^site 3 keyed with what is no deal: /)
    const { dealDigest, dealCid } = world.events.find((e) => e.kind === 'Keyed' && e.site === 4 && e.round === 1) as Extract<ChainEvent, { kind: 'Keyed' }>
    const borrowed = rewrite(world, 'Keyed', (event) => (event.site === 3 && event.round === 1 ? { ...event, dealDigest, dealCid } : event))
    const said = messages(await audit(world, { events: borrowed }))
    // Nobody holds that as its deal.
    assert.ok(said.includes('site 3 is in the set and shares masks with too few others'))
    const otherCid = rewrite(world, 'Keyed', (event) =>
      event.site === 3 && event.round === 1 ? { ...event, dealCid: `${dealCid.slice(0, -2)}00` as Digest } : event,
    )
    assert.ok(messages(await audit(world, { events: otherCid })).includes('site 3 is in the set and shares masks with too few others'))
  })

  it('names who showed shares about another frozen set, or attested with what another took off', async () => {
    const set = await audit(
      await build({
        unmasking: (made) =>
          made.site === 1 ? { ...made, release: { ...made.release, release: { ...made.release.release, survivors: (made.survivors ^ 4n) as never } } } : made,
      }),
    )
    assert.match(messages(set)[0] ?? '', /^site 1 released shares about another frozen set$/)
    const own = world.made[0]?.shown.get(siteId(0)) as Digest
    const borrowed = rewrite(world, 'Attested', (event) => (event.site === 5 && event.round === 1 ? { ...event, own } : event))
    assert.match(messages(await audit(world, { events: borrowed }))[0] ?? '', /^site 5 attested with what site 0 took off the sum$/)
  })

  it('names who proves to hold another model', async () => {
    const report = await audit(await build({ unmasking: (made) => (made.site < 5 ? { ...made, proof: other(made.proof) } : made) }))
    assert.match(messages(report)[0] ?? '', /^only 2 of the 4 sites needed proved that they held the model; not site 0, 1, 3, 4$/)
  })

  it('says when a site is in whose deals too few held', async () => {
    const lonely = rewrite(world, 'Keyed', (event) => ({
      ...event,
      ...(event.site === 0 ? { holds: 6n as Bitmap, heldDeals: event.heldDeals.slice(0, 2 + 2 * 2 * NAME_BYTES) } : {}),
    }))
    assert.ok(messages(await audit(world, { events: lonely })).includes('site 0 is in the set and shares masks with too few others'))
  })
})
