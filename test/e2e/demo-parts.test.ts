import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { cohortFromFile, generatedCohort, toCsv } from '../../scripts/demo/cohort.ts'
import { DemoError } from '../../scripts/demo/demo-error.ts'
import { openEar } from '../../scripts/demo/ear.ts'
import { followFile } from '../../scripts/demo/follow-file.ts'
import type { Heard } from '../../scripts/demo/hospital.ts'
import { readOptions } from '../../scripts/demo/options.ts'
import { fitPooled, twoSided } from '../../scripts/demo/pooled-fit.ts'
import { compare, pooledFit } from '../../scripts/demo/pooled-rows.ts'

/*
 * the demo's parts, without a network
 * ├── the pooled fit: a case solved by hand, the reference of real rows, refusals
 * ├── cohorts: split by hospital, real files, files that are none
 * ├── options: what may be given, and what may not
 * └── what is waited for: heard, overdue, interrupted
 */

const SHARED = join(import.meta.dirname, '../../../shared')
const HEART = join(SHARED, 'data/prepared/heart.csv')
const REFERENCE = join(SHARED, 'reference/exact.json')

let root: string
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'rota-demo-parts-'))
})
after(() => rm(root, { recursive: true, force: true }))

const near = (found: number | undefined, expected: number, tolerance: number) =>
  assert.ok(Math.abs((found ?? Number.NaN) - expected) <= tolerance, `${found} is not ${expected}`)

describe('the pooled fit', () => {
  it('is the log odds of a two by two table', () => {
    // 10 of 30 without, 25 of 40 with the trait: slope = log(25·20 / (15·10)), variance = 1/10 + 1/20 + 1/25 + 1/15.
    const rows = [...Array.from({ length: 30 }, () => [0]), ...Array.from({ length: 40 }, () => [1])]
    const outcomes = rows.map((_, i) => Number(i < 10 || (i >= 30 && i < 55)))
    const fit = fitPooled(rows, outcomes)
    near(fit.coef[0], Math.log((25 * 20) / (15 * 10)), 1e-12)
    near(fit.coef[1], Math.log(10 / 20), 1e-12)
    near(fit.se[0], Math.sqrt(1 / 10 + 1 / 20 + 1 / 25 + 1 / 15), 1e-12)
    near(fit.se[1], Math.sqrt(1 / 10 + 1 / 20), 1e-12)
  })

  it('has the tail of the normal distribution on both sides of its two formulas', () => {
    near(twoSided(1.959963984540054), 0.05, 1e-14)
    near(twoSided(0), 1, 1e-15)
    near(twoSided(-5) / 5.733031437583892e-7, 1, 1e-9)
  })

  it('refuses a constant column and a separated outcome', () => {
    const rows = Array.from({ length: 20 }, (_, i) => [i, 7])
    assert.throws(
      () =>
        fitPooled(
          rows,
          rows.map((_, i) => i % 2),
        ),
      /do not determine|does not converge/,
    )
    assert.throws(
      () =>
        fitPooled(
          rows.map(([x]) => [x as number]),
          rows.map((_, i) => Number(i > 9)),
        ),
      /do not determine|does not converge/,
    )
  })

  it('gives the reference of heart.csv', async (t) => {
    if (!existsSync(REFERENCE)) return t.skip('the reference file is not here')
    const { heart_logistic: expected } = JSON.parse(await readFile(REFERENCE, 'utf8'))
    const cohort = await cohortFromFile(HEART)
    const fit = pooledFit(cohort)
    // Its coefficients are per standard deviation; z and p of the slopes are the same on every scale.
    assert.deepEqual(
      [...cohort.columns],
      expected.columns.filter((column: string) => column !== '(intercept)'),
    )
    for (let j = 0; j < cohort.columns.length; j++) {
      near((fit.coef[j] as number) / (fit.se[j] as number), expected.z[j], 1e-6)
      near(fit.p[j], expected.p[j], 1e-6)
    }
  })

  it('shows how far the network is from it', () => {
    const cohort = generatedCohort(3)
    const pooled = pooledFit(cohort)
    const answer = {
      modelRoot: '',
      converged: true,
      problem: null,
      columns: [...cohort.columns, '(intercept)'],
      p: [...pooled.p, 0.5],
      test: null,
      alone: null,
    }
    const raw = { coef: pooled.coef, se: pooled.se, ratio: pooled.coef.map(Math.exp), ci95: pooled.coef.map((c) => [c, c] as const) }
    assert.deepEqual(compare({ ...answer, raw }, pooled).difference, { coef: 0, se: 0, p: 0 })
    const moved = { ...raw, coef: raw.coef.map((c, j) => (j === 2 ? c + 1e-3 : c)) }
    near(compare({ ...answer, raw: moved }, pooled).difference.coef, 1e-3, 1e-12)
    assert.equal(compare({ ...answer, raw: { ...raw, coef: raw.coef.slice(1) } }, pooled).difference.coef, Number.POSITIVE_INFINITY)
  })
})

