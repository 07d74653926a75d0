/**
 * What every `Chain` does, on the Solidity contracts behind an endpoint as in memory:
 *
 * a round      opens by turns, takes contributions, freezes what two custodians hold, publishes, attests, closes, opens the next
 * late, twice  a duplicate or late call has reaction 'ignore'; a late attestation is no error
 * silence      a limit that has passed moves the phase on; a silent leader is replaced; a silent site shrinks the set
 * disagreement a wrong sum is discarded, a refused result keeps the base
 * more time    an awaited site that asks in time begins the limit of contributing anew, once a round
 * masked       sites have keys before they contribute; who has none is out; where they do not all hold the same deals these are justified first, else it counts as abstained; calls name the block in which their phase began; one set of updates of a model is published: anew once who shares its secrets is back, as often as it takes
 * privacy      a contribution to an accounted study is charged to a dataset first, and refused above the limit
 * trouble      abstain, void, three voids pause, ready resumes, halt ends an exact run
 * membership   a withdrawn site's calls fail; its absence makes a new epoch due
 * consent      terms, roots, withdrawals by relay, many at once and by an ombudsman, declarations
 * events       in order, by run and kind; listeners are woken
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { bitmapOf, has, sizeOf, withSite } from '#base/bitmap.ts'
import { type ErrorCode, isRotaError, type Reaction } from '#base/errors.ts'
import { type Address, attemptNo, type Digest, digest, type RoundNo, type RunId, roundNo, type SiteId, type StudyId, siteId, ZERO_DIGEST } from '#base/ids.ts'
import { heldDealsOf, nameOfDeal } from '#core/masking/held-deals.ts'
import type { AttestStatus, Chain, ChainEventBody, ModelRef, PrivacyPolicy, RunView } from '#ports/chain.ts'

export interface ChainWorld {
  /** One for each founder, by its node account; site i is chains[i]. */
  readonly chains: readonly Chain[]
  /** Publishes a study (by site 0), approves it for all sites, publishes epoch 0. */
  makeStudy(options: WorldStudy): Promise<StudyId>
  /** The site's steward withdraws it, or approves again. */
  withdrawSite(site: SiteId, study: StudyId): Promise<void>
  approve(site: SiteId, study: StudyId): Promise<void>
  /** Lets chain time pass: at least so many seconds and empty blocks. */
  advance(seconds: number, blocks: number): Promise<void>
  /** A patient's one-time key over Withdraw(programme, tag). */
  signWithdrawal(programme: Digest, blind: Digest): Promise<{ readonly patientKey: Address; readonly signature: string; readonly tag: Digest }>
  /** The port for site 0's steward. */
  steward(): Promise<Chain>
  /** The key of an ombudsman over OmbudsmanWithdraw(programme, tag). */
  signAsOmbudsman(programme: Digest, tag: Digest): Promise<{ readonly ombudsman: Address; readonly signature: string }>
  stop(): Promise<void>
}

export interface WorldStudy {
  readonly minSites: number
  readonly quorum: number
  readonly exact: boolean
  readonly maxRounds: number
  /** Default open. */
  readonly mode?: 'open' | 'masked'
  /** The first so many sites approve it; default all. */
  readonly members?: number
  /** Makes it accounted before anybody approves it. */
  readonly policy?: PrivacyPolicy
  /** Of every phase. */
  readonly limit: { readonly seconds: number; readonly blocks: number }
}

/** Longer than any phase takes when each transaction makes a block. */
const LIMIT = { seconds: 60, blocks: 40 }
/** Of four sites; the fifth is in masked studies alone. */
const STUDY: WorldStudy = { members: 4, minSites: 3, quorum: 2, exact: true, maxRounds: 50, limit: LIMIT }
const MASKED: Partial<WorldStudy> = { mode: 'masked', members: 5, minSites: 5, quorum: 4 }

const named = (name: string): Digest => digest(`0x${createHash('sha256').update(name).digest('hex')}`)
const modelOf = (name: string): ModelRef => ({ root: named(`${name} root`), cid: named(`${name} cid`) })
const NO_MODEL: ModelRef = { root: ZERO_DIGEST, cid: ZERO_DIGEST }

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest())

const sha256Of = (hex: string): Digest =>
  digest(
    `0x${createHash('sha256')
      .update(Buffer.from(hex.slice(2), 'hex'))
      .digest('hex')}`,
  )

const fails = (call: Promise<unknown>, code: ErrorCode, reaction: Reaction) =>
  assert.rejects(call, (error) => {
    assert.ok(isRotaError(error), `not an error of the catalogue: ${String(error)}`)
    assert.deepEqual([error.code, error.reaction], [code, reaction], error.message)
    return true
  })

const dealOf = (site: number, round: RoundNo) => ({ dealDigest: named(`deal ${site} ${round}`), dealCid: named(`deal cid ${site} ${round}`) })

/** By which deals, and what the caller hides of those below it, as the chain has it. */
const heldBy = (site: number, holds: readonly number[], round: RoundNo): string =>
  heldDealsOf(bitmapOf(holds.map(siteId)), (dealer) => ({
    name: nameOfDeal(dealOf(dealer, round), sha256),
    hidden: dealer < site ? named(`hidden ${dealer} ${site} ${round}`).slice(2) : null,
  }))

/** A run of its own in a study of its own, and the usual acts of its sites. */
async function openRun(world: ChainWorld, study: Partial<WorldStudy> = {}) {
  const studyNo = await world.makeStudy({ ...STUDY, ...study })
  const first = world.chains[0] as Chain
  const run = await first.openRun(studyNo, modelOf('initial'))
  return actsOf(world, studyNo, run, { ...STUDY, ...study }.members ?? world.chains.length)
}

