import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_FAULTS } from '#adapters/sim/faults.ts'
import { EMPTY, sitesOf, withSite } from '#base/bitmap.ts'
import { type Bitmap, type Digest, digest, roundNo, runId, type SiteId } from '#base/ids.ts'
import type { ChainEvent } from '#ports/chain.ts'
import { brokenIn, INVARIANTS, type InvariantName } from '../../scripts/chaos/invariants/all.ts'
import { playSeed, toldOf } from '../../scripts/chaos/play-seed.ts'
import { only, type RunRecord } from '../../scripts/chaos/record.ts'

// given the record of a run in which all invariants hold
// └── when one of them is broken in it, that one is reported: each has its plant here, so that no check can die quietly

const OTHER = digest(`0x${'ab'.repeat(32)}`)

const change = (record: RunRecord, into: (event: ChainEvent) => ChainEvent | readonly ChainEvent[]): RunRecord => ({
  ...record,
  events: record.events.flatMap(into),
  said: record.said.flatMap(({ atMs, event }) => [into(event)].flat().map((changed) => ({ atMs, event: changed }))),
})

const voidRounds = (event: ChainEvent): ChainEvent => {
  if (event.kind !== 'RoundClosed' || event.status === 'finished') return event
  const { block, index, timestamp, tx, run, round } = event
  return { block, index, timestamp, tx, kind: 'RoundVoid', run, round, phase: 'Publishing' }
}

/** Takes one site's word out of each round, so that the frozen set has members that the record then lacks. */
const without = (set: Bitmap): Bitmap =>
  sitesOf(set)
    .slice(1)
    .reduce<Bitmap>((left, site) => withSite(left, site), EMPTY)

const shownFor = (survivors: bigint) => ({
  atMs: 0,
  site: 0 as SiteId,
  run: runId(1),
  round: roundNo(2),
  survivors: survivors as Bitmap,
  about: 0b100n as Bitmap,
})
const masked = (record: RunRecord): RunRecord => ({ ...record, draw: { ...record.draw, rules: { ...record.draw.rules, mode: 'masked' } } })

const grouped = (record: RunRecord): RunRecord => ({ ...record, draw: { ...record.draw, isInGroups: true } })

const refusedRound = (record: RunRecord): RunRecord =>
  change(record, (event) => (event.kind === 'RoundClosed' && event.round === 2 ? ({ ...event, kind: 'RoundRefused' } as unknown as ChainEvent) : event))

/** The round after a refused one has one site less than that, and its sum is shown. */
function repeatWithOneLess(record: RunRecord): RunRecord {
  const repeat = only(record.events, 'Frozen').find((event) => event.round === 3)?.included as Bitmap
  const fewer = change(refusedRound(record), (event) =>
    event.kind === 'Frozen' && event.round === 3 ? { ...event, included: without(event.included) } : event,
  )
  return { ...fewer, shown: [{ ...shownFor(without(repeat)), round: roundNo(3) }] }
}

