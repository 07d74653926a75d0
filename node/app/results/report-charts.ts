import { fixed } from '#base/format.ts'
import type { RegressionResults } from '#core/learner/results.ts'
import { escapeHtml } from './report-markup.ts'
import type { Curves } from './results.ts'

const ACCENT = '#0b6e75'
const LINE = '#d5dce4'
const INK = '#1b2430'

/** Estimates with their 95 % intervals, one line a column; ratios on a logarithmic axis, coefficients on a linear one. */
export function forestPlot(results: RegressionResults): string {
  const ratios = results.ratio !== null
  const points = results.columns
    .map((name, j) => ({
      name,
      at: (ratios ? results.ratio?.[j] : results.coef[j]) ?? null,
      ci: (ratios ? results.ratioCi95?.[j] : results.ci95?.[j]) ?? null,
    }))
    .filter(({ name, at }) => name !== '(intercept)' && at !== null && Number.isFinite(at)) as {
    name: string
    at: number
    ci: readonly [number, number] | null
  }[]
  if (points.length === 0) return ''
  const view = ratios ? Math.log : (x: number) => x
  const neutral = ratios ? 1 : 0
  const all = points.flatMap(({ at, ci }) => (ci ? [...ci] : [at])).filter((x) => Number.isFinite(view(x)))
  const reach = { low: Math.min(neutral, ...all), high: Math.max(neutral, ...all) }
  const left = 190
  const right = 650
  const pad = (view(reach.high) - view(reach.low)) * 0.05 || 1
  const span = view(reach.high) - view(reach.low) + 2 * pad
  const x = (value: number): number => left + ((view(Math.min(reach.high, Math.max(reach.low, value))) - view(reach.low) + pad) / span) * (right - left)
  const height = 24 * points.length + 46
  const axis = ticks(reach.low, reach.high, ratios).map(
    (tick) =>
      `<line x1="${n(x(tick))}" x2="${n(x(tick))}" y1="8" y2="${height - 32}" stroke="${LINE}"/><text class="quiet" x="${n(x(tick))}" y="${height - 16}" text-anchor="middle">${tick}</text>`,
  )
  const rows = points.map(({ name, at, ci }, i) => {
    const y = 22 + 24 * i
    const bar = ci ? `<line x1="${n(x(ci[0]))}" x2="${n(x(ci[1]))}" y1="${y}" y2="${y}" stroke="${INK}" stroke-width="1.5"/>` : ''
    const told = ci ? `${fixed(at, 2)} (${fixed(ci[0], 2)} to ${fixed(ci[1], 2)})` : fixed(at, 2)
    return `<text x="${left - 14}" y="${y + 4}" text-anchor="end">${escapeHtml(short(name))}</text>${bar}<rect x="${n(x(at) - 4)}" y="${y - 4}" width="8" height="8" fill="${ACCENT}"/><text x="820" y="${y + 4}" text-anchor="end">${told}</text>`
  })
  const zero = `<line x1="${n(x(neutral))}" x2="${n(x(neutral))}" y1="8" y2="${height - 32}" stroke="${INK}" stroke-dasharray="4 3"/>`
  const per = results.isPrivate ? 'half of its range' : 'standard deviation'
  const caption = ratios
    ? `Ratio per ${per} with its 95 % interval; left of 1 the feature goes with less, right of 1 with more.`
    : `Coefficient per ${per} with its 95 % interval.`
  return `<figure><svg viewBox="0 0 830 ${height}" role="img" aria-label="Estimates with intervals">${axis.join('')}${zero}${rows.join('')}</svg><figcaption>${caption}</figcaption></figure>`
}

export function rocPlot({ roc, rows }: Curves, auc: number | null): string {
  if (roc.length === 0) return '<figure><p class="note">No ROC curve: the rows hold one outcome only.</p></figure>'
  const line = roc.map(({ falsePositiveRate, truePositiveRate }) => `${n(px(falsePositiveRate))},${n(py(truePositiveRate))}`).join(' ')
  const body = `<polyline points="${line}" fill="none" stroke="${ACCENT}" stroke-width="2"/>`
  return square(
    'ROC',
    'false positive rate',
    'true positive rate',
    body,
    `ROC of ${rows}${auc === null ? '' : `; area under the curve ${fixed(auc, 3)}`}. The dashed line is chance.`,
  )
}

