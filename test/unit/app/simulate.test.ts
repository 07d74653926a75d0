import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { protocolToYaml } from '#app/protocol/protocol-file.ts'
import { simulate } from '#app/simulate/simulate.ts'
import { simulateApart } from '#app/simulate/simulate-apart.ts'
import type { SimulateOptions } from '#app/simulate/simulate-options.ts'
import { simulatedStudy } from '#app/simulate/simulate-study.ts'
import { isRotaError } from '#base/errors.ts'
import { toJson } from '#cli/output/output.ts'

/*
 * simulate
 * ├── given generated sites
 * │   ├── it finds the truth, gives the same digests each time, and every key of the answer
 * │   └── the same rows by file and protocol give the same model in every round
 * ├── given a site with too few rows
 * │   └── it is left out and named
 * ├── given a site with one outcome and private intercepts
 * │   └── its intercept is null, and nothing else suffers
 * └── given options that contradict each other, or nothing
 *     └── it says which
 */

const play = (options: SimulateOptions) => simulate(options, { signal: new AbortController().signal })
const KEYS = [
  'learner',
  'algorithm',
  'rounds',
  'converged',
  'columns',
  'mean',
  'std',
  'coef',
  'se',
  'p',
  'siteIntercepts',
  'logLik',
  'test',
  'alone',
  'bytesPerSitePerRound',
  'seconds',
  'peakRssBytes',
  'digests',
]
const fails = (code: string) => (error: unknown) => isRotaError(error) && error.code === code

let dir = ''
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'rota-simulate-'))
})
after(() => rm(dir, { recursive: true, force: true }))

/** Generated rows as a person would have them: one file with a site column. */
async function asFile(options: SimulateOptions, name: string): Promise<{ readonly file: string; readonly protocol: string }> {
  const { protocol, tables } = await simulatedStudy(options)
  const columns = protocol.features.map((feature) => feature.name)
  const lines = [['site', 'set', ...columns, protocol.label.name].join(',')]
  for (const [site, split] of tables) {
    for (const set of ['train', 'test'] as const) {
      const table = split[set]
      for (let i = 0; i < table.rows; i++)
        lines.push([site, set, ...table.values.subarray(i * columns.length, (i + 1) * columns.length), table.label[i]].join(','))
    }
  }
  const file = join(dir, `${name}.csv`)
  await writeFile(file, `${lines.join('\n')}\n`)
  await writeFile(join(dir, `${name}.yaml`), protocolToYaml(protocol))
  return { file, protocol: join(dir, `${name}.yaml`) }
}