function actsOf(world: ChainWorld, study: StudyId, run: RunId, members: number) {
  const all = Array.from({ length: members }, (_, i) => i)
  const at = (site: number): Chain => world.chains[site] as Chain
  const view = (): Promise<RunView> => at(0).run(run)
  const contribute = (site: number, round: RoundNo) =>
    at(site).contribute(run, round, named(`update ${site} ${round}`), named(`cid ${site} ${round}`), named(`cohort ${site}`))
  const key = (site: number, round: RoundNo, holds: readonly number[] = all.filter((other) => other !== site)) => {
    const { dealDigest, dealCid } = dealOf(site, round)
    return at(site).key(run, round, dealDigest, dealCid, bitmapOf(holds.map(siteId)), heldBy(site, holds, round))
  }
  const witness = (site: number, round: RoundNo, held: readonly number[]) => at(site).witness(run, round, 0, bitmapOf(held.map(siteId)))
  const publish = (site: number, round: RoundNo, attempt = 0) =>
    at(site).publish(run, round, attemptNo(attempt), named(`sum ${round}`), named(`sum cid ${round}`))
  const attest = (site: number, round: RoundNo, status: AttestStatus = 'continue', model: ModelRef = modelOf(`after ${round}`), attempt = 0) =>
    at(site).attest(run, round, attemptNo(attempt), model, status, named(`own ${site}`))
  const leaderOf = ({ round }: RunView): SiteId => round.rota[round.turn] as SiteId

  /** Sites contribute, custodians (places 0 to 2 from the turn) witness them all: the round stands in Publishing. */
  const toPublishing = async (sites: readonly number[] = all) => {
    const { round, rota, turn } = (await view()).round
    for (const site of sites) await contribute(site, round)
    for (const place of [0, 1, 2]) {
      const now = (await view()).round
      if (now.round === round && now.phase === 'Witnessing') await witness(rota[(turn + place) % rota.length] as SiteId, round, sites)
    }
    return round
  }
  return { study, run, all, at, view, key, contribute, witness, publish, attest, leaderOf, toPublishing }
}

/** A site sees its own calls at once; those of others when its endpoint has announced them. */
async function soon<T>(read: () => Promise<readonly T[]>, least: number): Promise<readonly T[]> {
  for (const end = Date.now() + 10_000; ; await sleep(5)) {
    const found = await read()
    if (found.length >= least || Date.now() > end) return found
  }
}

/** Of a masked round, whose blocks calls name. */
const beginnings = async (chain: Chain, run: RunId, least: number) =>
  (await soon(() => chain.events(0, { run, kinds: ['PhaseBegan', 'ContributingExtended'] }), least)).filter(
    (e) => e.kind === 'PhaseBegan' || e.kind === 'ContributingExtended',
  )

