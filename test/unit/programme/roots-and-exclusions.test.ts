/**
 * Roots by the cadence of a programme's terms
 * given terms, a root comes at each step, changed or not, and never between; the first waits for a step
 * given withdrawals on chain, the next root is without them, and they may consent anew
 * given no terms, or another's programme, nothing comes
 * given consents that came to their end, by themselves or with their terms, the next root is without them, also where no cadence runs
 *
 * Exclusions that take too long
 * given a withdrawal, nothing is told while a round may still go on without it
 * given a cohort of a round that opened after it, or one that keeps it for a day, an alarm
 * given a portal's promise that was not kept, an alarm
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { CohortArchive } from '#adapters/cohort/cohort-archive.ts'
import { type Desk, recordConsent } from '#adapters/cohort/consent-desk.ts'
import { ConsentStore } from '#adapters/cohort/consent-store.ts'
import { ALLOWED_FIELDS } from '#adapters/host/allowed-fields.ts'
import { digestOf } from '#adapters/sim/hash.ts'
import { SimWorld } from '#adapters/sim/world.ts'
import { consentRoots, grantedRootIn, putNextRoot } from '#app/consent/consent-root.ts'
import { exclusionAlarm, watchExclusions } from '#app/consent/exclusion-alarm.ts'
import { rootKeeper } from '#app/consent/keep-roots.ts'
import { type Exclusion, lateExclusions, type NewestCohort } from '#app/consent/late-exclusions.ts'
import { cadenceOf } from '#app/consent/root-cadence.ts'
import { sha256 } from '#app/sha256.ts'
import { fromHex } from '#base/bytes.ts'
import { type Digest, roundNo, runId, siteId } from '#base/ids.ts'
import type { Terms } from '#core/consent/terms.ts'
import { consentDomain } from '#patient/typed-data.ts'
import { signWithdrawal } from '#patient/withdrawal.ts'
import type { StudyRules } from '#ports/chain.ts'
import { publishTerms, TERMS } from '../../support/terms.ts'
import { keyed, tempFolder } from '../cohort/support.ts'

const HOUR = 3600
const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet } as never

/** One hospital with a record of consents, on a chain in memory. */
async function hospital(terms: Partial<Terms> | null = {}) {
  const world = SimWorld.create({ seed: 'roots', sites: 1 })
  const [site, dir] = [world.site(siteId(0)), tempFolder()]
  const [chain, vault] = [world.node(site), keyed('a hospital')]
  const folder = { vault, consents: new ConsentStore(join(dir, 'consents.log'), vault), archive: new CohortArchive(join(dir, 'cohorts.log'), vault) }
  const clock = { nowMs: () => Math.max(world.time.nowMs, world.chain.head().timestamp * 1000), sleep: async () => undefined }
  let drawn = 0
  const desk: Desk = { store: folder.consents, vault, clock, random: { bytes: (n) => sha256(Uint8Array.of(drawn++)).slice(0, n) } }
  if (terms !== null) await publishTerms(world.steward(site), { ...TERMS, ...terms })
  const parts = { folder, chain, own: { id: siteId(0) }, approved: async () => ['heart'], clock: clock as never, log: quiet }
  const withdraw = async (secret: string): Promise<Digest> => {
    const domain = consentDomain(world.chain.chainId, world.chain.consentRegistry)
    const { programme, blind, patientKey, signature, tag } = signWithdrawal(fromHex(secret), 'heart', domain)
    await chain.withdraw(programme, blind, patientKey, signature)
    return tag
  }
  return {
    ...{ world, chain, folder, desk, dir, parts, withdraw },
    nowMs: clock.nowMs,
    standing: async () => folder.consents.tagsThen('heart', { recordEntries: await folder.consents.size(), at: new Date(clock.nowMs()).toISOString() }),
    roots: () => consentRoots({ chain, own: { id: siteId(0) } }, 'heart'),
    consent: async (...patients: string[]) => (await recordConsent(desk, 'heart', patients, join(dir, 'receipts'))).map(({ receipt }) => receipt),
    pass: (seconds: number) => world.chain.advance(seconds, 1),
    /** To just after the beginning of the next step. */
    async nextStep() {
      const cadence = (await cadenceOf(parts, 'heart', clock)) ?? assert.fail()
      world.chain.advance(cadence.next - world.chain.head().timestamp + 1, 1)
    },
  }
}

