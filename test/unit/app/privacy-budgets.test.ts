import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { watchBudgets } from '#app/privacy/budget-gauges.ts'
import { budgetsOf, datasetsIn, type LedgerView } from '#app/privacy/budgets.ts'
import { digest, roundNo, runId, type SiteId, siteId, studyId } from '#base/ids.ts'
import { statusText } from '#cli/output/privacy-text.ts'
import { plain } from '#cli/output/style.ts'
import { addWord, covers, isWithin, rdpWord } from '#core/privacy/chain-lanes.ts'
import { prvEpsilon } from '#core/privacy/prv.ts'
import { epsilonOnChain, mechanismOf, metricsMechanism, metricsNoise, policyWords, roundsLeft } from '#core/protocol/private-rounds.ts'
import type { PrivacySpec, Protocol } from '#core/protocol/protocol.ts'
import type { ChainEvent, ChainReader } from '#ports/chain.ts'
import { Metrics } from '#web/metrics.ts'

/*
  What a dataset has spent and has left
  ├── counts all studies on it, each at its own delta; rounds left are those that the chain would take
  ├── is told by PRV too where all protocols are known, and counts rounds that may be test metrics as both
  ├── other datasets and other sites are accounts of their own
  └── stands among the node's metrics, by RDP at once and by PRV without a scrape waiting for it
*/
const A: PrivacySpec = { unit: 'patient', epsilon: 3, delta: 1e-4, noise: 8, clip: 1, place: 'local', samplingRate: 1, steps: 1, minPatients: 20 }
const B: PrivacySpec = { ...A, noise: 6, epsilon: 2, delta: 1e-5 }
const HERE = digest(`0x${'aa'.repeat(32)}`)
const THERE = digest(`0x${'bb'.repeat(32)}`)
const studies = [
  { study: studyId(1), privacy: A },
  { study: studyId(2), privacy: B },
]

/** Run n is of study n. */
function ledgerOf(charges: readonly (readonly [site: SiteId, run: number, dataset: typeof HERE])[]): LedgerView {
  const spent = new Map<string, bigint>()
  const events = charges.map(([site, run, dataset], i) => {
    const key = `${site}/${dataset}`
    spent.set(key, addWord(spent.get(key) ?? 0n, policyWords(run === 1 ? A : B).charge))
    const at = { block: i, index: 0, timestamp: 0, tx: HERE }
    return { ...at, kind: 'Charged' as const, run: runId(run), round: roundNo(i + 1), site, dataset, spent: spent.get(key) as bigint }
  })
  return { charges: events, studyOf: new Map([1, 2, 3].map((n) => [runId(n), studyId(n)])) }
}

const me = siteId(0)
const ledger = ledgerOf([
  [me, 1, HERE],
  [siteId(1), 1, HERE],
  [me, 1, HERE],
  [me, 2, HERE],
  [me, 2, THERE],
])