describe('cohorts', () => {
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(root, name), text)
    return join(root, name)
  }
  const sites = (count: number): string => Array.from({ length: count * 3 }, (_, i) => `s${i % count},${i},1,${i % 2}`).join('\n')

  it('are generated alike from one seed, with patients of their own at each hospital', () => {
    const cohort = generatedCohort(5)
    assert.deepEqual(cohort, generatedCohort(5))
    assert.equal(cohort.hospitals.length, 4)
    const patients = cohort.hospitals.flatMap(({ rows }) => rows.map(({ patient }) => patient))
    assert.equal(new Set(patients).size, patients.length)
    assert.equal(cohort.known?.truth.columns.at(-1), '(intercept)')
  })

  it('come from a file, each hospital with its own rows, every third for testing where none says', async () => {
    const cohort = await cohortFromFile(await file('four.csv', `site,age,sex,label\n${sites(4)}\n`))
    assert.deepEqual(
      cohort.hospitals.map(({ name, rows }) => [name, rows.length]),
      [
        ['s0', 3],
        ['s1', 3],
        ['s2', 3],
        ['s3', 3],
      ],
    )
    assert.deepEqual(cohort.columns, ['age', 'sex'])
    const own = cohort.hospitals[1]?.rows ?? []
    assert.equal(toCsv(cohort, own), 'patient,set,age,sex,label\ns1-0001,train,1,1,1\ns1-0002,train,5,1,1\ns1-0003,test,9,1,1\n')
  })

  for (const [what, text, reason] of [
    ['has no site column', 'age,label\n1,0\n', /no column "site"/],
    ['has no label column', 'site,age\na,1\n', /no column "label"/],
    ['has three sites', `site,age,sex,label\n${sites(3)}\n`, /3 sites/],
    ['is ragged', 'site,age,label\na,1\n', /cannot be read/],
  ] as const) {
    it(`refuse a file that ${what}`, async () => {
      const path = await file('bad.csv', text)
      await assert.rejects(cohortFromFile(path), (error) => error instanceof DemoError && reason.test(error.message))
    })
  }

  it('leave out columns of text, and read the usual signs of a missing value', async () => {
    const cohort = await cohortFromFile(
      await file('gaps.csv', `site,age,ward,label\n${Array.from({ length: 8 }, (_, i) => `S ${i % 4},${i < 4 ? 'NA' : i},"a, b",${i % 2}`).join('\n')}\n`),
    )
    assert.deepEqual(cohort.columns, ['age'])
    assert.deepEqual(
      cohort.hospitals[0]?.rows.map(({ patient, cells }) => [patient, ...cells]),
      [
        ['S-0-0001', ''],
        ['S-0-0002', '4'],
      ],
    )
  })

  it('refuse a file that is not there', () => assert.rejects(cohortFromFile(join(root, 'none.csv')), DemoError))
})

describe('options', () => {
  it('are keep, json, data and seed', () => {
    assert.deepEqual(readOptions(['--keep', '--json', '--data', 'x.csv', '--seed', '7']), { keep: true, json: true, data: resolve('x.csv'), seed: 7 })
    assert.deepEqual(readOptions([])?.keep, false)
    assert.equal(readOptions(['--data', 'x.csv'], '/wards')?.data, '/wards/x.csv')
    assert.equal(readOptions(['--help']), null)
  })

  it('are nothing else', () => {
    assert.throws(() => readOptions(['--kep']), DemoError)
    assert.throws(() => readOptions(['--seed', 'x']), DemoError)
  })
})

describe('what is waited for', () => {
  const heard = (name: string): Heard => ({ hospital: { name }, event: { event: 'stopped' } }) as unknown as Heard
  const named = (name: string) => (told: Heard) => (told.hospital.name === name ? name : undefined)

  it('is heard from the mark on', async () => {
    const ear = openEar(new AbortController().signal, 'see the logs')
    ear.hear(heard('before'))
    const since = ear.mark()
    ear.hear(heard('then'))
    assert.equal(await ear.wait('then', named('then'), 50, since), 'then')
    await assert.rejects(ear.wait('before', named('before'), 20, since), (error) => error instanceof DemoError && error.advice === 'see the logs')
    const later = ear.wait('later', named('later'), 1_000)
    ear.hear(heard('later'))
    assert.equal(await later, 'later')
  })

  it('ends with an interruption', async () => {
    const stop = new AbortController()
    const ear = openEar(stop.signal, '')
    const waiting = ear.wait('never', named('never'), 10_000)
    stop.abort(new Error('stopped'))
    await assert.rejects(waiting, /stopped/)
  })

  it('is told by lines of a file, each once it is whole', async () => {
    const path = join(root, 'lines.txt')
    const lines: string[] = []
    const following = followFile(path, (line) => lines.push(line))
    await appendFile(path, 'one\ntw')
    await appendFile(path, 'o\nthree\nhal')
    await following.stop()
    assert.deepEqual(lines, ['one', 'two', 'three'])
  })
})