const PLANTS: Readonly<Record<InvariantName, (record: RunRecord) => RunRecord>> = {
  oneFrozenSet: (record) => change(record, (event) => (event.kind === 'Frozen' ? [event, { ...event, included: without(event.included) }] : event)),
  closedByMajority: (record) => change(record, (event) => (event.kind === 'Attested' && event.site > 0 ? [] : event)),
  noWrongSumClosed: (record) => change(record, (event) => (event.kind === 'Published' && event.round === 2 ? { ...event, sumRoot: OTHER } : event)),
  honestSumsAreTrue: (record) => change(record, (event) => (event.kind === 'Published' && event.round === 3 ? { ...event, sumRoot: OTHER } : event)),
  noUpdateInTwoSums: (record) => {
    const first = only(record.events, 'Contributed')[0]?.root as Digest
    return change(record, (event) => (event.kind === 'Contributed' && event.site === 0 ? { ...event, root: first } : event))
  },
  committedOrLogged: (record) => change(record, (event) => (event.kind === 'Frozen' ? { ...event, included: without(event.included) } : event)),
  noRoundLost: (record) => change(record, voidRounds),
  sameModelEverywhere: (record) => ({ ...record, holders: without(record.holders) }),
  journalAgreesWithChain: (record) => change(record, (event) => (event.kind === 'Contributed' && event.round === 3 ? { ...event, root: OTHER } : event)),
  nobodyNeedsAPerson: (record) => ({ ...record, stopped: [{ site: 0 as SiteId, code: 'ROTA-5504', error: 'ROTA-5504' }] }),
  missingAreTold: (record) => change(record, (event) => (event.kind === 'Frozen' && event.round === 2 ? [] : event)),
  withdrawalIsHeeded: (record) => {
    const slow = record.said.map(({ atMs, event }) => ({ atMs: event.kind === 'RoundClosed' ? atMs + 60_000 : atMs, event }))
    const withdrawn = [{ site: 0 as SiteId, atMs: record.endMs }]
    return { ...record, said: slow, withdrawals: withdrawn, draw: { ...record.draw, rules: { ...record.draw.rules, exact: true } } }
  },
  neverBothKinds: (record) => ({ ...record, shown: [shownFor(0b111n), shownFor(0b011n)] }),
  oneSetUnmasked: (record) => ({ ...record, shown: [shownFor(0b111n), { ...shownFor(0b011n), about: 0b010n as Bitmap }] }),
  shownOncePublished: (record) => masked({ ...record, shown: [shownFor(0b111n)] }),
  masksComeOff: (record) => masked(refusedRound(record)),
  groupsHideEnough: (record) => masked(repeatWithOneLess(record)),
  groupsAreFixed: grouped,
  sumsOfGroupsHideEnough: (record) => {
    const frozen = only(record.events, 'Frozen').find((event) => event.round === 3)?.included as Bitmap
    return grouped({ ...record, shown: [{ ...shownFor(frozen), round: roundNo(3) }] })
  },
  repeatsShowTheSame: (record) => grouped(repeatWithOneLess(record)),
  oneSpoilsNoRound: (record) => grouped(refusedRound(record)),
  auditFollows: (record) => ({
    ...record,
    audit: { rounds: [{ round: roundNo(2), verdict: 'does not hold: base and sum lead to another model' } as never], faults: [], notes: [], ok: false },
  }),
  falseDealersAlone: (record) => {
    const refused = change(record, (event) =>
      event.kind === 'RoundClosed' && event.round === 2 ? ({ ...event, kind: 'RoundRefused' } as unknown as ChainEvent) : event,
    )
    // The false site is in the repeat too, and its sum is shown.
    const repeat = only(record.events, 'Frozen').find((event) => event.round === 3)?.included as Bitmap
    const plan = { ...record.draw.plan, lies: [{ site: 3 as SiteId, lie: 'other-secret' as const }] }
    return { ...refused, draw: { ...record.draw, plan }, shown: [{ ...shownFor(repeat), round: roundNo(3) }] }
  },
  witnessesHold: (record) => ({ ...record, unheld: [{ round: 2, slice: 0, witness: 0 as SiteId, update: 1 as SiteId }] }),
  everybodyTakesPart: (record) => change(record, (event) => (event.kind === 'Frozen' ? { ...event, included: without(event.included) } : event)),
}