export function chainCompliance(name: string, makeWorld: (sites: number) => Promise<ChainWorld>): void {
  describe(`${name}: Chain`, { timeout: 120_000 }, () => {
    let world: ChainWorld
    before(async () => {
      world = await makeWorld(5)
    })
    after(() => world?.stop())

    it('tells studies, epochs and sites as they were published', async () => {
      const study = await world.makeStudy(STUDY)
      const chain = world.chains[1] as Chain
      const record = await chain.study(study)
      assert.equal(record.publisher, 0)
      assert.equal(sizeOf(record.approved), 4)
      assert.deepEqual(record.rules.limits.slice(1), [LIMIT, LIMIT, LIMIT, LIMIT])
      assert.deepEqual([record.rules.mode, record.rules.minSites, record.rules.quorum, record.rules.exact], ['open', 3, 2, true])
      assert.deepEqual(await chain.epoch(study, 0), record.epoch)
      assert.equal(record.epoch.members, record.approved)
      assert.ok((await chain.studies()).some(({ id }) => id === study))
      const sites = await chain.sites()
      assert.deepEqual(
        sites.map(({ id, state }) => [id, state]),
        [0, 1, 2, 3, 4].map((id) => [id, 'Active']),
      )
      assert.deepEqual(
        sites.map(({ node }) => node),
        world.chains.map(({ account }) => account),
      )
      await fails(chain.study(999 as StudyId), 'ROTA-5301', 'reject')
      await fails(chain.run(999_999 as RunId), 'ROTA-5110', 'reject')
    })

    it('plays whole rounds, by turns, to the end of a run', async () => {
      const { run, view, at, contribute, witness, publish, attest, leaderOf, study } = await openRun(world)
      const opened = await view()
      assert.deepEqual([opened.state, opened.round.round, opened.round.phase, leaderOf(opened)], ['Active', 1, 'Contributing', 0])
      assert.deepEqual([opened.model, opened.study], [modelOf('initial'), study])
      const first = roundNo(1)

      for (const site of [2, 0, 3]) await contribute(site, first)
      assert.equal((await view()).round.phase, 'Contributing')
      await contribute(1, first)
      const witnessing = (await view()).round
      assert.deepEqual([witnessing.phase, witnessing.custodianPlaces, sizeOf(witnessing.contributed)], ['Witnessing', [3], 4])

      await witness(1, first, [0, 1, 2, 3])
      await witness(2, first, [0, 1, 2, 3])
      const publishing = (await view()).round
      assert.deepEqual([publishing.phase, sizeOf(publishing.included), publishing.publication], ['Publishing', 4, null])

      await publish(0, first)
      const attesting = (await view()).round
      assert.deepEqual(attesting.publication, { attempt: 0, publisher: 0, sumRoot: named('sum 1'), sumCid: named('sum cid 1') })

      for (const site of [3, 1]) await attest(site, first)
      assert.equal((await view()).closedRounds, 0)
      await attest(0, first)
      const second = await view()
      assert.deepEqual([second.closedRounds, second.round.round, second.round.phase, leaderOf(second)], [1, 2, 'Contributing', 1])
      assert.deepEqual(second.model, modelOf('after 1'))
      await attest(2, first) // late, and no error

      const next = await actsOf(world, study, run, 4).toPublishing()
      await publish(1, next)
      for (const site of [0, 1, 2]) await attest(site, next, 'finished')
      assert.deepEqual([(await view()).state, (await view()).closedRounds], ['Finished', 2])
      await fails(contribute(0, roundNo(3)), 'ROTA-5103', 'ignore')
      assert.ok((await at(3).runs()).some((line) => line.run === run && line.study === study && line.state === 'Finished'))
    })

    it('takes late and repeated calls for what they are', async () => {
      const { run, contribute, witness, publish, attest, toPublishing, at } = await openRun(world)
      const one = roundNo(1)
      await contribute(0, one)
      await fails(contribute(0, one), 'ROTA-5104', 'ignore')
      await fails(contribute(1, roundNo(7)), 'ROTA-5101', 'ignore')
      await fails(witness(0, one, [0]), 'ROTA-5102', 'ignore')
      await fails(at(1).contribute(run, one, ZERO_DIGEST, named('x'), named('x')), 'ROTA-5116', 'reject')
      for (const site of [1, 2, 3]) await contribute(site, one)
      await fails(contribute(3, one), 'ROTA-5102', 'ignore')
      await fails(witness(3, one, [0, 1]), 'ROTA-5107', 'ignore')
      await witness(0, one, [0, 1, 2])
      await fails(witness(0, one, [0, 1, 2, 3]), 'ROTA-5104', 'ignore')
      await witness(1, one, [0, 1, 2, 3])
      await witness(2, one, [0, 1, 2, 3])
      await fails(publish(1, one), 'ROTA-5106', 'retry')
      await fails(publish(0, one, 1), 'ROTA-5105', 'ignore')
      await publish(0, one)
      await attest(1, one)
      await fails(attest(1, one), 'ROTA-5104', 'ignore')
      await fails(attest(2, one, 'wrongSum'), 'ROTA-5116', 'reject')
      await attest(2, one)
      await attest(3, one)
      await fails(publish(1, one), 'ROTA-5101', 'ignore')
      await toPublishing()
      await attest(0, one)
    })

    it('takes a contribution for the opening of its round that stands', async () => {
      const { run, at } = await openRun(world)
      const one = roundNo(1)
      const [opened] = await soon(() => at(1).events(0, { run, kinds: ['RoundOpened'] }), 1)
      assert.ok(opened?.kind === 'RoundOpened' && opened.opening !== undefined)
      const contribute = (opening: Digest) => at(1).contribute(run, one, named('update'), named('cid'), named('cohort'), opening)
      await fails(contribute(named('another block')), 'ROTA-5130', 'retry')
      await contribute(opened.opening)
      await fails(contribute(opened.opening), 'ROTA-5104', 'ignore')
    })

    it('gives turns to draw the next key', async () => {
      const study = await world.makeStudy(STUDY)
      const draw = (site: number) => (world.chains[site] as Chain).publishEpoch(study, 1, named('commitment'), named('bundle'))
      await (world.chains[2] as Chain).reportEpoch(study, 0)
      await fails(draw(0), 'ROTA-5317', 'retry')
      await draw(1)
      await fails(draw(0), 'ROTA-5307', 'ignore')
    })

    it('lets a standby publish for a silent leader, which is then passed over', async () => {
      const { publish, attest, toPublishing, view, leaderOf, run, at } = await openRun(world)
      const round = await toPublishing()
      await fails(publish(1, round), 'ROTA-5106', 'retry')
      await world.advance(LIMIT.seconds / 3, Math.ceil(LIMIT.blocks / 3))
      await fails(publish(2, round), 'ROTA-5106', 'retry')
      await publish(1, round)
      for (const site of [1, 2, 3]) await attest(site, round)
      assert.equal(leaderOf(await view()), 1)
      for (const expected of [1, 2, 3]) {
        const now = await view()
        assert.equal(leaderOf(now), expected)
        await publish(expected, await toPublishing())
        for (const site of [1, 2, 3]) await attest(site, now.round.round)
      }
      // Place 0 would be next; it missed its turn.
      assert.notEqual(leaderOf(await view()), 0)
      const published = await soon(() => at(0).events(0, { run, kinds: ['Published'] }), 4)
      assert.deepEqual(
        published.map((event) => 'site' in event && event.site),
        [1, 1, 2, 3],
      )
    })

    it('goes on without a silent site, and does not wait for it again', async () => {
      const { contribute, witness, publish, attest, view, run, at } = await openRun(world)
      const one = roundNo(1)
      for (const site of [0, 1, 2]) await contribute(site, one)
      await at(0).tick(run)
      assert.equal((await view()).round.phase, 'Contributing')
      await world.advance(LIMIT.seconds, LIMIT.blocks)
      await at(3).tick(run)
      assert.equal((await view()).round.phase, 'Witnessing')
      // What only one custodian holds is left out.
      await witness(0, one, [0, 1, 2])
      await witness(1, one, [0, 1])
      await witness(2, one, [0, 1])
      assert.equal((await view()).round.included, bitmapOf([0, 1].map(siteId)))
      await publish(0, one)
      for (const site of [0, 1]) await attest(site, one)
      await fails(attest(3, one), 'ROTA-5115', 'ignore')
      assert.equal((await view()).round.awaited, bitmapOf([0, 1, 2].map(siteId)))
      await at(3).ready(run)
      await fails(at(3).ready(run), 'ROTA-5108', 'ignore')
    })

    it('does not wait for a site that abstains', async () => {
      const { contribute, view, run, at } = await openRun(world)
      for (const site of [0, 1, 2]) await contribute(site, roundNo(1))
      await at(3).abstain(run, roundNo(1), 'differencing')
      const { phase, abstained } = (await view()).round
      assert.deepEqual([phase, has(abstained, siteId(3))], ['Witnessing', true])
      const events = await soon(() => at(0).events(0, { run, kinds: ['Abstained'] }), 1)
      assert.deepEqual(
        events.map((event) => 'reason' in event && event.reason),
        [2],
      )
    })

    it('gives a site that asks in time the limit of contributing once more', async () => {
      const { contribute, view, run, at } = await openRun(world)
      const one = roundNo(1)
      for (const site of [0, 1]) await contribute(site, one)
      await fails(at(0).extend(run, one), 'ROTA-5104', 'ignore')
      assert.equal((await view()).round.extended, false)
      await world.advance(Math.ceil((2 * LIMIT.seconds) / 3), Math.ceil((2 * LIMIT.blocks) / 3))
      await at(3).extend(run, one)
      const { extended, phase, since } = (await view()).round
      const [event] = await soon(() => at(0).events(0, { run, kinds: ['ContributingExtended'] }), 1)
      assert.deepEqual([extended, phase, since.block, since.timestamp], [true, 'Contributing', event?.block, event?.timestamp])
      assert.deepEqual(event?.kind === 'ContributingExtended' && [event.run, event.round, event.site], [run, 1, 3])
      await fails(at(2).extend(run, one), 'ROTA-5126', 'ignore')
      await world.advance(Math.ceil((2 * LIMIT.seconds) / 3), Math.ceil((2 * LIMIT.blocks) / 3))
      await contribute(3, one)
      assert.equal((await view()).round.phase, 'Contributing')
      await world.advance(LIMIT.seconds, LIMIT.blocks)
      await fails(at(2).extend(run, one), 'ROTA-5102', 'ignore')
      await at(2).tick(run)
      assert.equal((await view()).round.phase, 'Witnessing')
    })

    it('gives none to a site that nobody waits for', async () => {
      const { publish, attest, toPublishing, view, run, at, contribute } = await openRun(world)
      for (const site of [0, 1, 2]) await contribute(site, roundNo(1))
      await at(3).abstain(run, roundNo(1), 'maintenance')
      for (const place of [0, 1]) await at(place).witness(run, roundNo(1), 0, bitmapOf([0, 1, 2].map(siteId)))
      await publish(0, roundNo(1))
      for (const site of [0, 1]) await attest(site, roundNo(1))
      assert.deepEqual([(await view()).round.round, (await view()).round.extended], [2, false])
      await fails(at(3).extend(run, roundNo(2)), 'ROTA-5127', 'ignore')
      await toPublishing([0, 1, 2])
    })

    it('adds places to the rota when custodians are silent, and voids when all were asked', async () => {
      const { contribute, witness, view, run, at, all } = await openRun(world)
      for (const site of all) await contribute(site, roundNo(1))
      await witness(1, roundNo(1), all)
      await world.advance(LIMIT.seconds, LIMIT.blocks)
      await at(3).tick(run)
      assert.deepEqual((await view()).round.custodianPlaces, [4])
      await world.advance(LIMIT.seconds, LIMIT.blocks)
      await at(3).tick(run)
      const now = await view()
      assert.deepEqual([now.round.round, now.round.phase, now.voidsInARow], [2, 'Contributing', 1])
    })

    it('pauses after three voids, and goes on when more than half are ready', async () => {
      const { view, run, at } = await openRun(world)
      for (let voids = 1; voids <= 3; voids++) {
        await world.advance(LIMIT.seconds, LIMIT.blocks)
        await at(voids).tick(run)
      }
      assert.equal((await view()).state, 'Paused')
      await fails(at(0).contribute(run, roundNo(3), named('a'), named('b'), named('c')), 'ROTA-5103', 'ignore')
      await at(0).ready(run)
      await at(1).ready(run)
      assert.equal((await view()).state, 'Paused')
      await at(2).ready(run)
      const now = await view()
      assert.deepEqual([now.state, now.round.round, now.voidsInARow, now.ready], ['Active', 4, 0, 0n])
    })

    it('halts an exact run at the word of one member, and no other run', async () => {
      const exact = await openRun(world)
      await exact.at(2).halt(exact.run, 'cohortChanged')
      assert.equal((await exact.view()).state, 'Halted')
      const changes = await soon(() => exact.at(0).events(0, { run: exact.run, kinds: ['RunStateChanged'] }), 1)
      assert.deepEqual(
        changes.map((event) => event.kind === 'RunStateChanged' && [event.state, event.site, event.reason]),
        [['Halted', 2, 5]],
      )
      const other = await openRun(world, { exact: false })
      await fails(other.at(2).halt(other.run, 'cohortChanged'), 'ROTA-5117', 'reject')
    })

    it("discards a wrong sum and takes the next place's", async () => {
      const { publish, attest, toPublishing, view } = await openRun(world)
      const round = await toPublishing()
      await publish(0, round)
      for (const site of [1, 2, 3]) await attest(site, round, 'wrongSum', NO_MODEL)
      const now = (await view()).round
      assert.deepEqual([now.phase, now.attempt, now.firstPlace, now.publications, now.publication], ['Publishing', 1, 1, 1, null])
      await publish(1, round, 1)
      for (const site of [1, 2, 3]) await attest(site, round, 'continue', modelOf('right'), 1)
      assert.deepEqual((await view()).model, modelOf('right'))
    })

    it('takes no dispute where vectors are not masked: a leaf would show what it sums up', async () => {
      const { run, at, view } = await openRun(world)
      const leaf = { leaf: new Uint8Array(1024), path: [named('sibling')] }
      const evidence = { wordBits: 64, leaf: 0, leaves: 2, contributions: [{ site: siteId(0), root: named('a') }], updates: [leaf], sum: leaf } as const
      await fails(at(1).dispute(run, roundNo(1), evidence), 'ROTA-5118', 'reject')
      await fails(at(1).dispute(run, roundNo(1), { ...evidence, updates: Array.from({ length: 65 }, () => leaf) }), 'ROTA-5118', 'reject')
      assert.equal((await view()).round.phase, 'Contributing')
    })

    it('takes keys first where vectors are masked, and updates of those alone who have them', async () => {
      const { run, at, all, view, key, contribute, witness, publish, attest } = await openRun(world, MASKED)
      const one = roundNo(1)
      assert.deepEqual([(await view()).round.phase, (await view()).round.keyed], ['Keying', 0n])
      await fails(contribute(0, one), 'ROTA-5102', 'ignore')
      await fails(at(0).key(run, one, ZERO_DIGEST, named('cid'), bitmapOf([]), '0x'), 'ROTA-5116', 'reject')
      await fails(key(0, one, [1, 5]), 'ROTA-5116', 'reject')
      await fails(key(0, one, [0, 1]), 'ROTA-5116', 'reject')
      // A name for each, and what is hidden of those below the caller: neither more nor less, nor as another would have to say it.
      for (const [site, wrong] of [
        [2, ['0x', heldBy(2, [0], one), `${heldBy(2, [0, 3], one)}00`, heldBy(2, [0, 1, 3], one), heldBy(0, [0, 3], one)]],
        [4, ['0x', heldBy(2, [0, 3], one), heldBy(4, [0, 3], one).slice(0, -2), heldBy(4, [0], one)]],
      ] as const)
        for (const heldDeals of wrong)
          await fails(at(site).key(run, one, named('deal'), named('cid'), bitmapOf([0, 3].map(siteId)), heldDeals), 'ROTA-5116', 'reject')
      for (const site of [0, 1, 2, 3])
        await key(
          site,
          one,
          [0, 1, 2, 3].filter((other) => other !== site),
        )
      await fails(key(1, one), 'ROTA-5104', 'ignore')
      await world.advance(LIMIT.seconds, LIMIT.blocks)
      await contribute(0, one)
      const { phase, keyed, awaited } = (await view()).round
      assert.deepEqual([phase, keyed, awaited], ['Contributing', bitmapOf([0, 1, 2, 3].map(siteId)), bitmapOf([0, 1, 2, 3].map(siteId))])
      await fails(contribute(4, one), 'ROTA-5128', 'ignore')
      await fails(key(4, one), 'ROTA-5102', 'ignore')
      for (const site of [1, 2, 3]) await contribute(site, one)
      for (const place of [0, 1]) await witness(place, one, [0, 1, 2, 3])
      await publish(0, one)
      for (const site of [0, 1, 2]) await attest(site, one)
      const next = await view()
      assert.deepEqual([next.round.round, next.round.phase, next.round.keyed, all.length], [2, 'Keying', 0n, 5])
      const told = (await soon(() => at(1).events(0, { run, kinds: ['Keyed'] }), 4)).map(
        (e) => e.kind === 'Keyed' && [e.site, e.holds, e.heldDeals, e.dealDigest, e.dealCid],
      )
      assert.deepEqual(told[2], [2, bitmapOf([0, 1, 3].map(siteId)), heldBy(2, [0, 1, 3], one), named('deal 2 1'), named('deal cid 2 1')])
      assert.equal(told.length, 4)
    })

    it('has who keyed justify deals that not all of them hold, before they contribute', async () => {
      const { run, at, all, view, key, contribute } = await openRun(world, MASKED)
      const one = roundNo(1)
      const stands = async () => {
        const { phase, keyed, justifying, justified } = (await view()).round
        return [phase, sizeOf(keyed), justifying, [...all.filter((site) => has(justified, siteId(site)))]]
      }
      const justify = (site: number, justification = '0x', began?: Digest) => at(site).justify(run, one, justification, began)
      await fails(justify(0), 'ROTA-5132', 'ignore')
      for (const site of [0, 1, 2]) await key(site, one)
      await key(3, one, [0, 1])
      assert.deepEqual(await stands(), ['Keying', 4, false, []])
      await world.advance(LIMIT.seconds, LIMIT.blocks)
      await at(0).tick(run)
      assert.deepEqual(await stands(), ['Keying', 4, true, []])
      await fails(key(4, one), 'ROTA-5131', 'ignore')
      await fails(justify(4), 'ROTA-5128', 'ignore')
      await fails(contribute(0, one), 'ROTA-5102', 'ignore')
      const [{ began: limit } = {}] = await beginnings(at(0), run, 1)
      assert.ok(limit !== undefined)
      await fails(justify(2, '0xc0ffee', named('another block')), 'ROTA-5130', 'retry')
      await fails(justify(2, `0x${'5a'.repeat(115_201)}`, limit), 'ROTA-5116', 'reject')
      await justify(2, '0xc0ffee', limit)
      await fails(justify(2), 'ROTA-5104', 'ignore')
      await justify(0)
      await justify(1)
      assert.deepEqual(await stands(), ['Keying', 4, true, [0, 1, 2]])
      await justify(3)
      assert.deepEqual(await stands(), ['Contributing', 4, false, [0, 1, 2, 3]])
      await fails(justify(1), 'ROTA-5102', 'ignore')
      const told = await soon(() => at(1).events(0, { run, kinds: ['Justified', 'PhaseBegan'] }), 6)
      assert.deepEqual(
        told.map((e) => (e.kind === 'Justified' ? [e.site, e.justification] : e.kind === 'PhaseBegan' && e.phase)),
        ['Keying', [2, '0xc0ffee'], [0, '0x'], [1, '0x'], [3, '0x'], 'Contributing'],
      )
    })

    it('counts who justified nothing until the limit as one who abstained', async () => {
      const { run, at, view, key, contribute } = await openRun(world, MASKED)
      const one = roundNo(1)
      for (const site of [0, 1, 2, 3]) await key(site, one)
      await key(4, one, [0, 1])
      for (const site of [0, 1, 2, 4]) await at(site).justify(run, one, '0x')
      await world.advance(LIMIT.seconds, LIMIT.blocks)
      await at(0).tick(run)
      const { phase, keyed, awaited, abstained } = (await view()).round
      const of = (...sites: readonly number[]) => bitmapOf(sites.map(siteId))
      assert.deepEqual([phase, keyed, awaited, abstained], ['Contributing', of(0, 1, 2, 3, 4), of(0, 1, 2, 4), of(3)])
      await fails(contribute(3, one), 'ROTA-5104', 'ignore')
      assert.deepEqual(await at(0).events(0, { run, kinds: ['Abstained'] }), [])
    })

    it('is void once too few are left of those who are to justify', async () => {
      const { run, at, view, key } = await openRun(world, MASKED)
      const one = roundNo(1)
      for (const site of [0, 1, 2, 3]) await key(site, one)
      await key(4, one, [0, 1])
      for (const site of [0, 1, 2]) await at(site).justify(run, one, '0x')
      for (const site of [3, 4]) await at(site).abstain(run, one, 'unspecified')
      const { state, voidsInARow, round } = await view()
      assert.deepEqual([state, voidsInARow, round.round, round.phase, round.justifying], ['Active', 1, 2, 'Keying', false])
    })

    it('takes a masked contribution for the block in which Contributing began, or began anew', async () => {
      const { run, at, all, key } = await openRun(world, MASKED)
      const one = roundNo(1)
      for (const site of all) await key(site, one)
      const contribute = (site: number, opening: Digest) => at(site).contribute(run, one, named(`update ${site}`), named('cid'), named('cohort'), opening)
      const [opened] = await soon(() => at(1).events(0, { run, kinds: ['RoundOpened'] }), 1)
      const [began] = await beginnings(at(1), run, 1)
      assert.ok(opened?.kind === 'RoundOpened' && opened.opening !== undefined && began?.began !== undefined)
      for (const other of [opened.opening, named('another block')]) await fails(contribute(1, other), 'ROTA-5130', 'retry')
      await contribute(1, began.began)
      await at(2).extend(run, one)
      const [, anew] = await beginnings(at(2), run, 2)
      assert.ok(anew?.kind === 'ContributingExtended' && anew.began !== undefined)
      await fails(contribute(2, began.began), 'ROTA-5130', 'retry')
      await contribute(2, anew.began)
      await contribute(3, ZERO_DIGEST)
    })

    it('publishes a masked set anew once so many of it are back that they can unmask it, as often as it takes', async () => {
      const { run, all, view, key, contribute, witness, publish, attest, at } = await openRun(world, MASKED)
      const one = roundNo(1)
      const state = async () => {
        const { state, voidsInARow, round } = await view()
        return [state, voidsInARow, round.phase, round.attempt, round.firstPlace]
      }
      /** All publications that are left, from the place of the next. */
      const spend = async (attempt: number) => {
        for (const place of all) {
          await publish(place, one, attempt + place)
          for (const site of [0, 1, 2]) await attest(site, one, 'wrongSum', NO_MODEL, attempt + place)
        }
      }
      for (const site of all) await key(site, one)
      for (const site of all) await contribute(site, one)
      for (const place of [0, 1]) await witness(place, one, all)
      await spend(0)
      assert.deepEqual(await state(), ['Paused', 0, 'Publishing', 5, 0])
      await fails(publish(0, one, 5), 'ROTA-5103', 'ignore')
      for (const site of [0, 1, 2]) await at(site).ready(run)
      await at(0).tick(run)
      assert.equal((await view()).state, 'Paused', 'more than half are ready, and could not unmask it')
      await at(3).ready(run)
      assert.deepEqual(await state(), ['Active', 0, 'Publishing', 5, 0])
      await publish(0, one, 5)
      await world.advance(LIMIT.seconds, LIMIT.blocks)
      await at(0).tick(run)
      assert.deepEqual(await state(), ['Active', 0, 'Publishing', 6, 1])
      await world.advance(2 * LIMIT.seconds, 2 * LIMIT.blocks)
      await at(0).tick(run)
      assert.deepEqual(await state(), ['Paused', 0, 'Publishing', 6, 0], 'nobody published in time')
      for (const site of all.slice(1)) await at(site).ready(run)
      for (const attempt of [6, 7, 8, 9, 10]) {
        await publish(attempt - 6, one, attempt)
        for (const site of [0, 1, 2]) await attest(site, one, 'wrongSum', NO_MODEL, attempt)
      }
      assert.deepEqual(await state(), ['Paused', 0, 'Publishing', 11, 0])
      for (const site of [0, 1, 2, 3]) await at(site).ready(run)
      await publish(0, one, 11)
      for (const site of [0, 1, 2]) await attest(site, one, 'continue', modelOf('unmasked'), 11)
      assert.deepEqual([(await view()).round.round, (await view()).model], [2, modelOf('unmasked')])
      const told = await soon(() => at(0).events(0, { run, kinds: ['RoundVoid', 'RunStateChanged'] }), 6)
      assert.deepEqual(
        told.map((e) => e.kind === 'RunStateChanged' && [e.state, e.site, e.reason]),
        [
          ['Paused', null, 2],
          ['Active', 3, 0],
          ['Paused', null, 2],
          ['Active', 4, 0],
          ['Paused', null, 2],
          ['Active', 3, 0],
        ],
      )
    })

    it('charges a dataset before it takes a contribution, up to the limit of the study', async () => {
      const lanes = (n: bigint) => Array.from({ length: 8 }, (_, i) => n << BigInt(32 * i)).reduce((a, b) => a | b)
      const policy = { charge: lanes(100n), limit: lanes(250n) }
      const { run, study, at, contribute } = await openRun(world, { policy })
      const [one, two, three] = [roundNo(1), roundNo(2), roundNo(3)]
      const rows = named('rows of site 0')
      assert.deepEqual(await at(1).policy(study), policy)
      await fails(contribute(0, one), 'ROTA-5129', 'reject')
      await at(0).charge(run, one, rows)
      await contribute(0, one)
      await fails(at(0).charge(run, one, rows), 'ROTA-5104', 'ignore')
      await fails(at(0).charge(run, two, ZERO_DIGEST), 'ROTA-5116', 'reject')
      await at(0).charge(run, two, rows)
      await fails(at(0).charge(run, three, rows), 'ROTA-5313', 'reject')
      assert.deepEqual([await at(0).spent(siteId(0), rows), await at(0).spent(siteId(1), rows)], [lanes(200n), 0n])
      const told = await soon(() => at(0).events(0, { run, kinds: ['Charged'] }), 2)
      assert.deepEqual(
        told.map((e) => e.kind === 'Charged' && [e.site, e.round, e.dataset, e.spent]),
        [
          [0, 1, rows, lanes(100n)],
          [0, 2, rows, lanes(200n)],
        ],
      )
      const plain = await openRun(world)
      assert.equal(await at(0).policy(plain.study), null)
      await fails(at(0).charge(plain.run, one, rows), 'ROTA-5312', 'ignore')
    })

    it('keeps the base when the result is refused', async () => {
      const { publish, attest, toPublishing, view, run, at } = await openRun(world)
      const round = await toPublishing()
      await publish(0, round)
      for (const site of [0, 1, 2]) await attest(site, round, 'refused', modelOf('base, refused once'))
      const now = await view()
      assert.deepEqual([now.model, now.closedRounds, now.round.round], [modelOf('base, refused once'), 0, 2])
      assert.equal((await soon(() => at(0).events(0, { run, kinds: ['RoundRefused'] }), 1)).length, 1)
    })

    it('ends a run after its last round', async () => {
      const { publish, attest, toPublishing, view } = await openRun(world, { maxRounds: 1 })
      const round = await toPublishing()
      await publish(0, round)
      for (const site of [0, 1, 2]) await attest(site, round)
      assert.equal((await view()).state, 'Finished')
    })

    it('refuses a site that its steward withdrew, and asks for new keys', async () => {
      const { study, contribute, view, at, publish, attest, toPublishing, run } = await openRun(world)
      await world.withdrawSite(siteId(3), study)
      await fails(contribute(3, roundNo(1)), 'ROTA-5111', 'reject')
      await fails(at(3).ready(run), 'ROTA-5112', 'reject')
      const record = await at(0).study(study)
      assert.notEqual(record.approved, record.epoch.members)
      await at(1).publishEpoch(study, 1, named('commitment'), named('bundle'))
      await fails(at(2).publishEpoch(study, 1, named('other'), named('bundle')), 'ROTA-5307', 'ignore')
      assert.equal((await at(0).epoch(study, 1)).members, bitmapOf([0, 1, 2].map(siteId)))
      const round = await toPublishing([0, 1, 2])
      await publish(0, round)
      for (const site of [0, 1]) await attest(site, round)
      const now = (await view()).round
      assert.deepEqual([now.round, now.rota, now.epoch], [2, [0, 1, 2], 1])
      await world.approve(siteId(3), study)
      assert.ok(has((await at(0).study(study)).approved, siteId(3)))
      await world.withdrawSite(siteId(2), study)
      await world.withdrawSite(siteId(3), study)
      await fails(at(0).openRun(study, modelOf('x')), 'ROTA-5114', 'retry')
    })

    it('records consent roots, relays withdrawals once, and takes declarations', async () => {
      const [chain, relay] = world.chains as readonly [Chain, Chain]
      const programme = named('programme')
      await chain.consentRoot(programme, 3, named('root'))
      await fails(chain.consentRoot(programme, 3, named('root')), 'ROTA-5403', 'ignore')
      const blind = named('blind')
      const { patientKey, signature, tag } = await world.signWithdrawal(programme, blind)
      assert.equal(await chain.isWithdrawn(programme, tag), false)
      await fails(relay.withdraw(programme, named('another blind'), patientKey, signature), 'ROTA-5402', 'reject')
      await relay.withdraw(programme, blind, patientKey, signature)
      assert.equal(await chain.isWithdrawn(programme, tag), true)
      assert.equal(await chain.isWithdrawn(named('another programme'), tag), false)
      await fails(chain.withdraw(programme, blind, patientKey, signature), 'ROTA-5401', 'ignore')
      await chain.audit(2, named('document'))
      const kinds: readonly ChainEventBody['kind'][] = ['ConsentRoot', 'ConsentWithdrawn', 'AuditEntry']
      const events = await soon(() => relay.events(0, { kinds }), kinds.length)
      assert.deepEqual(
        events.map(({ kind }) => kind),
        kinds,
      )
      assert.deepEqual(
        events.flatMap((event) => (event.kind === 'ConsentWithdrawn' ? [event.tag] : [])),
        [tag],
      )
    })

    it('tells terms whole, from the chain alone', async () => {
      const [steward, node] = [await world.steward(), world.chains[0] as Chain]
      try {
        const programme = named('programme with terms')
        const text = `0x${'ab'.repeat(5_000)}`
        const first = { version: 1, digest: sha256Of(text), basis: 'consent', ombudsman: null, expiresAt: 4_102_444_800, text } as const
        await steward.publishTerms(programme, first)
        await fails(steward.publishTerms(programme, first), 'ROTA-5406', 'reject')
        await fails(steward.publishTerms(programme, { ...first, version: 2, digest: named('other') }), 'ROTA-5407', 'reject')
        await fails(node.publishTerms(programme, { ...first, version: 2 }), 'ROTA-5304', 'reject')
        const { ombudsman } = await world.signAsOmbudsman(programme, named('tag'))
        const second = { ...first, version: 2, basis: 'opt-out', ombudsman, text: '0x01', digest: sha256Of('0x01'), expiresAt: 4_102_444_801 } as const
        await steward.publishTerms(programme, second)
        const told = (await steward.events(0, { kinds: ['TermsPublished'] })).map(({ block: _, index: __, timestamp: ___, tx: ____, ...event }) => event)
        assert.deepEqual(
          told,
          [first, second].map((terms) => ({ kind: 'TermsPublished', programme, site: 0, ...terms })),
        )
      } finally {
        await steward.stop()
      }
    })

    it('relays many withdrawals at once, each told by itself', async () => {
      const relay = world.chains[2] as Chain
      const programme = named('programme of many')
      const signed = await Promise.all(
        Array.from({ length: 120 }, async (_, i) => ({ blind: named(`blind ${i}`), ...(await world.signWithdrawal(programme, named(`blind ${i}`))) })),
      )
      const [before, forged, ...others] = signed as [(typeof signed)[0], (typeof signed)[0], ...typeof signed]
      await relay.withdraw(programme, before.blind, before.patientKey, before.signature)
      const known = (await relay.events(0, { kinds: ['ConsentWithdrawn'] })).length
      const bad = [
        { ...forged, signature: before.signature },
        { ...forged, signature: '0x1234' },
      ]
      const withdrawn = await relay.withdrawMany(programme, [before, ...bad, ...others, ...others.slice(0, 1)])
      assert.deepEqual(
        withdrawn,
        others.map(({ tag }) => tag),
      )
      const told = (await relay.events(0, { kinds: ['ConsentWithdrawn'] })).slice(known)
      assert.deepEqual(
        told.map((event) => event.kind === 'ConsentWithdrawn' && event.tag),
        others.map(({ tag }) => tag),
      )
      assert.equal(await relay.isWithdrawn(programme, forged.tag), false)
      assert.deepEqual(await relay.withdrawMany(programme, [before]), [])
      assert.deepEqual(await relay.withdrawMany(programme, []), [])
    })

    it('takes withdrawals from the ombudsman of the newest terms', async () => {
      const [steward, relay] = [await world.steward(), world.chains[3] as Chain]
      try {
        const [programme, tag] = [named('programme of an ombudsman'), named('tag')]
        const { ombudsman, signature } = await world.signAsOmbudsman(programme, tag)
        const terms = { version: 1, digest: sha256Of('0x02'), basis: 'consent', ombudsman, expiresAt: 4_102_444_800, text: '0x02' } as const
        await fails(relay.withdrawByOmbudsman(programme, tag, signature), 'ROTA-5408', 'reject')
        await steward.publishTerms(programme, terms)
        await fails(relay.withdrawByOmbudsman(programme, tag, null), 'ROTA-5402', 'reject')
        await fails(relay.withdrawByOmbudsman(programme, named('another tag'), signature), 'ROTA-5402', 'reject')
        await relay.withdrawByOmbudsman(programme, tag, signature)
        assert.equal(await relay.isWithdrawn(programme, tag), true)
        await fails(relay.withdrawByOmbudsman(programme, tag, signature), 'ROTA-5401', 'ignore')
      } finally {
        await steward.stop()
      }
    })

    it('tells events in order and wakes who listens', async () => {
      const chain = world.chains[3] as Chain
      const before = (await chain.head()).number
      let wakes = 0
      let wake = () => {}
      const stop = chain.onChange(() => {
        wakes++
        wake()
      })
      const { run, publish, attest, toPublishing } = await openRun(world)
      const round = await toPublishing()
      await publish(0, round)
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      for (const site of [0, 1, 2]) await attest(site, round)
      await woken
      stop()
      const events = await chain.events(before + 1)
      const places = events.map(({ block, index }) => block * 10_000 + index)
      assert.deepEqual(
        places,
        [...places].sort((a, b) => a - b),
      )
      assert.ok(events.every(({ timestamp }, i) => i === 0 || timestamp >= (events[i - 1]?.timestamp ?? 0)))
      const told = (await chain.events(before + 1, { run })).map(({ kind }) => kind)
      const expected = [
        'RunOpened',
        'RoundOpened',
        'Contributed',
        'Contributed',
        'Contributed',
        'Contributed',
        'PhaseBegan',
        'Witnessed',
        'Witnessed',
        'Frozen',
        'PhaseBegan',
      ]
      assert.deepEqual(told, [...expected, 'Published', 'PhaseBegan', 'Attested', 'Attested', 'Attested', 'RoundClosed', 'RoundOpened'])
      assert.deepEqual(await chain.events((await chain.head()).number + 1), [])
      assert.ok(wakes > 0)
    })

    it("keeps its sites' calls apart when all are made at once", async () => {
      const { contribute, all, at, run, view } = await openRun(world)
      await Promise.all(all.map((site) => contribute(site, roundNo(1))))
      assert.equal((await view()).round.phase, 'Witnessing')
      // One account, several calls under way: each is mined, in order.
      await Promise.all([1, 2, 3, 4, 5].map((category) => at(1).audit(category, named('burst'))))
      const burstSoFar = async () =>
        (await at(0).events(0, { kinds: ['AuditEntry'] })).flatMap((event) =>
          event.kind === 'AuditEntry' && event.subject === named('burst') ? [event.category] : [],
        )
      const burst = await soon(burstSoFar, 5)
      assert.deepEqual(burst, [1, 2, 3, 4, 5])
      const held = all.reduce((set, site) => withSite(set, siteId(site)), bitmapOf([]))
      await Promise.all([0, 1].map((site) => at(site).witness(run, roundNo(1), 0, held)))
      assert.equal((await view()).round.phase, 'Publishing')
    })
  })
}