describe('simulate', () => {
  it('answers with every key, and finds the truth of generated rows', async () => {
    const { answer } = await play({ sites: 4, rows: 900, seed: 3 })
    assert.deepEqual(
      KEYS.filter((key) => !(key in answer)),
      [],
    )
    assert.equal(answer.columns.at(-1), '(intercept)')
    assert.equal(answer.digests.length, answer.rounds)
    assert.ok(answer.digests.every((digest) => /^0x[0-9a-f]{64}$/.test(digest)))
    assert.ok(answer.converged)
    assert.equal(answer.truth?.coef.length, answer.coef?.length)
    const raw = (answer.coef as number[]).slice(0, -1).map((c, j) => c / (answer.std[j] as number))
    raw.forEach((c, j) =>
      assert.ok(Math.abs(c - (answer.truth?.coef[j] as number)) < (4 * (answer.se?.[j] as number)) / (answer.std[j] as number), answer.columns[j]),
    )
    assert.deepEqual(Object.keys(answer.alone ?? {}), answer.sites)
  })

  it('gives the same models again, and others for another seed', async () => {
    const [first, again, other] = [await play({ sites: 3, rows: 60 }), await play({ sites: 3, rows: 60 }), await play({ sites: 3, rows: 60, seed: 2 })]
    assert.deepEqual(first.answer.digests, again.answer.digests)
    assert.notEqual(first.answer.digests.at(-1), other.answer.digests.at(-1))
  })

  for (const options of [{ l2: 0.01 }, { algorithm: 'fedavg', rounds: 5, localSteps: 2, learningRate: 0.5 }] as const) {
    it(`gives the same models by file and protocol as by options: ${JSON.stringify(options)}`, async () => {
      const asked = { sites: 3, rows: 80, seed: 5, ...options }
      const { file, protocol } = await asFile(asked, `same-${Object.keys(options).length}`)
      const [generated, read] = [await play(asked), await play({ data: file, protocol })]
      assert.deepEqual(read.answer.digests, generated.answer.digests)
      assert.deepEqual(read.answer.test, generated.answer.test)
    })
  }

  it('leaves out and names sites with too few rows', async () => {
    const { file } = await asFile({ sites: 3, rows: 60 }, 'few')
    const small = await play({ data: file, label: 'readmitted', minRows: 40 })
    assert.ok(small.answer.leftOut.length > 0)
    assert.equal(small.answer.sites.length + small.answer.leftOut.length, 3)
    await assert.rejects(play({ data: file, label: 'readmitted', minRows: 10_000 }), fails('ROTA-1103'))
  })

  it('gives a site with one outcome no intercept and no metrics, and the others theirs', async () => {
    const file = join(dir, 'one-class.csv')
    const line = (site: string, i: number, label: number) => `${site},${i % 3 === 0 ? 'test' : 'train'},${(i * 37) % 101},${(i * 53) % 89},${label}`
    const rows = ['a', 'b'].flatMap((site, k) => Array.from({ length: 90 }, (_, i) => line(site, i + k, (i * 37) % 101 > (i * 71) % 97 ? 1 : 0)))
    const sure = Array.from({ length: 30 }, (_, i) => line('sure', i, 1))
    await writeFile(file, ['site,set,x,y,label', ...rows, ...sure].join('\n'))
    const { answer } = await play({ data: file, siteIntercepts: true })
    assert.equal(answer.siteIntercepts?.sure, null)
    assert.equal(typeof answer.siteIntercepts?.a, 'number')
    assert.equal(answer.coef?.at(-1), null)
    assert.equal(answer.test?.sites.sure?.auc, null)
    assert.equal(answer.alone?.sure?.own.auc, null)
    assert.doesNotMatch(toJson(answer), /NaN|Infinity/)
  })

  it('counts for statistics', async () => {
    const { answer, view } = await play({ sites: 3, rows: 60, learner: 'statistics' })
    assert.equal(answer.coef, null)
    assert.equal(answer.statistics?.length, answer.columns.length)
    assert.equal(view.results.kind, 'statistics')
  })

  it('says which options do not go together', async () => {
    const { file, protocol } = await asFile({ sites: 3, rows: 60 }, 'options')
    const wrong: readonly (readonly [SimulateOptions, string])[] = [
      [{}, 'ROTA-1101'],
      [{ protocol }, 'ROTA-1101'],
      [{ sites: 3, data: file }, 'ROTA-1102'],
      [{ sites: 3, protocol }, 'ROTA-1102'],
      [{ sites: 3, learner: 'linear', algorithm: 'fedavg' }, 'ROTA-1102'],
      [{ sites: 3, rounds: 3 }, 'ROTA-1102'],
      [{ sites: 3, algorithm: 'fedavg', siteIntercepts: true }, 'ROTA-1102'],
      [{ data: file, protocol, l2: 0.5 }, 'ROTA-1104'],
      [{ data: file, drop: ['agee'] }, 'ROTA-3006'],
      [{ data: join(dir, 'nowhere.csv') }, 'ROTA-3001'],
    ]
    for (const [options, code] of wrong) await assert.rejects(play(options), fails(code), JSON.stringify(options))
  })

  it('takes options that say what the protocol says', async () => {
    const { file, protocol } = await asFile({ sites: 3, rows: 60 }, 'agree')
    assert.ok((await play({ data: file, protocol, learner: 'logistic', algorithm: 'newton' })).answer.converged)
  })

  it('names a label with three values', async () => {
    const file = join(dir, 'three.csv')
    await writeFile(file, `site,x,label\n${Array.from({ length: 40 }, (_, i) => `a,${i % 7},${i % 3}`).join('\n')}\n`)
    await assert.rejects(play({ data: file }), fails('ROTA-3010'))
  })

  it('stops when it is told to', async () => {
    const stop = new AbortController()
    const work = simulate(
      { sites: 4, rows: 60, algorithm: 'fedavg', rounds: 1000, localSteps: 1, learningRate: 0.1 },
      { signal: stop.signal, onRound: () => stop.abort(new Error('enough')) },
    )
    await assert.rejects(work, /enough/)
  })
})

describe('simulate in a thread of its own', () => {
  it('gives what simulate gives, and tells how far it is', async () => {
    const told: string[] = []
    const apart = await simulateApart({ sites: 3, rows: 60 }, { signal: new AbortController().signal, onRound: (text) => told.push(text) })
    assert.deepEqual(apart.answer.digests, (await play({ sites: 3, rows: 60 })).answer.digests)
    assert.ok(told.includes('round 1'))
  })

  it('throws errors of the catalogue', async () => {
    await assert.rejects(simulateApart({}, { signal: new AbortController().signal }), fails('ROTA-1101'))
  })

  it('stops at once', async () => {
    const stop = new AbortController()
    const work = simulateApart({ sites: 60, rows: 5000 }, { signal: stop.signal })
    setTimeout(() => stop.abort(new Error('enough')), 50)
    await assert.rejects(work, /enough/)
  })
})
