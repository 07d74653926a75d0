import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Marked, mark } from '../../../scripts/coverage/mark.ts'
import { PROBES_FILE } from '../../../scripts/coverage/probes.ts'
import { faultsOf, filesOf, SAMPLE, sampleOf } from './samples.ts'

/** Marks a sample; what comes out must compile. */
function marked(source: string): Marked {
  const all = mark(filesOf(source))
  assert.deepEqual(faultsOf(all.sources), [])
  return all
}

const told = ({ branches }: Marked): string[] => branches.map(({ kind, text, outcome }) => `${kind} ${text}: ${outcome}`)

const both = (what: string): string[] => [`${what}: true`, `${what}: false`]

const lineOf = ({ sources }: Marked, line: number): string | undefined => sources.get(SAMPLE)?.split('\n')[line - 1]

describe('branches of Solidity', () => {
  it('are both outcomes of a condition, with and without else', () => {
    const all = marked(sampleOf('if (a) z = 1;\nif (b) { z = 2; } else z = 3;'))
    assert.deepEqual(told(all), [...both('if a'), ...both('if b')])
    assert.deepEqual(
      all.branches.map(({ tag, line }) => [tag, line]),
      [
        [1, 4],
        [2, 4],
        [3, 5],
        [4, 5],
      ],
    )
    assert.equal(lineOf(all, 4), 'if (seen__(a, 1)) z = 1;')
  })

  it('are of loops, ternaries, require and assert', () => {
    const body = 'for (uint256 i = 0; i < n; ++i) ++z;\nwhile (z > n) --z;\ndo { ++z; } while (z < n);\nrequire(a, "not a");\nassert(b);\nz = a ? 1 : 2;'
    assert.deepEqual(told(marked(sampleOf(body))), [...['for i < n', 'while z > n', 'do while z < n', 'require a', 'assert b', '?: a'].flatMap(both)])
  })

  it('are of each operand of && and || by itself, brackets or not', () => {
    const all = marked(sampleOf('if (a && (b || n > 3)) z = 1;\nbool c = a || b;\nz = c ? 1 : 0;'))
    const ofIf = ['if a && (b || n > 3)', '&& a', '|| b', '|| n > 3']
    assert.deepEqual(new Set(told(all)), new Set([...ofIf, '|| a', '|| b', '?: c'].flatMap(both)))
    assert.equal(all.branches.length, 14)
  })

  it('are none of what cannot be otherwise', () => {
    assert.deepEqual(told(marked(sampleOf('while (true) { ++z; if (((true))) break; }\nfor (;;) { break; }'))), [])
  })

  it('are the clauses of try, and those of a modifier', () => {
    const clauses = 'try this.g() { z = 1; } catch Error(string memory) { z = 2; } catch {}'
    const source = sampleOf(clauses, 'only(a)').replace(
      'contract Sample {',
      'contract Sample { modifier only(bool c) { if (!c) revert(); _; } function g() external {}',
    )
    const kinds = marked(source).branches.map(({ kind, outcome }) => `${kind} ${outcome}`)
    assert.deepEqual(kinds, ['if true', 'if false', 'try taken', 'try taken', 'try taken'])
  })

  it('keep their lines, in text beyond ASCII too', () => {
    const all = marked(sampleOf('// Σ ‖ − 𝔽\nif (\n  a &&\n  b\n) z = 1;'))
    assert.deepEqual(
      all.branches.filter(({ outcome }) => outcome === 'true').map(({ kind, line }) => `${kind} ${line}`),
      ['if 6', '&& 6', '&& 7'],
    )
    assert.equal(lineOf(all, 8), ') z = 1;')
  })

  it('count on over all sources', () => {
    const source = sampleOf('if (a) z = 1;')
    const { branches } = mark(
      new Map([
        ['contracts/A.sol', source],
        ['contracts/B.sol', source],
      ]),
    )
    assert.deepEqual(
      branches.map(({ file, tag }) => `${file} ${tag}`),
      ['contracts/A.sol 1', 'contracts/A.sol 2', 'contracts/B.sol 3', 'contracts/B.sol 4'],
    )
  })

  it('are left out of a constant, with the reason', () => {
    const { branches, uncounted } = marked(`${sampleOf('z = X;')}uint256 constant X = true ? 1 : 2;\n`)
    assert.deepEqual(branches, [])
    assert.match(uncounted[0]?.reason ?? '', /constant/)
  })

  it('need a source that can be read', () => {
    assert.throws(() => mark(filesOf('contract {')), /Sample\.sol cannot be read/)
  })
})

describe('a source in which nothing decides', () => {
  it('stays as it is', () => {
    const source = sampleOf('z = n;')
    assert.equal(mark(filesOf(source)).sources.get(SAMPLE), source)
    assert.ok(mark(filesOf(source)).sources.has(PROBES_FILE))
  })
})
