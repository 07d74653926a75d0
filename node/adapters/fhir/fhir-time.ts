/** From `from` up to, not including, `to`, in ms since 1970; null: no end on that side. */
export interface Span {
  readonly from: number | null
  readonly to: number | null
}

/** A moment as exactly as it was written: a year, a month, a day, a second. */
export interface Moment {
  readonly from: number
  readonly to: number
}

const DATE_TIME = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(Z|[+-]\d{2}:\d{2}))?)?)?$/

/**
 * R4 dateTime. One without a time of day has no time zone in FHIR; here it is that day in UTC.
 * @returns null when it is no date, also one that no calendar has
 * @see http://hl7.org/fhir/R4/datatypes.html#dateTime
 */
export function momentOf(text: string): Moment | null {
  const found = DATE_TIME.exec(text)
  if (found === null) return null
  const [, year = '', month, day, hour, minute, second, fraction, zone] = found
  if (zone !== undefined && fraction !== undefined) return spanFrom(Date.parse(`${text.slice(0, 19)}.${fraction.slice(0, 3).padEnd(3, '0')}${zone}`), 1, text)
  if (zone !== undefined) return hour === '24' || minute === '60' ? null : spanFrom(Date.parse(second === '60' ? text.replace(':60', ':59') : text), 1000, text)
  const [y, m] = [Number(year), Number(month ?? 1)]
  if (y === 0 || m < 1 || m > 12) return null
  if (month === undefined) return { from: Date.UTC(y, 0), to: Date.UTC(y + 1, 0) }
  if (day === undefined) return { from: Date.UTC(y, m - 1), to: Date.UTC(y, m) }
  return spanFrom(Date.parse(`${year}-${month}-${day}`), 86_400_000, text)
}

function spanFrom(from: number, length: number, text: string): Moment | null {
  const days = new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate()
  const day = Number(text.slice(8, 10))
  return Number.isNaN(from) || day < 1 || day > days ? null : { from, to: from + length }
}

/** R4 Period: its end is part of it, as exactly as it was written. Null when it ends before it begins, or is no period. */
export function spanOf(period: { readonly start?: string | undefined; readonly end?: string | undefined }): Span | null {
  const start = period.start === undefined ? undefined : momentOf(period.start)
  const end = period.end === undefined ? undefined : momentOf(period.end)
  if (start === null || end === null) return null
  if (start !== undefined && end !== undefined && end.to <= start.from) return null
  return { from: start?.from ?? null, to: end?.to ?? null }
}

export const holds = ({ from, to }: Span, atMs: number): boolean => (from === null || atMs >= from) && (to === null || atMs < to)
