import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bitmapOf, EMPTY } from '#base/bitmap.ts'
import { attemptNo, type Bitmap, digest, roundNo, runId, siteId, studyId } from '#base/ids.ts'
import type { RoundView, RunView, StudyRules } from '#ports/chain.ts'
import { type MaskingWork, next, placeOf, ROW_NAMES, type Situation, slicesToWitness, type WishWork } from '#round/next.ts'

// given a run that a site takes part in
// ├── when the round is Contributing
// │   ├── it contributes once, and sends again what was journalled but is not on chain
// │   ├── it abstains while maintenance is announced
// │   └── it adopts the model first when it lacks it
// ├── when the round is Witnessing
// │   ├── a custodian witnesses once it holds all, or after a third of the limit what it holds
// │   └── others wait
// ├── when the round is Publishing: places open by thirds of the limit, in seconds and blocks
// ├── when the round is Attesting: who is in the frozen set attests once
// ├── when the model is large, custodians tell their slices, and others wait for their word for a sixth of the limit
// ├── when the study is masked: keys first, nothing leaves without masks, shares once a sum stands, and for one set of updates of a model
// ├── when a limit passed, or the chain stands still: it ticks
// ├── when it is paused: it says once that it is ready, and ticks when all that was missing is there
// ├── when its cohort changed: it halts the run; where patients may rest whoever leads does, then each standby, then the site itself
// └── when the frozen set is another than the one it acted on: the node halts

const ROOT = digest(`0x${'11'.repeat(32)}`)
const sites = [0, 1, 2, 3].map(siteId)
const me = siteId(1)

const rules: StudyRules = {
  minSites: 3,
  quorum: 3,
  maxRounds: 50,
  wordBits: 64,
  slices: 1,
  mode: 'open',
  exact: true,
  limits: [0, 30, 9, 9, 9].map((seconds) => ({ seconds, blocks: seconds === 0 ? 0 : 7 })),
  arithmeticVersion: ROOT,
}

const round = (change: Partial<RoundView> = {}): RoundView => ({
  round: roundNo(3),
  phase: 'Contributing',
  attempt: attemptNo(0),
  rota: sites,
  turn: 1,
  openedAtBlock: 100,
  epoch: 0,
  since: { block: 100, timestamp: 1000 },
  extended: false,
  awaited: bitmapOf(sites),
  keyed: EMPTY,
  justifying: false,
  justified: EMPTY,
  threshold: 0,
  contributed: EMPTY,
  abstained: EMPTY,
  custodianPlaces: [3],
  witnessed: [EMPTY],
  included: EMPTY,
  firstPlace: 0,
  publications: 0,
  publication: null,
  attested: EMPTY,
  ...change,
})

const run = (change: Partial<RunView> = {}, r: Partial<RoundView> = {}): RunView => ({
  run: runId(1),
  study: studyId(1),
  state: 'Active',
  round: round(r),
  model: { root: ROOT, cid: ROOT },
  closedRounds: 2,
  voidsInARow: 0,
  ready: EMPTY,
  ...change,
})

const situation = (change: Partial<Situation> = {}): Situation => ({
  me,
  rules,
  approved: true,
  view: run(),
  head: { number: 101, timestamp: 1001 },
  chainSilentMs: 0,
  chainGapMs: 0,
  journal: [],
  held: [EMPTY],
  slices: { owed: false, settledToPublish: true, settledToAttest: true },
  hasBase: true,
  resting: false,
  mayResume: false,
  cohortChanged: false,
  ...change,
})

const later = (seconds: number, blocks: number) => ({ number: 100 + blocks, timestamp: 1000 + seconds })
const contributed = { kind: 'contributed', run: runId(1), round: roundNo(3), base: ROOT, root: ROOT, cid: ROOT, cohortRoot: ROOT } as const
const all = bitmapOf(sites)

