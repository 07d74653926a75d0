import assert from 'node:assert/strict'
import { it } from 'node:test'
import { conversion, knownUnits } from '#adapters/cohort/units.ts'
import { isRotaError } from '#base/errors.ts'

/** Expected values from conversion tables of the units' definitions. */
const CASES: readonly (readonly [number, string, number, string, string?])[] = [
  [16, 'kPa', 120.01, 'mm[Hg]'],
  [120, 'mm[Hg]', 15.999, 'kPa'],
  [200, 'mg/dL', 5.1726, 'mmol/L', 'cholesterol'],
  [5.1726, 'mmol/L', 200, 'mg/dL', 'cholesterol'],
  [100, 'umol/L', 1.1312, 'mg/dL', 'creatinine'],
  [1, 'mg/dL', 88.402, 'umol/L', 'Creatinine'],
  [5.5, 'mmol/L', 99.086, 'mg/dL', 'glucose'],
  [2, 'a', 24, 'mo'],
  [18, 'mo', 1.5, 'a'],
  [365.25, 'd', 1, 'a'],
  [70, 'kg', 70000, 'g'],
  [154.324, '[lb_av]', 70, 'kg'],
  [178, 'cm', 1.78, 'm'],
  [72, '[in_i]', 182.88, 'cm'],
  [37, 'Cel', 98.6, '[degF]'],
  [98.6, '[degF]', 37, 'Cel'],
  [310.15, 'K', 37, 'Cel'],
  [45, '%', 0.45, '1'],
  [1.2, 'Hz', 72, '/min'],
  [6.1, '10*9/L', 6.1, '10*3/uL'],
]

for (const [value, from, expected, to, substance] of CASES) {
  it(`${value} ${from} is ${expected} ${to}${substance ? ` of ${substance}` : ''}`, () => {
    const got = conversion('x', from, to, substance).convert(value)
    assert.ok(Math.abs(got - expected) < 2e-4 * Math.abs(expected), String(got))
  })
}

it('goes there and back for each pair of units of a kind', () => {
  for (const from of knownUnits()) {
    for (const to of knownUnits()) {
      const there = attempt(from, to)
      if (there !== null) assert.ok(Math.abs((attempt(to, from)?.convert(there.convert(3.7)) ?? 0) - 3.7) < 1e-9, `${from} ${to}`)
    }
  }
})

it('changes nothing between equal codes, known or not', () => {
  const same = conversion('x', '{score}', '{score}', undefined)
  assert.equal(same.changes, false)
  assert.equal(same.convert(0.1 + 0.2), 0.1 + 0.2)
})

it('refuses unknown units, also names that every object has', () => {
  for (const unit of ['mmHg', 'constructor', ''])
    assert.throws(
      () => conversion('x', unit, 'kPa', undefined),
      (error) => isRotaError(error, 'ROTA-3007'),
    )
})

function attempt(from: string, to: string) {
  try {
    return conversion('x', from, to, undefined)
  } catch {
    return null
  }
}
