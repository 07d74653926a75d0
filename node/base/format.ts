/** Numbers as people read them, for tables, reports and progress. A dash stands for what has no value. */
export const NO_VALUE = '–'

type Maybe = number | null | undefined

const known = (x: Maybe): x is number => x !== null && x !== undefined && Number.isFinite(x)

/** A fixed number of digits after the point. */
export const fixed = (x: Maybe, digits: number): string =>
  known(x) ? (Object.is(Number(x.toFixed(digits)), -0) ? (0).toFixed(digits) : x.toFixed(digits)) : NO_VALUE

/** A fixed number of digits that count; exponents only beyond the readable. */
export function significant(x: Maybe, digits = 4): string {
  if (!known(x)) return NO_VALUE
  if (x === 0) return '0'
  const size = Math.abs(x)
  if (size >= 1e7 || size < 1e-4) return x.toExponential(digits - 1)
  return x.toFixed(Math.max(0, Math.min(12, digits - 1 - Math.floor(Math.log10(size)))))
}

/** Probabilities of tests: three digits after the point, then "<0.001". */
export const pValue = (p: Maybe): string => (known(p) ? (p < 0.001 ? '<0.001' : p.toFixed(3)) : NO_VALUE)

export const percent = (x: Maybe, digits = 1): string => (known(x) ? `${(100 * x).toFixed(digits)} %` : NO_VALUE)

/** Counts with thin groups: 12 345. */
export const count = (n: Maybe): string => (known(n) ? String(Math.round(n)).replace(/\B(?=(\d{3})+(?!\d))/g, ' ') : NO_VALUE)

/** With what is counted, as people say it: 1 round, 2 rounds. */
export const counted = (n: number, one: string): string => `${count(n)} ${one}${n === 1 ? '' : 's'}`

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** Bytes in powers of 1,000. */
export function bytes(n: Maybe): string {
  if (!known(n)) return NO_VALUE
  let unit = 0
  let value = n
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 ? Math.round(value) : value.toPrecision(3)} ${UNITS[unit]}`
}

export function seconds(s: Maybe): string {
  if (!known(s)) return NO_VALUE
  if (s < 1) return `${Math.round(1000 * s)} ms`
  if (s < 120) return `${s.toFixed(1)} s`
  return s < 7200 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`
}

/** Between two blocks, whose times are whole seconds. */
export const chainSeconds = (s: Maybe): string => (s === 0 ? '< 1 s' : seconds(s))

/** 0x12345678…: enough to compare by eye. */
export const shortHex = (hex: string | null | undefined): string => (hex ? `${hex.slice(0, 10)}…` : NO_VALUE)
