import { RotaError } from '#base/errors.ts'
import { nearest } from '#base/nearest.ts'

/**
 * A small table of UCUM codes (ucum.org), each as its dimension and `value · factor + offset` in the dimension's base unit.
 * Years and months are UCUM's mean Julian ones (a = 365.25 d, mo = a/12).
 */
const UNITS: Readonly<Record<string, Unit>> = {
  ...group('number', { '1': 1, '%': 0.01, '[ppth]': 0.001, '10*-3': 0.001 }),
  ...group('pressure', { Pa: 1, kPa: 1000, 'mm[Hg]': 133.322, 'cm[H2O]': 98.0665, bar: 1e5, mbar: 100 }),
  ...group('mass concentration', {
    'g/L': 1,
    'mg/L': 1e-3,
    'ug/L': 1e-6,
    'ng/L': 1e-9,
    'g/dL': 10,
    'mg/dL': 1e-2,
    'ug/dL': 1e-5,
    'mg/mL': 1,
    'ug/mL': 1e-3,
    'ng/mL': 1e-6,
  }),
  ...group('amount concentration', { 'mol/L': 1, 'mmol/L': 1e-3, 'umol/L': 1e-6, 'nmol/L': 1e-9, 'pmol/L': 1e-12 }),
  ...group('time', { a: 31557600, mo: 2629800, wk: 604800, d: 86400, h: 3600, min: 60, s: 1, ms: 1e-3 }),
  ...group('mass', { kg: 1, g: 1e-3, mg: 1e-6, '[lb_av]': 0.45359237, '[oz_av]': 0.028349523125 }),
  ...group('length', { m: 1, cm: 0.01, mm: 1e-3, um: 1e-6, '[in_i]': 0.0254, '[ft_i]': 0.3048 }),
  ...group('volume', { L: 1, dL: 0.1, mL: 1e-3, uL: 1e-6 }),
  ...group('frequency', { Hz: 1, '/s': 1, '/min': 1 / 60, '{beats}/min': 1 / 60, '/h': 1 / 3600 }),
  ...group('body mass index', { 'kg/m2': 1, 'g/cm2': 10 }),
  ...group('cell count', { '10*9/L': 1e9, '10*3/uL': 1e9, '10*6/L': 1e6, '10*12/L': 1e12, '10*6/uL': 1e12, '/uL': 1e6 }),
  ...group('voltage', { V: 1, mV: 1e-3, uV: 1e-6 }),
  K: { dimension: 'temperature', factor: 1, offset: 0 },
  Cel: { dimension: 'temperature', factor: 1, offset: 273.15 },
  '[degF]': { dimension: 'temperature', factor: 5 / 9, offset: 273.15 - (32 * 5) / 9 },
}

/** Molar masses in g/mol, for units between mass and amount. */
const MOLAR_MASS: Readonly<Record<string, number>> = {
  cholesterol: 386.65,
  triglycerides: 885.43,
  glucose: 180.156,
  creatinine: 113.12,
  urea: 60.056,
  'urea nitrogen': 28.014,
  'uric acid': 168.11,
  bilirubin: 584.66,
  calcium: 40.078,
  albumin: 66500,
}

interface Unit {
  readonly dimension: string
  readonly factor: number
  readonly offset: number
}

export interface Conversion {
  /** False when nothing is changed, so that values stay exact. */
  readonly changes: boolean
  readonly convert: (value: number) => number
}

const IDENTITY: Conversion = { changes: false, convert: (value) => value }

export const knownUnits = (): readonly string[] => Object.keys(UNITS)
export const isKnownUnit = (unit: string): boolean => Object.hasOwn(UNITS, unit)

/**
 * @param substance needed between mass and amount concentrations only
 * @throws ROTA-3007 unknown unit, ROTA-3008 the units measure different things. Equal codes pass unread: a protocol may use any.
 */
export function conversion(feature: string, from: string, to: string, substance: string | undefined): Conversion {
  if (from === to) return IDENTITY
  const [a, b] = [unitOf(from), unitOf(to)]
  const bridge = bridgeBetween(a, b, substance)
  if (bridge === null) throw new RotaError('ROTA-3008', { feature, from, to, substances: Object.keys(MOLAR_MASS).join(', ') })
  return { changes: true, convert: (value) => ((value * a.factor + a.offset) * bridge - b.offset) / b.factor }
}

/** What a base value of `a` is multiplied by to be a base value of `b`; null when they cannot be compared. */
function bridgeBetween(a: Unit, b: Unit, substance: string | undefined): number | null {
  if (a.dimension === b.dimension) return 1
  const molarMass = substance === undefined ? undefined : MOLAR_MASS[substance.toLowerCase()]
  if (molarMass === undefined) return null
  if (a.dimension === 'mass concentration' && b.dimension === 'amount concentration') return 1 / molarMass
  return a.dimension === 'amount concentration' && b.dimension === 'mass concentration' ? molarMass : null
}

function unitOf(code: string): Unit {
  const unit = isKnownUnit(code) ? UNITS[code] : undefined
  if (unit === undefined) throw new RotaError('ROTA-3007', { unit: code, nearest: nearest(code, knownUnits()) })
  return unit
}

function group(dimension: string, factors: Readonly<Record<string, number>>): Record<string, Unit> {
  return Object.fromEntries(Object.entries(factors).map(([code, factor]) => [code, { dimension, factor, offset: 0 }]))
}
