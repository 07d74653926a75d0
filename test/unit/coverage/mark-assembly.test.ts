import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Marked, mark } from '../../../scripts/coverage/mark.ts'
import { faultsOf, filesOf, SAMPLE, sampleOf } from './samples.ts'

const DECIDES = 'if lt(n, 3) { z := 4 } for { let i := 0 } lt(i, n) { i := add(i, 1) } { z := i } switch z case 1 { z := 2 } case 7 {} default { z := 3 }'
const OUTCOMES = ['assembly if true', 'assembly if false', 'assembly for true', 'assembly for false', 'switch case 1', 'switch case 7', 'switch default']

function marked(assembly: string, kind: string): Marked {
  const all = mark(filesOf(sampleOf(`assembly ("memory-safe") { ${assembly} }`, kind)))
  assert.deepEqual(faultsOf(all.sources), [])
  return all
}

const told = ({ branches }: Marked): string[] => branches.map(({ kind, outcome }) => `${kind} ${outcome}`)
const textOf = ({ sources }: Marked): string => sources.get(SAMPLE) ?? ''

describe('branches of assembly', () => {
  it('tell at once where calls may be', () => {
    const all = marked(DECIDES, 'view')
    assert.deepEqual(told(all), OUTCOMES)
    assert.doesNotMatch(textOf(all), /told__\(/)
  })

  it('are noted, and told behind the block, in a pure function', () => {
    const all = marked(DECIDES, 'pure')
    assert.deepEqual(told(all), OUTCOMES)
    assert.match(textOf(all), /told__\(1\); }/)
  })

  it('are noted where a call would change what is read', () => {
    assert.match(textOf(marked('if lt(n, 3) { z := returndatasize() }', 'view')), /told__\(1\); }/)
  })

  it('has one more where a switch has no default', () => {
    assert.deepEqual(told(marked('switch n case 1 { z := 2 }', 'view')), ['switch case 1', 'switch no case'])
  })

  it('are none of a loop for ever', () => {
    assert.deepEqual(told(marked('for {} 1 {} { break }', 'pure')), [])
  })

  it('may be the only statement of an if', () => {
    const all = mark(filesOf(sampleOf('if (a) assembly { if n { z := 1 } }')))
    assert.deepEqual(faultsOf(all.sources), [])
    assert.deepEqual(told(all), ['if true', 'if false', 'assembly if true', 'assembly if false'])
  })

  it('are left out, with the reason, where they could not tell', () => {
    const ends = marked('if lt(n, 3) { revert(0, 0) }', 'pure')
    assert.deepEqual([ends.branches.length, ends.uncounted.length], [0, 1])
    assert.match(ends.uncounted[0]?.reason ?? '', /end the call/)
    const moves = marked('if lt(n, 3) { mstore(0x40, add(mload(0x40), 32)) }', 'pure')
    assert.match(moves.uncounted[0]?.reason ?? '', /free memory pointer/)
  })
})
