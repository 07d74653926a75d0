import { table } from '#cli/output/table.ts'
import { must } from '../demo-error.ts'
import { type ModelAnswer, showModel, worthCells, worthOf } from '../model-answer.ts'
import { compare, pooledFit, TOLERANCE } from '../pooled-rows.ts'
import type { Comparison, ExactResult } from '../results.ts'
import { openRun } from '../rounds.ts'
import type { Network, Scene, Studies } from '../scene.ts'

/** Act 3. Logistic regression to convergence, beside the same fit on pooled rows, and what it is worth to each hospital. */
export async function actExact(scene: Scene, network: Network, { exact }: Studies): Promise<ExactResult> {
  const { stage, cohort } = scene
  stage.act(3, 'Exact training', 'Logistic regression by Newton’s method: each hospital sends sums over its patients, all add them up, and take the same step.')
  const opened = await openRun(scene, network, exact)
  const run = await opened.over()
  must(run.state === 'Finished', `run ${run.run} is ${run.state}, not finished`)
  must(
    run.rounds.every(({ included }) => included.length === network.hospitals.length),
    `not every hospital is in every round of run ${run.run}`,
  )

  stage.command(`rota model show ${run.run} --folder ${network.hospitals[0]?.name}`)
  stage.now('each hospital judges the model with its own test rows')
  const answers = await Promise.all(network.hospitals.map((hospital) => showModel(scene, run.run, hospital)))
  const [answer] = answers as [ModelAnswer, ...ModelAnswer[]]
  must(answer.problem === null, `the fit has no result: ${answer.problem?.code} (${answer.problem?.columns.join(', ')})`)
  const comparison = compare(answer, pooledFit(cohort))
  const truth = truthOf(scene, comparison)
  tellComparison(scene, comparison, truth)
  const sites = Object.fromEntries(network.hospitals.map(({ name }, i) => [name, siteWorth(answers[i] as ModelAnswer, name)]))
  tellSites(scene, sites)
  return { ...run, ...comparison, truth, sites }
}

function siteWorth({ test, alone }: ModelAnswer, name: string): ExactResult['sites'][string] {
  const joint = test?.sites[name]
  must(joint !== undefined, `${name} did not judge the model with its own test rows`)
  const own = alone?.[name]
  return { joint: worthOf(joint), alone: own === undefined || own.problem !== undefined ? null : worthOf(own.own), problem: own?.problem ?? null }
}

function truthOf({ cohort }: Scene, { columns, ci95 }: Comparison): ExactResult['truth'] {
  if (cohort.known === null) return null
  const { truth } = cohort.known
  const coef = columns.map((column) => truth.coef[truth.columns.indexOf(column)] ?? Number.NaN)
  return { coef, covered: coef.filter((value, j) => inside(ci95[j], value)).length }
}

const inside = (interval: readonly [number, number] | undefined, value: number): boolean =>
  interval !== undefined && interval[0] <= value && value <= interval[1]

function tellComparison({ stage }: Scene, { columns, coef, oddsRatio, ci95, p, pooled, difference }: Comparison, truth: ExactResult['truth']): void {
  const head = ['feature', 'coefficient', '95 % interval', 'odds ratio', 'p', 'pooled fit', ...(truth === null ? [] : ['truth'])]
  const rows = columns.map((column, j) => [
    column,
    digits(coef[j]),
    `${fixed(ci95[j]?.[0])} to ${fixed(ci95[j]?.[1])}`,
    j < p.length ? (oddsRatio[j] ?? Number.NaN).toFixed(3) : null,
    j < p.length ? pText(p[j] as number) : null,
    digits(pooled.coef[j]),
    ...(truth === null ? [] : [String(truth.coef[j])]),
  ])
  stage.line()
  for (const line of table(head, rows, stage.style).split('\n')) stage.line(`   ${line}`)
  stage.line(stage.style.dim('   Per unit of each feature. Pooled fit: by this script, of the file that it split, outside every node.'))
  must(
    Math.max(difference.coef, difference.se, difference.p) <= TOLERANCE,
    `the network and the pooled fit differ: by ${difference.coef} (coefficients), ${difference.se} (standard errors), ${difference.p} (p)`,
  )
  stage.good(
    `equal to the pooled fit: largest difference ${power(difference.coef)} (coefficients), ${power(difference.se)} (standard errors), ${power(difference.p)} (p-values)`,
  )
  if (truth !== null) stage.good(`${truth.covered} of the ${columns.length} true coefficients lie in their 95 % intervals`)
}

function tellSites({ stage }: Scene, sites: ExactResult['sites']): void {
  stage.line()
  const rows = Object.entries(sites).map(([name, { joint, alone, problem }]) => [name, joint.n, ...worthCells(joint), ...worthCells(alone), problem ?? ''])
  const problems = rows.some((row) => row.at(-1) !== '')
  const head = ['hospital', 'own test rows', 'joint: accuracy', 'AUC', 'alone: accuracy', 'AUC', ...(problems ? ['why not alone'] : [])]
  for (const line of table(head, rows, stage.style).split('\n')) stage.line(`   ${line}`)
}

const digits = (x: number | undefined): string => (x ?? Number.NaN).toFixed(6)
const fixed = (x: number | undefined): string => (x ?? Number.NaN).toFixed(3)
const pText = (p: number): string => (p < 0.0001 ? '<0.0001' : p.toFixed(4))
const power = (x: number): string => x.toExponential(0)