export function calibrationPlot({ calibration, rows, n: total }: Curves): string {
  const filled = calibration.filter(({ n: rowsHere }) => rowsHere > 0)
  const dots = filled.map(({ meanScore, observed, n: rowsHere }) => {
    const share = Math.sqrt(rowsHere / total)
    return `<circle cx="${n(px(meanScore ?? 0))}" cy="${n(py(observed ?? 0))}" r="${n(3 + 9 * share)}" fill="${ACCENT}" fill-opacity="0.75"/>`
  })
  const line = filled.map(({ meanScore, observed }) => `${n(px(meanScore ?? 0))},${n(py(observed ?? 0))}`).join(' ')
  const body = `<polyline points="${line}" fill="none" stroke="${ACCENT}" stroke-width="1"/>${dots.join('')}`
  return square(
    'Calibration',
    'predicted',
    'observed',
    body,
    `Calibration on ${rows}: share of positives against the mean prediction, in ten bins; larger dots hold more rows. On the dashed line predictions hold.`,
  )
}

const SIDE = 300
const px = (share: number): number => 46 + SIDE * share
const py = (share: number): number => 14 + SIDE * (1 - share)

function square(label: string, across: string, up: string, body: string, caption: string): string {
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (t) =>
      `<line x1="${px(t)}" x2="${px(t)}" y1="${py(1)}" y2="${py(0)}" stroke="${LINE}"/><line x1="${px(0)}" x2="${px(1)}" y1="${py(t)}" y2="${py(t)}" stroke="${LINE}"/>` +
      `<text class="quiet" x="${px(t)}" y="${py(0) + 17}" text-anchor="middle">${t}</text><text class="quiet" x="${px(0) - 7}" y="${py(t) + 4}" text-anchor="end">${t}</text>`,
  )
  const names = `<text x="${px(0.5)}" y="${py(0) + 36}" text-anchor="middle">${across}</text><text x="12" y="${py(0.5)}" text-anchor="middle" transform="rotate(-90 12 ${py(0.5)})">${up}</text>`
  const chance = `<line x1="${px(0)}" y1="${py(0)}" x2="${px(1)}" y2="${py(1)}" stroke="${INK}" stroke-dasharray="4 3"/>`
  return `<figure><svg viewBox="0 0 362 360" role="img" aria-label="${label}">${grid.join('')}${chance}${body}${names}</svg><figcaption>${escapeHtml(caption)}</figcaption></figure>`
}

/** Four to eight round values; on a logarithmic axis 1, 2 and 5 times powers of ten, and finer where these are too few. */
export function ticks(low: number, high: number, logarithmic: boolean): number[] {
  if (!logarithmic) {
    const step = roundStep((high - low) / 5)
    return range(Math.ceil(low / step), Math.floor(high / step)).map((k) => Number((k * step).toPrecision(12)))
  }
  const powers = range(Math.floor(Math.log10(low)), Math.ceil(Math.log10(high)))
  const marks = (digits: readonly number[]) =>
    powers.flatMap((power) => digits.map((digit) => Number((digit * 10 ** power).toPrecision(6)))).filter((tick) => tick >= low && tick <= high)
  const sets = [marks([1, 2, 5]), marks([1, 1.5, 2, 3, 5, 7]), marks([1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 7, 8, 9])]
  return sets.find((set) => set.length >= 4) ?? (sets.at(-1) as number[])
}

function roundStep(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(wanted || 1))
  const digit = wanted / power
  return (digit > 5 ? 10 : digit > 2 ? 5 : digit > 1 ? 2 : 1) * power
}

const range = (from: number, to: number): number[] => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
const short = (name: string): string => (name.length > 26 ? `${name.slice(0, 25)}…` : name)
const n = (value: number): string => String(Math.round(100 * value) / 100)
