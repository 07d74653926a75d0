import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { jsonRpc } from '#adapters/devchain/machine.ts'
import { RotaError } from '#base/errors.ts'
import type { StudyId } from '#base/ids.ts'
import { csvOf, type Hospitals, makeHospitals } from '../support/hospitals.ts'
import { generatedStudy } from '../support/studies.ts'

// given rows that carry marks: a patient's name in every row, and a value that occurs nowhere else
// ├── when a run is trained, and a file is broken in the middle of another
// └── then no mark is in any log, output, metric, file of the node's state, or transaction

const NAME = 'Markworthy-Zebediah'
const VALUE = 77.12345678901
const SECRET_TEXT = 'xyzzy-cell-text'
const limits = Object.fromEntries(
  ['keying', 'contributing', 'witnessing', 'publishing', 'attesting'].map((phase) => [phase, { seconds: 7, blocks: 7 }]),
) as never
const study = generatedStudy({ sites: 3, rows: 45, change: { limits } })

/** Every row gets a named patient; the first row's first feature is the marked value. */
function marked(csv: string): string {
  const [head, first, ...rest] = csv.trim().split('\n') as [string, string, ...string[]]
  const cells = first.split(',')
  cells[1] = String(VALUE)
  return [`patient,${head}`, ...[cells.join(','), ...rest].map((line, i) => `${NAME}-${i},${line}`)].join('\n')
}

describe('what leaves a hospital', () => {
  let hospitals: Hospitals
  let id: StudyId
  const outside: { readonly where: string; readonly text: string }[] = []

  before(async () => {
    const label = study.cohort.label.name
    hospitals = await makeHospitals(
      study.sites.map((site) => ({ ...site, csv: marked(csvOf(site.rows, label)) })),
      label,
    )
    await Promise.all(hospitals.folders.map((_, i) => hospitals.start(i, ['--log-level', 'debug'])))
    id = await hospitals.publish(study.protocol)
  })
  after(() => hospitals?.stop())

  it('holds no mark after a run, and after a run with a broken file', async () => {
    const run = await hospitals.openRun(id)
    for (const node of hospitals.nodes) await node?.until((e) => e.event === 'run-over' && e.run === run)

    const data = join(hospitals.dir, 'rows-1.csv')
    const { writeFile } = await import('node:fs/promises')
    const lines = (await readFile(data, 'utf8')).split('\n')
    lines[2] = (lines[2] as string).replace(/,[^,]*$/, `,${SECRET_TEXT}`)
    await writeFile(data, lines.join('\n'))
    const second = await hospitals.openRun(id)
    const abstained = await hospitals.nodes[1]?.until((e) => e.event === 'progress' && e.progress.kind === 'abstained' && e.progress.run === second)
    assert.ok(abstained?.event === 'progress' && abstained.progress.kind === 'abstained')
    assert.equal(abstained.progress.reason, 'dataError')

    for (const [i, node] of hospitals.nodes.entries()) outside.push({ where: `output and log of node ${i}`, text: node?.said() ?? '' })
    await collectWeb()
    await collectChain()
    await collectState()
    assert.ok(outside.length > 8)
    for (const { where, text } of outside) for (const mark of marks()) assert.ok(!text.includes(mark), `${mark} is in the ${where}`)
  })

  it('would be found by this test', () => {
    assert.ok(marked('set,a\ntrain,1\n').includes(`${NAME}-0`))
    assert.ok(new RotaError('ROTA-5505', { run: 1, round: 1, root: NAME }).message.includes(NAME))
  })

  async function collectWeb(): Promise<void> {
    for (const node of hospitals.nodes) {
      const started = node?.events.find((e) => e.event === 'started')
      if (started?.event !== 'started') continue
      for (const path of ['/healthz', '/metrics']) outside.push({ where: path, text: await (await fetch(`${started.web}${path}`)).text() })
    }
  }

  async function collectChain(): Promise<void> {
    const head = Number(await jsonRpc(hospitals.chain.port, 'eth_blockNumber'))
    let calldata = ''
    for (let block = 0; block <= head; block++)
      calldata += JSON.stringify(await jsonRpc(hospitals.chain.port, 'eth_getBlockByNumber', [`0x${block.toString(16)}`, true]))
    assert.ok(calldata.length > 10_000)
    outside.push({ where: 'calldata', text: calldata })
  }

  async function collectState(): Promise<void> {
    for (const folder of hospitals.folders)
      for (const entry of await readdir(join(folder, 'state'), { recursive: true, withFileTypes: true }))
        if (entry.isFile()) {
          const bytes = await readFile(join(entry.parentPath, entry.name))
          outside.push({ where: `file ${entry.name}`, text: `${bytes.toString('latin1')} ${bytes.toString('hex')}` })
        }
  }
})

/** The marks as text, and as bytes in hex: UTF-8 of the words, float64 of the value in both orders. */
function marks(): string[] {
  const value = Buffer.alloc(8)
  value.writeDoubleLE(VALUE)
  const words = [NAME, SECRET_TEXT, String(VALUE)]
  return [...words, ...words.map((word) => Buffer.from(word).toString('hex')), value.toString('hex'), Buffer.from(value).reverse().toString('hex')]
}
