import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import process from 'node:process'
import { describe, it } from 'node:test'
import { measure } from '../../../scripts/coverage/measure.ts'
import { smallProject } from './small-project.ts'

/** Copies of this process that are still there. */
const copies = async (): Promise<string[]> => (await readdir(tmpdir())).filter((name) => name.startsWith(`rota-coverage-${process.pid}-`))

describe('coverage of a small project, by its own tests', () => {
  it('names each branch that they do not take, and leaves the project as it was', async () => {
    await using project = await smallProject()
    const { missed, uncounted, branches, reached } = await measure(project.root)
    assert.deepEqual(
      missed.map(({ line, kind, text, outcome }) => `${line} ${kind} ${text}: ${outcome}`),
      ['5 || b > 9: true', '6 ?: a < b: false', '12 assembly if gt(z, 99): true', '18 assembly if gt(n, gas()): false', '23 if a: true', '23 if a: false'],
    )
    assert.deepEqual([branches, uncounted, reached], [{ covered: 10, of: 16 }, [], false])
    assert.deepEqual((await readdir(project.root)).sort(), ['contracts', 'hardhat.config.ts', 'node_modules', 'package.json', 'test'])
    assert.deepEqual(await copies(), [])
  })

  it('is not known when a test fails', async () => {
    await using project = await smallProject(true)
    await assert.rejects(measure(project.root), /failed on the copy[\s\S]*test_Small/)
    assert.deepEqual(await copies(), [])
  })
})