describe('the invariants of chaos', async () => {
  const record = await playSeed(1, 4, { plan: NO_FAULTS })

  it('all hold where nothing goes wrong', () => assert.deepEqual(brokenIn(record), []))

  for (const invariant of Object.keys(INVARIANTS) as InvariantName[])
    it(`report a run in which ${invariant} does not hold`, () => {
      const found = brokenIn(PLANTS[invariant](record)).map((broken) => broken.invariant)
      assert.ok(found.includes(invariant), `found ${found.join(', ') || 'nothing'}`)
    })

  it('report that nothing is told of a site that left, or of one that waits for a key', () => {
    const last = 3 as SiteId
    const leaves = record.events.findIndex((event) => event.kind === 'RoundOpened' && event.round === 3)
    const gone = { ...(record.events[leaves] as ChainEvent), kind: 'SiteChanged', site: last, state: 'Removed' } as unknown as ChainEvent
    const stays = { ...gone, state: 'Active' } as unknown as ChainEvent
    const unkeyed = record.events.findLast((event) => event.kind === 'EpochPublished') as ChainEvent
    const left = (...news: ChainEvent[]) =>
      record.events.toSpliced(leaves, 0, ...news).map((event, at) => {
        if (at < leaves) return event
        if (event.kind === 'RoundOpened') return { ...event, rota: event.rota.filter((site) => site !== last) }
        return event.kind === 'Frozen' ? { ...event, included: (event.included & 0b111n) as Bitmap } : event
      })
    for (const events of [left(gone), left(stays, { ...unkeyed, members: 0b111n } as unknown as ChainEvent)]) {
      const told = toldOf(events, runId(1)) as NonNullable<RunRecord['told']>
      const said = (what: typeof told) => brokenIn({ ...record, events, told: what }).filter(({ invariant }) => invariant === 'missingAreTold')
      assert.deepEqual(said(told), [])
      const rotasAlone = told.rounds.map((part) => ({ ...part, fates: part.fates.filter(({ site }) => site !== last || part.round < 3) }))
      assert.match(said({ ...told, rounds: rotasAlone })[0]?.what ?? '', /^round 3 says nothing of site 3$/)
      const otherwise = told.rounds.map((part) => ({
        ...part,
        fates: part.fates.map((f) => (f.site === last && part.round === 4 ? { ...f, fate: 'withdrew' as const } : f)),
      }))
      assert.match(said({ ...told, rounds: otherwise })[0]?.what ?? '', /^site 3 is said to be "withdrew" in round 4$/)
      assert.match(said({ ...told, absences: [] })[0]?.what ?? '', /^no sentence names site 3, which was not in round 3$/)
    }
  })

  it('report a run that stops', () => {
    const stopped = { ...record, gaveUp: 'nothing closed for 30 minutes' }
    assert.deepEqual(
      brokenIn(stopped).map(({ invariant }) => invariant),
      ['noRoundLost'],
    )
  })

  it('report a set that a site acted on and the chain does not have', () => {
    const [site, journal] = [...record.journals][0] as [SiteId, never[]]
    const acted = { kind: 'frozen', run: 1, round: roundNo(2), included: withSite(EMPTY, site) } as never
    const planted = { ...record, journals: new Map(record.journals).set(site, [...journal, acted]) }
    assert.ok(brokenIn(planted).some(({ invariant }) => invariant === 'oneFrozenSet'))
  })

  it('report a site that acted on two sets, where the chain lost one', () => {
    const [site, journal] = [...record.journals][0] as [SiteId, never[]]
    const acted = (set: number) => ({ kind: 'frozen', run: 1, round: roundNo(2), included: set }) as never
    const lost = { ...record, lostSets: new Set(['1/2']) }
    const of = (...entries: never[]) =>
      brokenIn({ ...lost, journals: new Map(record.journals).set(site, [...journal.filter((e: { round?: number }) => e.round !== 2), ...entries]) })
    assert.ok(of(acted(1), acted(2)).some(({ invariant }) => invariant === 'oneFrozenSet'))
    assert.ok(of(acted(1)).every(({ invariant }) => invariant !== 'oneFrozenSet'))
  })

  it('allow a node to wait for a person where its chain is another one, and no other', () => {
    const stopped = [{ site: 0 as SiteId, code: 'ROTA-5005', error: 'ROTA-5005 another chain' }]
    const needs = (planted: RunRecord) => brokenIn(planted).some(({ invariant }) => invariant === 'nobodyNeedsAPerson')
    assert.ok(needs({ ...record, stopped }))
    assert.ok(!needs({ ...record, stopped, expectedStops: [{ site: 0 as SiteId, code: 'ROTA-5005' }] }))
    assert.ok(needs({ ...record, stopped, expectedStops: [{ site: 1 as SiteId, code: 'ROTA-5005' }] }))
  })

  it('allow voids when no majority is sound, and while there is none', () => {
    const voided = change(record, voidRounds)
    const always = { fromMs: 0, toMs: Number.POSITIVE_INFINITY }
    const held = (planted: RunRecord) => brokenIn(planted).every(({ invariant }) => invariant !== 'noRoundLost')
    assert.ok(!held(voided))
    assert.ok(held({ ...voided, casualties: [0, 1].map((site) => ({ site: site as SiteId, why: 'down', ...always })) }))
    assert.ok(held({ ...voided, outages: [always] }))
  })
})