describe('a budget', () => {
  it('is of all studies on a dataset', () => {
    const [a, b] = budgetsOf(ledger, { site: me, dataset: HERE }, studies, true)
    assert.ok(a !== undefined && b !== undefined)
    assert.deepEqual([a.rounds, b.rounds], [2, 1])
    const before = addWord(policyWords(A).charge, policyWords(A).charge)
    assert.equal(a.enforced, epsilonOnChain({ ...A, noise: B.noise }, 1, before))
    const mechanisms = [
      { ...mechanismOf(A), steps: 2 },
      { ...mechanismOf(B), steps: 1 },
    ]
    assert.equal(a.tight, prvEpsilon(mechanisms, A.delta).upper)
    assert.ok((a.tight as number) <= (a.enforced as number) && (b.enforced as number) > (a.enforced as number))
    assert.ok(Math.abs(a.left + (a.enforced as number) - 3) < 1e-12)
  })

  it('leaves as many rounds as the chain would take', () => {
    for (const privacy of [A, B]) {
      const policy = policyWords(privacy)
      let spent = 0n
      let rounds = 0
      for (let next = addWord(spent, policy.charge); isWithin(next, policy.limit); next = addWord(spent, policy.charge)) {
        assert.equal(roundsLeft(spent, policy), roundsLeft(0n, policy) - rounds)
        spent = next
        rounds++
      }
      assert.deepEqual([roundsLeft(0n, policy), roundsLeft(spent, policy)], [rounds, 0])
      assert.ok(rounds > 3)
    }
  })

  it('is an account for each site and dataset', () => {
    assert.deepEqual(
      datasetsIn(ledger, { site: siteId(2), dataset: HERE }).map(({ site, dataset }) => [site, dataset]),
      [
        [me, HERE],
        [me, THERE],
        [siteId(1), HERE],
        [siteId(2), HERE],
      ].map(([site, dataset]) => [site, dataset]),
    )
    assert.equal(budgetsOf(ledger, { site: me, dataset: THERE }, studies, false)[0]?.rounds, 0)
    const [untouched] = budgetsOf(ledger, { site: siteId(2), dataset: HERE }, studies, false)
    assert.deepEqual([untouched?.enforced, untouched?.left, untouched?.tight], [0, 3, null])
  })

  it('is not counted tightly where a protocol is not here', () => {
    const [known] = budgetsOf(ledger, { site: me, dataset: HERE }, [studies[0] as never, { study: studyId(2), privacy: null }], true)
    assert.ok(known?.tight === null && known.enforced !== null)
  })

  it('counts what may be the round of test metrics as that, too: tightly never too little, and on chain the same', () => {
    const network: PrivacySpec = { ...A, noise: 1.5, samplingRate: 0.1, steps: 10, expectedBatch: 30, epsilon: 8 }
    const told = { ...network, metrics: metricsNoise(network) as number }
    const [fit, judged] = [mechanismOf(network), metricsMechanism(told.metrics)]
    const spentOn = (rounds: number, fitRounds: number | undefined) =>
      budgetsOf(
        ledgerOf(Array.from({ length: rounds }, () => [me, 1, HERE] as const)),
        { site: me, dataset: HERE },
        [{ study: studyId(1), privacy: told, ...(fitRounds === undefined ? {} : { fitRounds }) }],
        true,
      )[0]?.tight as number
    const tight = (steps: number, metrics: number): number =>
      prvEpsilon(
        metrics === 0
          ? [{ ...fit, steps }]
          : [
              { ...fit, steps },
              { ...judged, steps: metrics },
            ],
        A.delta,
      ).upper
    assert.equal(spentOn(5, 5), tight(50, 0))
    assert.equal(spentOn(6, 5), tight(60, 1))
    assert.ok(spentOn(6, 5) >= tight(50, 1) && spentOn(6, 5) < 1.2 * tight(60, 0))
    assert.equal(spentOn(2, undefined), tight(20, 2))
    // Whatever a round was, its charge covers it.
    assert.ok(covers(policyWords(told).charge, rdpWord([judged])))
  })

  it('is shown with what is spent rounded up', () => {
    const budgets = budgetsOf(ledger, { site: me, dataset: HERE }, studies, true).map((budget) => ({ ...budget, site: 'here', name: 'patients', title: 'T' }))
    const shown = statusText({ site: 'here', dataset: HERE, budgets, unknown: [3] }, plain)
    assert.match(shown, /rounds left/)
    assert.match(shown, /study 3/)
    assert.match(statusText({ site: 'here', dataset: HERE, budgets: [], unknown: [] }, plain), /nothing is promised/)
  })

  it('has its left told by PRV too, never less than the chain leaves', () => {
    for (const { limit, tight, left, leftTight } of budgetsOf(ledger, { site: me, dataset: HERE }, studies, true)) {
      assert.equal(leftTight, Math.max(0, limit - (tight as number)))
      assert.ok((leftTight as number) >= left)
    }
    assert.ok(budgetsOf(ledger, { site: me, dataset: HERE }, studies, false).every(({ tight, leftTight }) => tight === null && leftTight === null))
  })
})

