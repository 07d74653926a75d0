import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Branch } from '../../../scripts/coverage/marking.ts'
import { readOptions } from '../../../scripts/coverage/options.ts'
import { type CoverageResult, resultOf } from '../../../scripts/coverage/result.ts'
import { tableOf } from '../../../scripts/coverage/table.ts'

const LCOV = 'TN:\nSF:contracts/A.sol\nDA:3,1\nDA:4,0\nLH:1\nLF:2\nend_of_record\nSF:contracts/branches__.sol\nDA:1,0\nend_of_record\n'

const branch = (tag: number): Branch => ({ tag, file: 'contracts/A.sol', line: tag, kind: 'if', text: 'a', outcome: tag % 2 ? 'true' : 'false' })

/** Of 20 branches, so many seen. */
const result = (seen: number, lcov = LCOV): CoverageResult => {
  const branches = Array.from({ length: 20 }, (_, i) => branch(i + 1))
  const tags = new Set(branches.slice(0, seen).map(({ tag }) => tag))
  return resultOf({ branches, uncounted: [] }, { tags, lcov }, ['contracts/A.sol', 'contracts/IA.sol'])
}

const WHOLE = LCOV.replace('DA:4,0', 'DA:4,1')

describe('the result of coverage', () => {
  it('counts lines and branches of the project alone', () => {
    const { files, lines, branches } = result(17)
    assert.deepEqual(files, [{ file: 'contracts/A.sol', lines: { covered: 1, of: 2 }, branches: { covered: 17, of: 20 }, missedLines: [4] }])
    assert.deepEqual(
      [lines, branches],
      [
        { covered: 1, of: 2 },
        { covered: 17, of: 20 },
      ],
    )
  })

  it('names what no test took', () => {
    assert.deepEqual(
      result(17).missed.map(({ tag }) => tag),
      [18, 19, 20],
    )
    assert.match(tableOf(result(17)), /contracts\/A\.sol:18 {2}if `a` is never false/)
    assert.match(tableOf(result(17)), /Lines that no test comes to:\n {2}contracts\/A\.sol:4/)
  })

  it('reaches the bar at 95 % of both, not below it in one', () => {
    assert.equal(result(19, WHOLE).reached, true)
    assert.equal(result(18, WHOLE).reached, false)
    assert.equal(result(20).reached, false)
  })

  it('says what was not counted, and why', () => {
    const uncounted = [{ file: 'contracts/A.sol', line: 9, text: 'lt(n, 3)', reason: 'of its reason' }]
    assert.match(tableOf({ ...result(20, WHOLE), uncounted }), /Not counted:\n {2}contracts\/A\.sol:9 {2}lt\(n, 3\): of its reason/)
    assert.match(tableOf(result(20, WHOLE)), /All that decides was counted\. Both are 95 % or more\./)
  })
})

describe('the options of coverage', () => {
  it('are read', () => {
    assert.deepEqual(readOptions([]), { json: false })
    assert.deepEqual(readOptions(['--json']), { json: true })
    assert.equal(readOptions(['--help']), null)
    assert.throws(() => readOptions(['--html']), TypeError)
  })
})