describe("roots by the terms' cadence", () => {
  it('come at each step, changed or not, and never between', async () => {
    const { world, parts, roots, consent, pass, nextStep, folder } = await hospital({ cadenceHours: 1 })
    const look = rootKeeper(parts)
    await consent('Ann')
    assert.deepEqual(await look(), [], 'the first waits for a step')
    await nextStep()
    assert.deepEqual([await look(), await look()], [['heart'], []])
    await consent('Bob')
    pass(HOUR / 4)
    assert.deepEqual(await look(), [], 'no root because somebody consented')
    await nextStep()
    await look()
    await nextStep()
    assert.deepEqual(await look(), ['heart'], 'nothing changed')
    const put = await roots()
    assert.deepEqual(
      put.map(({ epoch }) => epoch),
      [1, 2, 3],
    )
    assert.equal(new Set(put.map(({ root }) => root)).size, 3, 'unlike each other all the same')
    assert.deepEqual(
      (await folder.archive.grants('heart')).map(({ recordEntries }) => recordEntries),
      [1, 2, 2],
    )
    // A node that starts again goes on from what the chain says; what it slept through is one root.
    const again = rootKeeper(parts)
    assert.deepEqual(await again(), [])
    pass(5 * HOUR)
    assert.deepEqual([await again(), await again(), (await roots()).length], [['heart'], [], 4])
    // The next version may have another cadence: from then on its steps count.
    await publishTerms(world.steward(world.site(siteId(0))), { ...TERMS, version: 2, cadenceHours: 24 })
    const day = 24 * HOUR
    await again()
    pass(day - (world.chain.head().timestamp % day) - 10)
    const before = (await roots()).length
    assert.deepEqual([await again(), (await roots()).length], [[], before])
    await nextStep()
    assert.deepEqual([await again(), await again()], [['heart'], []])
    world.stop()
  })

  it('are without who withdrew on chain, who may then consent anew', async () => {
    const { world, parts, consent, withdraw, nextStep, folder, desk, dir, standing } = await hospital({ cadenceHours: 1 })
    const look = rootKeeper(parts)
    const [ann, bob] = await consent('Ann', 'Bob')
    await look()
    await nextStep()
    await look()
    const gone = await withdraw(ann?.secret ?? '')
    await assert.rejects(recordConsent(desk, 'heart', ['Ann'], dir), /already has a consent/)
    await nextStep()
    await look()
    assert.deepEqual(await standing(), [bob?.tag])
    const [again] = await consent('Ann')
    assert.notEqual(again?.tag, gone)
    // Another process may have noted the old tag's withdrawal after that: it ends the old consent alone.
    const [late] = (await folder.consents.entriesUnder('heart')).filter(({ kind }) => kind === 'withdrawn')
    await folder.consents.append([late ?? assert.fail()])
    assert.deepEqual(new Set(await standing()), new Set([bob?.tag, again?.tag]))
    world.stop()
  })

  it('are without consents that have ended, also where no cadence runs', async () => {
    for (const terms of [null, { cadenceHours: 1 }]) {
      const { world, parts, folder, desk, dir, standing, nextStep, pass, roots, chain, nowMs } = await hospital(terms)
      const [look, site] = [rootKeeper(parts), { ...parts, chain }]
      const until = new Date(nowMs() + 10 * HOUR * 1000).toISOString()
      const made = await recordConsent(desk, 'heart', ['Ann', 'Bob'], dir, (name) => (name === 'Ann' ? { until } : {}))
      const [ann, bob] = made.map(({ receipt }) => receipt.tag)
      await look()
      if (terms === null) await putNextRoot(site, 'heart')
      else await nextStep()
      await look()
      assert.deepEqual([await standing(), (await roots()).length], [[ann, bob], 1])
      pass(11 * HOUR)
      assert.deepEqual([await look(), await look()], [['heart'], []])
      const [first, last] = await folder.archive.grants('heart')
      assert.deepEqual(await folder.consents.tagsThen('heart', last ?? assert.fail()), [bob], 'Ann is in it no more')
      assert.equal((await roots()).at(-1)?.root, await grantedRootIn(site, 'heart', 2))
      const stood = await folder.consents.stoodThen('heart', ann as Digest)
      assert.deepEqual(
        [first, last].map((then) => then && stood(then)),
        [true, false],
        'what was true of the first stays so',
      )
      assert.deepEqual(await folder.consents.tagsThen('heart', { recordEntries: 2 }), [ann, bob], 'a root of the first versions counted them all')
      // Who has ended may consent anew, without a withdrawal.
      await assert.rejects(recordConsent(desk, 'heart', ['Bob'], dir), /already has a consent/)
      const [again] = await recordConsent(desk, 'heart', ['Ann'], dir)
      assert.deepEqual(await standing(), [again?.receipt.tag, bob])
      world.stop()
    }
  })

  it('come once more when the terms have expired, and then no more', async () => {
    const { world, parts, consent, nextStep, roots } = await hospital({ cadenceHours: 1, expires: '2040-01-01' })
    const look = rootKeeper(parts)
    await consent('Ann')
    await look()
    await nextStep()
    await look()
    const expired = { ...parts, clock: { ...(parts.clock as object), nowMs: () => Date.UTC(2040, 0, 2) } as never }
    const late = rootKeeper(expired)
    assert.deepEqual([await late(), await late(), (await roots()).length], [['heart'], [], 2])
    world.stop()
  })

  it('come for no programme without terms, of others, or that has expired', async () => {
    for (const terms of [null, { programme: 'lung' }, { expires: '1970-01-01' }]) {
      const { world, parts, consent, pass, roots } = await hospital(terms?.expires === undefined ? terms : { cadenceHours: 1 })
      const late = { ...parts, clock: { ...(parts.clock as object), nowMs: () => Date.UTC(2100, 1, 1) } as never }
      const look = rootKeeper(terms?.expires === undefined ? parts : late)
      await consent('Ann')
      await look()
      pass(100 * HOUR)
      assert.deepEqual([await look(), await roots()], [[], []])
      world.stop()
    }
  })
})

