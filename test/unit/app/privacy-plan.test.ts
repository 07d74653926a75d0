import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { roundedUp } from '#app/privacy/bare-questions.ts'
import { LEAST_COHORT, type PlanQuestion, planPrivacy } from '#app/privacy/plan.ts'
import { planHtml } from '#app/privacy/plan-report.ts'
import { type ErrorCode, isRotaError } from '#base/errors.ts'
import { rota } from '../cli/rota.ts'

/*
 * rota privacy
 * ├── plan
 * │   ├── it finds noise that keeps the promise to the last round, by each count
 * │   ├── it tells what other promises take: less noise for more epsilon
 * │   ├── it makes one page that asks nothing of the network
 * │   └── it refuses what cannot be planned, each by its own error
 * └── on the command line
 *     ├── it answers the bare questions with one number
 *     └── it exits with 2 and a code for what is out of range
 */
const question: PlanQuestion = { cohort: 300, rounds: 12, metrics: false, localSteps: 2, batch: 60, epsilon: 3, delta: 1e-4, accountant: 'rdp' }

describe('a privacy plan', () => {
  it('keeps its promise to the last round', () => {
    const plan = planPrivacy(question)
    assert.equal(plan.steps, 24)
    assert.equal(plan.samplingRate, 0.2)
    assert.deepEqual(
      plan.spent.map(({ round }) => round),
      Array.from({ length: 12 }, (_, i) => i + 1),
    )
    for (const [i, { prv, rdp, onChain }] of plan.spent.entries()) {
      assert.ok(prv <= rdp && rdp <= (onChain ?? 0) && rdp <= 3)
      if (i > 0) assert.ok(prv >= (plan.spent[i - 1]?.prv ?? 0))
    }
    assert.ok((plan.spent.at(-1)?.rdp ?? 0) > 2.999)
    assert.ok((plan.chain?.epsilon ?? 0) >= (plan.spent.at(-1)?.onChain ?? 9))
    assert.match(plan.chain?.rdpWord ?? '', /^0x[0-9a-f]{64}$/)
  })

  it('counts test metrics as one round more, by each count', () => {
    for (const change of [{}, { localSteps: 1, batch: 300 }]) {
      const [plan, without] = [planPrivacy({ ...question, ...change, metrics: true }), planPrivacy({ ...question, ...change })]
      const last = plan.spent.at(-1)
      assert.deepEqual([last?.round, plan.rounds, plan.steps, without.metricsNoise], [13, 12, without.steps, null])
      assert.ok(plan.noise > without.noise && (last?.rdp ?? 9) <= 3 && (last?.prv ?? 9) <= (last?.rdp ?? 0) && (last?.rdp ?? 9) > 2.95)
      assert.ok((last?.onChain ?? 9) >= (last?.rdp ?? 0) && (last?.prv ?? 0) > (plan.spent.at(-2)?.prv ?? 9))
    }
    const exact = planPrivacy({ ...question, localSteps: 1, batch: 300, metrics: true })
    assert.equal(exact.metricsNoise, exact.noise)
  })

  it('by the tight count needs less noise', () => {
    const byRdp = planPrivacy({ ...question, batch: 300, epsilon: 1 })
    const tight = planPrivacy({ ...question, batch: 300, epsilon: 1, accountant: 'prv' })
    assert.ok(tight.noise < byRdp.noise && (tight.spent.at(-1)?.prv ?? 9) <= 1)
  })

  it('tells what other promises take', () => {
    const { targets, noise } = planPrivacy({ ...question, epsilon: 2.5, batch: 300 })
    assert.deepEqual(
      targets.map(({ epsilon }) => epsilon),
      [0.5, 1, 2, 2.5, 3, 5, 8, 10],
    )
    assert.ok(targets.every((line, i) => i === 0 || line.noise < (targets[i - 1]?.noise ?? 0)))
    assert.equal(targets.find(({ epsilon }) => epsilon === 2.5)?.noise, noise)
  })

  it('of many rounds shows about twenty, the last one always', () => {
    const { spent } = planPrivacy({ ...question, rounds: 1000, batch: 300 })
    assert.ok(spent.length <= 20 && spent.at(-1)?.round === 1000)
  })

  it('fits on one page that asks nothing of the network', () => {
    const html = planHtml(planPrivacy({ ...question, batch: 300 }))
    assert.match(html, /target 3<\/text>.*<polyline points=/)
    assert.match(html, /Not shown/)
    assert.doesNotMatch(html, /<script|https?:\/\/|NaN|undefined/)
  })

  it('refuses what cannot be planned', () => {
    const refused = (code: ErrorCode, change: Partial<PlanQuestion>): void =>
      assert.throws(
        () => planPrivacy({ ...question, ...change }),
        (error) => isRotaError(error, code),
        code,
      )
    refused('ROTA-2356', { cohort: LEAST_COHORT - 1, batch: 10 })
    refused('ROTA-2358', { batch: 301 })
    refused('ROTA-2358', { batch: 0.5 })
    refused('ROTA-2359', { delta: 1 / 300 })
    refused('ROTA-2352', { delta: 0 })
    refused('ROTA-2351', { epsilon: -1 })
    refused('ROTA-2355', { rounds: 0 })
    refused('ROTA-2355', { localSteps: 1e9 })
  })

  it('rounds what people read up', () => {
    assert.deepEqual(
      [roundedUp(1.23401), roundedUp(1.234), roundedUp(0.0012341), roundedUp(9.99991), roundedUp(0)],
      ['1.235', '1.234', '0.001235', '10.00', '0.000'],
    )
  })
})