describe('the metrics of a node', () => {
  const learner = { kind: 'logistic', algorithm: 'newton', maxIterations: 3 }
  const watched = (known: readonly number[], charges: { list: readonly ChainEvent[] }): Metrics => {
    const metrics = new Metrics()
    const chain = {
      studies: async () => studies.map(({ study }) => ({ id: study })),
      events: async () => charges.list,
      runs: async () => [...ledger.studyOf].map(([run, study]) => ({ run, study, state: 'Active' as const })),
    } as unknown as ChainReader
    const protocolOf = async ({ id }: { id: number }) => (known.includes(id) ? ({ privacy: studies[id - 1]?.privacy, learner } as Protocol) : null)
    watchBudgets(metrics, { chain, site: me, dataset: HERE, protocolOf, log: { warn: (event, fields) => assert.fail(`${event} ${fields?.['code']}`) } })
    return metrics
  }
  const gaugeIn = (text: string, name: string, study: number): number | null => {
    const found = text.match(new RegExp(`^rota_privacy_epsilon_${name}\\{study="${study}"\\} (.+)$`, 'm'))?.[1]
    return found === undefined ? null : Number(found)
  }
  const until = async (metrics: Metrics, isThere: (text: string) => boolean): Promise<string> => {
    for (const end = Date.now() + 60_000; ; await setTimeout(20)) {
      const text = await metrics.text()
      if (isThere(text)) return text
      assert.ok(Date.now() < end, text)
    }
  }

  it('have spent and left by RDP at once, and by PRV a scrape later; counted once for each charge', async () => {
    let threads = 0
    const seen = (): void => void threads++
    process.on('worker', seen)
    after(() => process.off('worker', seen))
    const charges = { list: ledger.charges as readonly ChainEvent[] }
    const metrics = watched([1, 2], charges)
    const first = await metrics.text()
    const budgets = budgetsOf(ledger, { site: me, dataset: HERE }, studies, true)
    for (const { study, enforced, left } of budgets)
      assert.deepEqual(
        ['spent', 'left', 'spent_tight', 'left_tight'].map((name) => gaugeIn(first, name, study)),
        [enforced, left, null, null],
      )
    const text = await until(metrics, (told) => gaugeIn(told, 'left_tight', 2) !== null)
    for (const { study, enforced, left, tight, leftTight } of budgets)
      assert.deepEqual(
        ['spent', 'left', 'spent_tight', 'left_tight'].map((name) => gaugeIn(text, name, study)),
        [enforced, left, tight, leftTight],
      )
    for (let i = 0; i < 5; i++) assert.equal(await metrics.text(), text)
    assert.equal(threads, 1)

    const more = ledgerOf([...ledger.charges.map(({ site, run, dataset }) => [site, run, dataset] as const), [me, 1, HERE]])
    charges.list = more.charges
    const [then] = budgetsOf(more, { site: me, dataset: HERE }, studies, true)
    const later = await until(metrics, (told) => gaugeIn(told, 'spent_tight', 1) === then?.tight)
    assert.ok((gaugeIn(later, 'spent_tight', 1) as number) > (gaugeIn(text, 'spent_tight', 1) as number))
    assert.deepEqual([gaugeIn(later, 'left_tight', 1), threads], [then?.leftTight, 2])
  })

  it('have nothing by PRV where the protocol of a study that was charged is not here', async () => {
    const counted = new Promise<void>((resolve) => process.once('worker', (thread) => thread.once('exit', () => resolve())))
    const metrics = watched([1], { list: ledger.charges })
    assert.ok(gaugeIn(await metrics.text(), 'spent', 1) !== null)
    await counted
    assert.equal(gaugeIn(await metrics.text(), 'spent_tight', 1), null)
  })
})
