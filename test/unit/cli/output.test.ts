import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytes, chainSeconds, count, fixed, percent, pValue, seconds, significant } from '#base/format.ts'
import { auditText } from '#cli/output/audit-text.ts'
import { toJson } from '#cli/output/output.ts'
import { plain } from '#cli/output/style.ts'
import { facts, table } from '#cli/output/table.ts'

describe('a table', () => {
  it('stands columns of numbers on the right and texts on the left', () => {
    const text = table(
      ['site', 'n', 'auc'],
      [
        ['cleveland', 104, '0.9'],
        ['va', 5, null],
      ],
    )
    assert.equal(text, ['site         n  auc', '─────────  ───  ───', 'cleveland  104  0.9', 'va           5    –'].join('\n'))
  })

  it('counts signs, not bytes or escape sequences', () => {
    const [head, , first, second] = table(
      ['a', 'b'],
      [
        ['\x1b[32mäö\x1b[39m', 'x'],
        ['abcd', 'y'],
      ],
    ).split('\n')
    assert.equal(head, 'a     b')
    assert.equal(first, '\x1b[32mäö\x1b[39m    x')
    assert.equal(second, 'abcd  y')
  })

  it('cuts what is too long', () => {
    assert.match(table(['a'], [['x'.repeat(100)]]), /^x{63}…$/m)
    // Another hospital chose its name.
    assert.equal(
      table(['a', 'b'], [['\x1b[2J\x1b[1;1Hx\ny', '\x1b[32mgood\x1b[39m']])
        .split('\n')
        .at(-1),
      ' [2J [1;1Hx y  \x1b[32mgood\x1b[39m',
    )
  })

  it('may be empty', () => {
    assert.equal(table(['a', 'b'], []), 'a  b\n─  ─')
  })

  it('lists facts side by side', () => {
    assert.equal(
      facts([
        ['name', 'va'],
        ['address', null],
      ]),
      'name     va\naddress  –',
    )
  })
})

describe('an audit of nothing', () => {
  it('does not say that anything holds', () => {
    const text = auditText({ rounds: [], faults: [], notes: [], ok: true }, plain)
    assert.match(text, /there is nothing to verify/)
    assert.doesNotMatch(text, /hold/)
  })
})

describe('numbers for people', () => {
  it('have a dash for what is not defined', () => {
    for (const form of [fixed, significant, pValue, percent, count, bytes, seconds] as ((x: number | null, digits: number) => string)[]) {
      for (const nothing of [null, Number.NaN, Number.POSITIVE_INFINITY]) assert.equal(form(nothing, 2), '–')
    }
  })

  it('read well', () => {
    assert.equal(fixed(-0.00001, 2), '0.00')
    assert.equal(significant(0.000802563), '0.0008026')
    assert.equal(significant(139.2819), '139.3')
    assert.equal(significant(1.5e-9), '1.500e-9')
    assert.equal(pValue(0.0004), '<0.001')
    assert.equal(percent(0.7953), '79.5 %')
    assert.equal(count(1234567), '1 234 567')
    assert.deepEqual([12, 999.6, 11_700, 40e6].map(bytes), ['12 B', '1.00 kB', '11.7 kB', '40.0 MB'])
    assert.deepEqual([0.057, 3.17, 600].map(seconds), ['57 ms', '3.2 s', '10 min'])
    assert.deepEqual([0, 2, null].map(chainSeconds), ['< 1 s', '2.0 s', '–'])
  })
})

describe('JSON for machines', () => {
  it('has null for what is no number, and no surprises', () => {
    assert.equal(
      toJson({ a: Number.NaN, b: [Number.POSITIVE_INFINITY, 1], c: 12n, d: 2n ** 80n, e: Uint8Array.of(1, 255), f: Float64Array.of(1, Number.NaN) }),
      '{"a":null,"b":[null,1],"c":12,"d":"1208925819614629174706176","e":"0x01ff","f":[1,null]}',
    )
  })
})