describe('next', () => {
  describe('when the round is Contributing', () => {
    it('contributes', () => assert.equal(next(situation()), 'contribute'))
    it('waits once its contribution is on chain', () =>
      assert.equal(next(situation({ journal: [contributed], view: run({}, { contributed: bitmapOf([me]) }) })), 'wait'))
    it('sends again what is journalled but not on chain', () => assert.equal(next(situation({ journal: [contributed] })), 'contribute-again'))
    it('abstains again likewise', () =>
      assert.equal(next(situation({ journal: [{ kind: 'abstained', run: runId(1), round: roundNo(3), reason: 'dataError' }] })), 'abstain-again'))
    it('pays for its noise before it contributes, and again where the chain lost that', () => {
      assert.equal(next(situation({ owesCharge: true })), 'charge')
      assert.equal(next(situation({ owesCharge: true, journal: [contributed] })), 'charge')
      assert.equal(next(situation({ owesCharge: true, resting: true })), 'rest')
    })
    it('does not wake a paused run whose noise it cannot pay for', () => {
      const view = run({ state: 'Paused' }, { abstained: bitmapOf([me]) })
      const spent = { kind: 'abstained', run: runId(1), round: roundNo(3), reason: 'privacySpent' } as const
      assert.equal(next(situation({ view })), 'ready')
      assert.equal(next(situation({ view, journal: [spent] })), 'wait')
    })
    it('rests while maintenance is announced', () => assert.equal(next(situation({ resting: true })), 'rest'))
    it('adopts the model that it lacks first', () => assert.equal(next(situation({ hasBase: false })), 'adopt'))
    it('does nothing when it is not in the rota', () => assert.equal(next(situation({ me: siteId(9) })), 'wait'))
    it('does nothing when its steward has not approved', () => assert.equal(next(situation({ approved: false })), 'wait'))
    it('does nothing when it contributed too late and the phase went on', () =>
      assert.equal(next(situation({ view: run({}, { phase: 'Witnessing', contributed: bitmapOf([siteId(0)]) }) })), 'wait'))
  })

  describe('when the round is Witnessing', () => {
    const witnessing = (held: Bitmap, change: Partial<Situation> = {}) =>
      situation({ view: run({}, { phase: 'Witnessing', contributed: all }), journal: [contributed], held: [held], ...change })
    it('a custodian that holds all witnesses', () => assert.equal(next(witnessing(all)), 'witness'))
    it('one that lacks some waits', () => assert.equal(next(witnessing(bitmapOf([me]))), 'wait'))
    it('and after a third of the limit says what it holds', () => assert.equal(next(witnessing(bitmapOf([me]), { head: later(4, 3) })), 'witness'))
    it('but not while the blocks of that third have not passed', () => assert.equal(next(witnessing(bitmapOf([me]), { head: later(4, 1) })), 'wait'))
    it('and never with nothing', () => assert.equal(next(witnessing(EMPTY, { head: later(4, 3) })), 'wait'))
    it('a site that is no custodian waits', () => assert.equal(next(witnessing(all, { me: siteId(0) })), 'wait'))
    it('it witnesses once', () =>
      assert.equal(next(situation({ view: run({}, { phase: 'Witnessing', contributed: all, witnessed: [bitmapOf([me])] }), held: [all] })), 'wait'))
  })

  describe('when the round is Publishing', () => {
    const publishing = (place: number, seconds: number, blocks: number, firstPlace = 0) =>
      next(
        situation({ me: sites[(1 + place) % 4] as typeof me, head: later(seconds, blocks), view: run({}, { phase: 'Publishing', included: all, firstPlace }) }),
      )
    it('the leader publishes at once', () => assert.equal(publishing(0, 0, 0), 'publish'))
    it('a standby waits for its third', () => assert.equal(publishing(1, 2, 5), 'wait'))
    it('both in seconds and in blocks', () => assert.deepEqual([publishing(1, 3, 2), publishing(1, 3, 3)], ['wait', 'publish']))
    it('the second standby after two thirds', () => assert.deepEqual([publishing(2, 5, 7), publishing(2, 6, 5)], ['wait', 'publish']))
    it('after a discarded publication the place after its publisher begins', () =>
      assert.deepEqual([publishing(0, 0, 0, 1), publishing(1, 0, 0, 1)], ['wait', 'publish']))
    it('the leader may still publish after its third', () => assert.equal(publishing(0, 8, 5), 'publish'))
  })

  describe('when the round is Attesting', () => {
    const attesting = (included: Bitmap, attested: Bitmap) => next(situation({ view: run({}, { phase: 'Attesting', included, attested }) }))
    it('a site of the frozen set attests', () => assert.equal(attesting(all, EMPTY), 'attest'))
    it('once', () => assert.equal(attesting(all, bitmapOf([me])), 'wait'))
    it('another does not', () => assert.equal(attesting(bitmapOf([siteId(0), siteId(2), siteId(3)]), EMPTY), 'wait'))
  })

  describe('when the model is large and cut into four slices', () => {
    // I have place 0: custodian of slice 0 (places 0, 1, 2), slice 2 (2, 3, 0) and slice 3 (3, 0, 1).
    const sliced = (phase: RoundView['phase'], change: Partial<Situation> = {}, r: Partial<RoundView> = {}) =>
      situation({
        view: run({}, { phase, contributed: all, included: all, custodianPlaces: [3, 3, 3, 3], witnessed: [EMPTY, EMPTY, EMPTY, EMPTY], ...r }),
        journal: [contributed],
        held: [all, EMPTY, EMPTY, all],
        ...change,
      })
    it('it witnesses each of its slices as soon as it holds all of it', () => {
      assert.equal(next(sliced('Witnessing')), 'witness')
      assert.deepEqual(slicesToWitness(sliced('Witnessing')), [0, 3])
      assert.deepEqual(slicesToWitness(sliced('Witnessing', { held: [all, all, all, EMPTY] }, { witnessed: [bitmapOf([me]), EMPTY, EMPTY, EMPTY] })), [2])
    })
    it('it never witnesses another’s slice', () => assert.deepEqual(slicesToWitness(sliced('Witnessing', { held: [EMPTY, all, EMPTY, EMPTY] })), []))
    const owed = { owed: true, settledToPublish: true, settledToAttest: true }
    it('it says what its slices are before all else', () => {
      assert.equal(next(sliced('Publishing', { slices: owed })), 'tell-slices')
      assert.equal(next(sliced('Attesting', { slices: owed })), 'tell-slices')
      assert.equal(next(sliced('Witnessing', { slices: owed, held: [EMPTY, EMPTY, EMPTY, EMPTY] })), 'wait')
    })
    it('it does what is due before it says that again', () => {
      assert.equal(next(sliced('Publishing', { slices: owed, last: 'tell-slices' })), 'publish')
      assert.equal(next(sliced('Attesting', { slices: owed, last: 'tell-slices' })), 'attest')
      assert.equal(next(sliced('Attesting', { slices: owed, last: 'attest' })), 'tell-slices')
    })
    const unsettled = { owed: false, settledToPublish: false, settledToAttest: false }
    it('the leader waits for the others’ slices, and for a sixth of the limit at most', () => {
      assert.equal(next(sliced('Publishing', { slices: unsettled })), 'wait')
      assert.equal(next(sliced('Publishing', { slices: unsettled, head: later(2, 1) })), 'wait')
      assert.equal(next(sliced('Publishing', { slices: unsettled, head: later(2, 2) })), 'publish')
    })
    it('so does who attests', () => {
      assert.equal(next(sliced('Attesting', { slices: unsettled })), 'wait')
      assert.equal(next(sliced('Attesting', { slices: unsettled, head: later(2, 2) })), 'attest')
    })
  })

  describe('when the study is masked', () => {
    const idle: MaskingWork = {
      offerDue: false,
      dealDue: false,
      keyDue: false,
      justifyDue: false,
      sitsOut: false,
      shownTooMany: false,
      wantsNext: false,
      mayMask: false,
      canBeUnmasked: false,
      releaseDue: false,
      mayUnmask: false,
      releasedOther: false,
      aheadDue: false,
    }
    const at = (phase: RoundView['phase'], work: Partial<MaskingWork> | null, r: Partial<RoundView> = {}, change: Partial<Situation> = {}) =>
      next(
        situation({
          rules: { ...rules, mode: 'masked', limits: rules.limits.map(() => ({ seconds: 30, blocks: 30 })) },
          view: run({}, { phase, keyed: phase === 'Keying' ? EMPTY : all, ...r }),
          masking: work === null ? null : { ...idle, ...work },
          ...change,
        }),
      )
    const keyedEntry = { kind: 'keyed', run: runId(1), round: roundNo(3), ctx: ROOT, root: ROOT, cid: ROOT, held: all, heldDeals: '0x', shares: '' } as const
    const publication = { attempt: attemptNo(0), publisher: siteId(0), sumRoot: ROOT, sumCid: ROOT }

    it('offers keys, deals, then keys, each when it is due', () => {
      assert.equal(at('Keying', { offerDue: true, dealDue: true, keyDue: true }), 'advertise')
      assert.equal(at('Keying', { dealDue: true, keyDue: true }), 'deal')
      assert.equal(at('Keying', { keyDue: true }), 'key')
      assert.equal(at('Keying', {}), 'wait')
    })
    it('does what is due before it says its keys or its shares again', () => {
      const said = { last: 'advertise' }
      assert.equal(at('Keying', { offerDue: true, dealDue: true }, {}, said), 'deal')
      assert.equal(at('Keying', { offerDue: true, keyDue: true }, {}, said), 'key')
      assert.equal(at('Keying', { offerDue: true }, {}, said), 'wait')
      assert.equal(at('Keying', { offerDue: true }, {}, { last: 'wait' }), 'advertise')
      const shown = { included: all, publication }
      assert.equal(at('Attesting', { releaseDue: true, mayUnmask: true }, shown, { last: 'release' }), 'attest')
      assert.equal(at('Attesting', { releaseDue: true }, shown, { last: 'attest' }), 'release')
    })
    it('prepares the next round while nothing else is to be done', () => {
      assert.equal(at('Publishing', { aheadDue: true }, { turn: 1 }), 'prepare')
      assert.equal(at('Publishing', { aheadDue: true }, { turn: 1 }, { resting: true }), 'wait')
      assert.equal(at('Attesting', { aheadDue: true, releaseDue: true }, { included: all, publication }), 'release')
    })
    it('keys once, and says again what is journalled and not on chain', () => {
      assert.equal(at('Keying', { keyDue: true }, {}, { journal: [keyedEntry] }), 'key-again')
      assert.equal(at('Keying', { keyDue: true }, { keyed: bitmapOf([me]) }, { journal: [keyedEntry] }), 'wait')
    })
    it('justifies its deal where that is due, and keys no more', () => {
      const justifying = { justifying: true, keyed: bitmapOf([me]) }
      assert.equal(at('Keying', { justifyDue: true, offerDue: true }, justifying), 'justify')
      assert.equal(at('Keying', { justifyDue: true }, { ...justifying, abstained: bitmapOf([me]) }), 'wait')
      assert.equal(at('Keying', { keyDue: true }, { justifying: true }), 'wait')
      assert.equal(at('Keying', {}, { justifying: true }, { journal: [keyedEntry] }), 'wait')
      assert.equal(at('Keying', { wantsNext: true }, { justifying: true }), 'ready')
    })
    it('still tells its keys once it has keyed: others may lack them', () =>
      assert.equal(at('Keying', { offerDue: true }, { keyed: bitmapOf([me]) }), 'advertise'))
    it('abstains while keys are exchanged when it rests, or when its secrets are gone', () => {
      assert.equal(at('Keying', { offerDue: true }, {}, { resting: true }), 'rest')
      assert.equal(at('Keying', { sitsOut: true, offerDue: true }), 'sit-out')
      assert.equal(at('Contributing', { sitsOut: true }), 'sit-out')
    })
    it('asks to be awaited in the next round when it is not in this one', () => {
      assert.equal(at('Keying', { wantsNext: true }), 'ready')
      assert.equal(at('Contributing', { wantsNext: true }, { abstained: bitmapOf([me]) }), 'ready')
    })
    it('contributes when all masks are at hand, and never without', () => {
      assert.equal(at('Contributing', { mayMask: true }), 'contribute')
      assert.equal(at('Contributing', {}), 'wait')
      assert.equal(at('Contributing', null), 'wait')
      assert.equal(at('Contributing', null, {}, { journal: [contributed] }), 'wait', 'nor again, before the log shows with whom it masked')
      assert.equal(at('Contributing', {}, {}, { journal: [contributed] }), 'contribute-again')
      assert.equal(
        at('Contributing', { shownTooMany: true }, {}, { journal: [contributed] }),
        'wait',
        'nor where its shares are public: it would not be hidden',
      )
      assert.equal(at('Contributing', { mayMask: true }, { keyed: bitmapOf([siteId(0)]) }), 'wait')
    })
    it('publishes no sum that cannot be unmasked', () => {
      assert.equal(at('Publishing', { canBeUnmasked: true }, { included: all }), 'publish')
      assert.equal(at('Publishing', {}, { included: all }), 'wait')
      assert.equal(at('Publishing', null, { included: all }), 'wait')
    })
    it('shows its shares before it attests, and attests once enough others have', () => {
      assert.equal(at('Attesting', { releaseDue: true, mayUnmask: true }, { included: all, publication }), 'release')
      assert.equal(at('Attesting', { mayUnmask: true }, { included: all, publication }), 'attest')
      assert.equal(at('Attesting', {}, { included: all, publication }), 'wait')
      assert.equal(at('Attesting', null, { included: all, publication }), 'wait')
      // Be its own update in the set or not: it holds shares of the others' secrets.
      assert.equal(at('Attesting', { releaseDue: true, mayUnmask: true }, { included: bitmapOf([siteId(0)]), publication }), 'release')
      assert.equal(at('Attesting', { mayUnmask: true }, { included: bitmapOf([siteId(0)]), publication }), 'wait')
    })
    it('disputes a sum that it called wrong, before anything else that others may do, and goes on while a try has to wait', () => {
      assert.equal(at('Attesting', { mayUnmask: true }, { included: all, publication }, { disputeDue: true }), 'dispute')
      assert.equal(at('Contributing', { mayMask: true }, {}, { disputeDue: true }), 'dispute')
      assert.equal(at('Contributing', { mayMask: true }, {}, { disputeDue: false }), 'contribute')
    })
    it('halts the node rather than show shares for another set of the same model', () =>
      assert.equal(at('Attesting', { releaseDue: true, releasedOther: true }, { included: all, publication }), 'halt-node'))
  })

  describe('when nobody moves', () => {
    const waiting = { journal: [contributed], view: run({}, { contributed: bitmapOf([me]) }) }
    it('ticks when the limit passed in seconds and blocks', () => assert.equal(next(situation({ ...waiting, head: later(30, 7) })), 'tick'))
    it('not when only the seconds have', () => assert.equal(next(situation({ ...waiting, head: later(90, 6) })), 'wait'))
    it('ticks when the chain stands still, by rank', () => {
      assert.equal(next(situation({ ...waiting, chainSilentMs: 1_000 })), 'tick')
      assert.equal(next(situation({ ...waiting, me: siteId(3), view: run({}, { contributed: bitmapOf([siteId(3)]) }), chainSilentMs: 1_400 })), 'wait')
    })
  })

  it('leaves a chain with regular blocks alone, and does not wait for ever after a long rest', () => {
    const waiting = { journal: [contributed], view: run({}, { contributed: bitmapOf([me]) }) }
    assert.equal(next(situation({ ...waiting, chainGapMs: 5_000, chainSilentMs: 7_000 })), 'wait')
    assert.equal(next(situation({ ...waiting, chainGapMs: 5_000, chainSilentMs: 7_500 })), 'tick')
    assert.equal(next(situation({ ...waiting, chainGapMs: 3_600_000, chainSilentMs: 15_000 })), 'tick')
  })

  it('halts an exact run as soon as its cohort changed', () =>
    assert.equal(next(situation({ cohortChanged: true, view: run({}, { phase: 'Attesting', included: all }) })), 'halt-run'))

  describe('when patients may rest', () => {
    const wishing = (change: Partial<WishWork>, more: Partial<Situation> = {}) =>
      next(
        situation({
          wish: { due: false, own: false, knownMs: null, ...change },
          journal: [contributed],
          view: run({}, { contributed: bitmapOf([more.me ?? me]) }),
          ...more,
        }),
      )
    it('says at fixed times what it wishes, and goes on whatever that is', () => {
      assert.equal(wishing({ due: true }), 'wish')
      assert.equal(wishing({ due: true }, { cohortChanged: true }), 'wish')
      assert.equal(wishing({}, { cohortChanged: true }), 'wait')
      assert.equal(wishing({}, { cohortChanged: true, journal: [], view: run() }), 'contribute')
      assert.equal(wishing({ due: true }, { view: run({ state: 'Paused' }) }), 'ready')
    })
    it('is halted by the leader, then by a standby, and at last by who wishes it', () => {
      const halting = (site: number, knownMs: number, own = false) => wishing({ knownMs, own }, { me: siteId(site) }) === 'halt-run'
      // Site 1 leads, 2 and 3 stand by.
      assert.deepEqual(
        [1, 2, 3, 0].map((site) => halting(site, 0)),
        [true, false, false, false],
      )
      assert.deepEqual(
        [1, 2, 3, 0].map((site) => halting(site, 3_000)),
        [true, true, false, false],
      )
      assert.deepEqual(
        [2, 3, 0].map((site) => halting(site, 2_999, true)),
        [false, false, false],
      )
      assert.deepEqual(
        [2, 3, 0].map((site) => halting(site, 6_000, true)),
        [true, true, false],
      )
      assert.deepEqual([halting(0, 9_000), halting(0, 9_000, true)], [false, true])
    })
    it('waits longer where blocks are rare, up to half a minute', () => {
      const standby = (chainGapMs: number, knownMs: number) => wishing({ knownMs }, { me: siteId(2), chainGapMs })
      assert.deepEqual([standby(12_000, 23_999), standby(12_000, 24_000), standby(3_600_000, 30_000)], ['wait', 'halt-run', 'halt-run'])
    })
  })

  it('halts the node when the frozen set is another than it acted on', () => {
    const frozen = { kind: 'frozen', run: runId(1), round: roundNo(3), included: bitmapOf([me]) } as const
    assert.equal(next(situation({ journal: [frozen], view: run({}, { phase: 'Attesting', included: all }) })), 'halt-node')
    assert.equal(next(situation({ journal: [{ ...frozen, included: all }], view: run({}, { phase: 'Attesting', included: all }) })), 'attest')
  })

  it('signals ready in a paused run, unless it rests', () => {
    assert.equal(next(situation({ view: run({ state: 'Paused' }) })), 'ready')
    assert.equal(next(situation({ view: run({ state: 'Paused' }), resting: true })), 'wait')
    assert.equal(next(situation({ view: run({ state: 'Paused' }), mayBeReady: false })), 'wait')
    assert.equal(next(situation({ view: run({ state: 'Paused', ready: bitmapOf([me]) }) })), 'wait')
    assert.equal(next(situation({ view: run({ state: 'Paused', ready: bitmapOf([me]) }), mayResume: true })), 'tick')
    assert.equal(next(situation({ view: run({ state: 'Paused', ready: bitmapOf([me]) }), mayResume: true, approved: false })), 'wait')
  })

  it('signals ready when a round went on without it, and it was not awaited', () => {
    const missed = { phase: 'Witnessing', awaited: bitmapOf([siteId(0), siteId(2)]), contributed: bitmapOf([siteId(0), siteId(2)]), turn: 2 } as const
    assert.equal(next(situation({ view: run({}, missed), held: [EMPTY] })), 'ready')
    assert.equal(next(situation({ view: run({ ready: bitmapOf([me]) }, missed), held: [EMPTY] })), 'wait')
    assert.equal(next(situation({ view: run({}, { ...missed, awaited: bitmapOf(sites) }), held: [EMPTY] })), 'wait')
    assert.equal(next(situation({ view: run({}, { ...missed, phase: 'Contributing' }), held: [EMPTY] })), 'contribute')
  })

  it('ticks before anything that the passed limit would have refused, since a refused call moves nothing on', () => {
    const late = { number: 1_000, timestamp: 9_000 }
    assert.equal(next(situation({ head: late, view: run({}, { phase: 'Publishing', included: all }) })), 'tick')
    assert.equal(next(situation({ head: late })), 'tick')
    assert.equal(next(situation({ head: late, view: run({}, { phase: 'Attesting', included: all }) })), 'tick')
  })

  it('gives no other row than those it names', () => assert.equal(new Set(ROW_NAMES).size, ROW_NAMES.length))
})

describe('placeOf', () => {
  it('counts from the turn, around the end', () =>
    assert.deepEqual(
      sites.map((s) => placeOf(round({ turn: 2 }), s)),
      [2, 3, 0, 1],
    ))
  it('is -1 outside the rota', () => assert.equal(placeOf(round(), siteId(7)), -1))
})
