import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { dryRun, readOwnRows } from '#app/privacy/dry-run.ts'
import { dryRunTable } from '#app/privacy/dry-run-report.ts'
import { planPrivacy } from '#app/privacy/plan.ts'
import { planHtml } from '#app/privacy/plan-report.ts'
import { planText } from '#cli/output/privacy-text.ts'
import { plain } from '#cli/output/style.ts'
import { generateCohort } from '#core/model/generated-cohort.ts'
import { Seeded } from '#core/model/seeded.ts'

/*
  The dry run of a plan on a site's own rows
  ├── few steps of all patients: Newton; others: gradients, of numbers too
  ├── more epsilon does not do worse than less, and no noise is best or near it
  ├── rows marked as test are judged, else every fourth; rows with empty cells are left out
  └── stands in the text and on the page, with a plot
*/
let dir = ''
let file = ''
let open = ''
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rota-dry-'))
  const [{ table }] = generateCohort({ sites: 1, rows: 2_000, seed: 8 }).sites as [ReturnType<typeof generateCohort>['sites'][number]]
  const { columns, rows, values, label } = table.train
  const row = (i: number): string => [...values.subarray(i * columns.length, (i + 1) * columns.length), label[i]].join(',')
  const body = Array.from({ length: rows }, (_, i) => row(i))
  file = join(dir, 'marked.csv')
  await writeFile(file, [`set,${columns.join(',')},label`, ...body.map((line, i) => `${i % 3 === 0 ? 'test' : 'train'},${line}`)].join('\n'))
  open = join(dir, 'open.csv')
  await writeFile(open, [`${columns.join(',')},label`, ...body.slice(0, 200), `,${body[200]?.split(',').slice(1).join(',')}`].join('\n'))
})
after(() => rm(dir, { recursive: true, force: true }))

const question = { metrics: true, epsilon: 3, delta: 1e-5, accountant: 'rdp' } as const

describe('a dry run', () => {
  it('of few steps is one of Newton, and more epsilon does no worse', async () => {
    const own = await readOwnRows(file, {})
    const plan = planPrivacy({ ...question, cohort: own.patients, rounds: 3, localSteps: 1, batch: own.patients })
    const dry = dryRun(own, plan, undefined, new Seeded(1))
    assert.deepEqual([dry.model, dry.figure, dry.heldOut], ['logistic, noisy Newton steps', 'accuracy', 'marked'])
    assert.equal(own.patients, dry.train)
    const [least, most] = [dry.targets[0]?.mean as number, dry.targets.at(-1)?.mean as number]
    assert.ok(most > least - 0.02 && most > dry.guessing - 0.05 && dry.without > most - 0.03, `${least} ${most} ${dry.without} ${dry.guessing}`)
    for (const { low, mean, high } of dry.targets) assert.ok(low <= mean && mean <= high)
    assert.equal(dryRunTable(dry).rows.length, dry.targets.length + 2)
    assert.match(planText(plan, dry, null, plain), /Accuracy to expect[\s\S]*keep it here/)
    const html = planHtml(plan, dry)
    assert.match(html, /aria-label="accuracy by epsilon"/)
    assert.match(html, /the dry run is of this file alone/)
    assert.doesNotMatch(html, /<script|https?:\/\/|NaN|undefined/)
    assert.doesNotMatch(planHtml(plan), /to expect on this file/)
  })

  it('of many small steps goes down gradients, of numbers as of outcomes', async () => {
    const steps = { cohort: 900, rounds: 4, localSteps: 10, batch: 90 }
    const plan = planPrivacy({ ...question, ...steps, epsilon: 10 })
    const outcomes = dryRun(await readOwnRows(file, {}), plan, undefined, new Seeded(2))
    assert.equal(outcomes.model, 'logistic, noisy gradient steps')
    assert.ok((outcomes.targets.at(-1)?.mean as number) > 0.5)
    const own = await readOwnRows(open, { label: 'age', drop: ['label'] })
    const numbers = dryRun(own, { ...plan, targets: plan.targets.slice(-1) }, undefined, new Seeded(3))
    assert.deepEqual(
      [numbers.model, numbers.figure, numbers.heldOut, numbers.train + numbers.test],
      ['linear, noisy gradient steps', 'R²', 'every fourth', 200],
    )
    assert.ok(Number.isFinite(numbers.without) && Number.isFinite(numbers.targets[0]?.mean))
  })
})