describe('rota privacy', () => {
  const words = (line: string): string[] => line.split(' ')

  it('answers the bare questions with one number', async () => {
    const [tight, rdp, noise] = await Promise.all([
      rota(words('privacy epsilon --sampling-rate 0.01 --noise 1 --steps 1000 --delta 1e-5 --accountant prv --json')),
      rota(words('privacy epsilon --sampling-rate 0.01 --noise 1 --steps 1000 --delta 1e-5 --accountant rdp --json')),
      rota(words('privacy noise --epsilon 1 --sampling-rate 1 --steps 1 --delta 1e-5 --json')),
    ])
    // Google's dp-accounting comes to these (b5b0286e).
    assert.ok(Math.abs(JSON.parse(tight.stdout).epsilon - 1.8282436) < 0.01)
    assert.ok(Math.abs(JSON.parse(rdp.stdout).epsilon - 2.1013665) < 1e-5)
    assert.ok(Math.abs(JSON.parse(noise.stdout).noise - 3.730631634816) < 1e-6)
    assert.deepEqual(Object.keys(JSON.parse(tight.stdout)), ['epsilon'])
    assert.deepEqual(Object.keys(JSON.parse(noise.stdout)), ['noise'])
  })

  it('exits with 2 and a code for what is out of range', async () => {
    for (const [line, code] of [
      ['privacy epsilon --sampling-rate 1.5 --noise 1 --steps 10 --delta 1e-5', 'ROTA-2353'],
      ['privacy epsilon --sampling-rate 0.5 --noise -1 --steps 10 --delta 1e-5', 'ROTA-2354'],
      ['privacy noise --epsilon 1 --sampling-rate 0.5 --steps 10', 'ROTA-1006'],
      ['privacy plan --cohort 12 --rounds 5 --epsilon 1 --delta 1e-3', 'ROTA-2356'],
    ] as const) {
      const { code: exit, stderr } = await rota(words(line))
      assert.equal(exit, 2, line)
      assert.match(stderr, new RegExp(`^${code} `), line)
    }
  })

  it('writes the plan as a page', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rota-plan-'))
    try {
      const file = join(folder, 'plan.html')
      const { code, stdout } = await rota([...words('privacy plan --cohort 300 --rounds 4 --epsilon 3 --delta 1e-4 --report'), file])
      assert.equal(code, 0)
      assert.match(stdout, /× the clip norm/)
      assert.match(await readFile(file, 'utf8'), /Privacy plan: epsilon 3 for 300 patients/)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