describe('exclusions that take too long', () => {
  const [ann, bob] = [digestOf('ann'), digestOf('bob')]
  const late = (exclusion: Partial<Exclusion>, cohort: Partial<NewestCohort>, now = { chain: 1_000, clock: 1_000 }) =>
    lateExclusions(
      [{ member: ann, notedAt: Number.POSITIVE_INFINITY, onChain: null, promised: false, ...exclusion }],
      [{ run: runId(1), members: new Set([ann, bob]), openedAtBlock: 10, over: false, ...cohort }],
      now,
      HOUR,
    )
  const OK = { inCohort: 0, notOnChain: 0 }
  const LATE = { inCohort: 1, notOnChain: 0 }
  const onChain = { block: 10, timestamp: 500 }
  const tomorrow = { chain: 25 * HOUR, clock: 25 * HOUR }

  it('are those of a cohort that was made after the tag stood on chain', () => {
    assert.deepEqual(late({ onChain }, { openedAtBlock: 10 }), OK, 'the round had opened')
    assert.deepEqual(late({ onChain }, { openedAtBlock: 11 }), LATE)
    assert.deepEqual(late({ onChain }, { openedAtBlock: 11, over: true }), LATE, 'a run that is over has been wrong too')
    assert.deepEqual(late({ onChain }, { openedAtBlock: 11, members: new Set([bob]) }), OK)
    assert.deepEqual(late({ onChain }, { openedAtBlock: null }), OK)
  })

  it('are those of a round that does not end for a day', () => {
    assert.deepEqual(late({ onChain }, {}, tomorrow), LATE)
    assert.deepEqual(late({ notedAt: 500 }, {}, tomorrow), LATE, 'stopped at the desk')
    assert.deepEqual(late({ notedAt: 500 }, { over: true }, tomorrow), OK)
    assert.deepEqual(late({ notedAt: 500 }, {}), OK)
  })

  it("are a portal's that are not on chain in time", () => {
    assert.deepEqual(late({ notedAt: 0, promised: true }, {}, { chain: 0, clock: HOUR }), OK)
    assert.deepEqual(late({ notedAt: 0, promised: true }, {}, { chain: 0, clock: HOUR + 1 }), { inCohort: 0, notOnChain: 1 })
    assert.deepEqual(late({ notedAt: 0, promised: true, onChain }, {}, { chain: 0, clock: HOUR + 1 }), OK)
    assert.deepEqual(late({ notedAt: 0 }, {}, { chain: 0, clock: HOUR + 1 }), OK, 'nobody promised: paper has no key')
  })

  it('are found in what the hospital keeps and the chain says', async () => {
    const { world, chain, folder, parts, consent, withdraw } = await hospital({ relayDelayHours: 1 })
    const look = exclusionAlarm(parts)
    const study = await world.publishStudy(digestOf('protocol'), digestOf('cid'), RULES)
    await chain.publishEpoch(study, 0, digestOf('key'), digestOf('bundle'))
    const run = await chain.openRun(study, { root: digestOf('model'), cid: digestOf('model cid') })
    const [first, second] = await consent('Ann', 'Bob')
    const members = [first?.tag, second?.tag] as Digest[]
    const cohort = { programme: 'heart', run, round: roundNo(1), root: digestOf('cohort'), members }
    await folder.archive.rememberCohort(cohort)
    await withdraw(first?.secret ?? '')
    assert.deepEqual(await look(), [], 'round 1 had opened')

    await chain.contribute(run, roundNo(1), digestOf('u'), digestOf('c'), digestOf('cohort'))
    await chain.witness(run, roundNo(1), 0, 1n as never)
    await chain.publish(run, roundNo(1), 0 as never, digestOf('s'), digestOf('sc'))
    await chain.attest(run, roundNo(1), 0 as never, { root: digestOf('m'), cid: digestOf('mc') }, 'continue', digestOf('own'))
    await folder.archive.rememberCohort({ ...cohort, round: roundNo(2), root: digestOf('cohort 2'), members: members.slice(1) })
    assert.deepEqual(await look(), [])
    await folder.archive.rememberCohort({ ...cohort, round: roundNo(2), root: digestOf('cohort 3') })
    const [told, ...others] = await look()
    assert.deepEqual([told?.code, told?.details.count, told?.details.programme, others], ['ROTA-6019', 1, 'heart', []])

    const entry = { patient: digestOf('Bob'), programme: 'heart', tag: digestOf('promised'), at: new Date(world.time.nowMs).toISOString() }
    await folder.consents.append([{ kind: 'withdrawn', ...entry, by: 'card' }])
    assert.equal((await look()).length, 1)
    const later = { ...parts, clock: { nowMs: () => world.time.nowMs + 3_700_000 } as never }
    assert.deepEqual(
      (await exclusionAlarm(later)()).map(({ details }) => details.count),
      [1, 1],
    )

    // A node tells the person who looks, and the log, once.
    const logged: Readonly<Record<string, unknown>>[] = []
    const told6019: (string | null)[] = []
    const stopped = new AbortController()
    const log = { ...(quiet as object), error: (event: string, fields: object) => logged.push({ event, ...fields }) } as never
    const wake = async () => void (told6019.length >= 2 && stopped.abort())
    const clock = { nowMs: () => world.time.nowMs + 3_700_000, sleep: wake } as never
    await watchExclusions({ ...parts, clock, log }, (error, count) => told6019.push(`${error?.code} ${count}`), stopped.signal)
    assert.deepEqual(told6019, ['ROTA-6019 2', 'ROTA-6019 2'])
    assert.deepEqual(
      logged.map(({ event, count }) => [event, count]),
      [
        ['exclusion.late', 1],
        ['exclusion.late', 1],
      ],
    )
    assert.ok(logged.every(({ event: _, ...fields }) => Object.keys(fields).every((name) => ALLOWED_FIELDS.has(name))))
    world.stop()
  })
})

const RULES: StudyRules = {
  ...{ minSites: 1, quorum: 1, maxRounds: 5, slices: 1, exact: false, arithmeticVersion: digestOf('golden') },
  wordBits: 64,
  mode: 'open',
  limits: Array.from({ length: 5 }, () => ({ seconds: 60, blocks: 40 })),
}
