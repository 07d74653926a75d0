import { ticks } from '#app/results/report-charts.ts'
import { escapeHtml, htmlTable, section } from '#app/results/report-markup.ts'
import type { TextTable } from '#app/results/results-tables.ts'
import { count, fixed, percent } from '#base/format.ts'
import type { DryRun } from './dry-run.ts'

const shown = ({ figure }: DryRun, value: number): string => (figure === 'accuracy' ? percent(value) : fixed(value, 3))

export const dryRunTable = (dry: DryRun): TextTable => ({
  title: `${dry.figure === 'accuracy' ? 'Accuracy' : 'R²'} to expect`,
  head: ['epsilon', 'mean', 'worst', 'best'],
  rows: [
    ...dry.targets.map(({ epsilon, mean, low, high }) => [String(epsilon), ...[mean, low, high].map((value) => shown(dry, value))]),
    ['no noise', shown(dry, dry.without), '', ''],
    ['guessing', shown(dry, dry.guessing), '', ''],
  ],
  note: `A dry run on this file alone: ${dry.model}, ${count(dry.train)} rows fitted and ${count(dry.test)} judged (${
    dry.heldOut === 'marked' ? 'those marked as test' : 'every fourth'
  }), 11 fits each with noise of its own. More sites together do better: their noise adds up slower than their rows. Made from rows without protection: keep it here.`,
})

export const dryRunSection = (dry: DryRun): string => section('What to expect on this file', dryRunChart(dry), htmlTable(dryRunTable(dry)))

const [LEFT, RIGHT, TOP, BOTTOM] = [52, 640, 14, 300]
const LINE = '#d5dce4'
const INK = '#1b2430'
const ACCENT = '#0b6e75'

/** The figure for each epsilon with the worst and the best fit; lines across: without noise, and guessing. */
function dryRunChart(dry: DryRun): string {
  const { targets, without, guessing, figure } = dry
  const all = [without, guessing, ...targets.flatMap(({ low, high }) => [low, high])].map(floor)
  const [low, high] = [Math.min(...all) - 0.02, Math.max(...all) + 0.02]
  const [first, last] = [Math.log(targets[0]?.epsilon ?? 1) - 0.2, Math.log(targets.at(-1)?.epsilon ?? 1) + 0.2]
  const x = (epsilon: number): number => LEFT + ((Math.log(epsilon) - first) / (last - first)) * (RIGHT - LEFT)
  const y = (value: number): number => BOTTOM - ((floor(value) - low) / (high - low)) * (BOTTOM - TOP)
  const grid = ticks(low, high, false).map(
    (tick) =>
      `<line x1="${LEFT}" x2="${RIGHT}" y1="${n(y(tick))}" y2="${n(y(tick))}" stroke="${LINE}"/>${text(LEFT - 7, y(tick) + 4, String(tick), 'end', true)}`,
  )
  const across = (value: number, name: string): string =>
    `<line x1="${LEFT}" x2="${RIGHT}" y1="${n(y(value))}" y2="${n(y(value))}" stroke="${INK}" stroke-dasharray="4 3"/>${text(RIGHT + 8, y(value) + 4, name, 'start', false)}`
  const points = targets.map(
    (t) =>
      `<line x1="${n(x(t.epsilon))}" x2="${n(x(t.epsilon))}" y1="${n(y(t.low))}" y2="${n(y(t.high))}" stroke="${INK}" stroke-width="1.5"/>` +
      `<circle cx="${n(x(t.epsilon))}" cy="${n(y(t.mean))}" r="4" fill="${ACCENT}"/>${text(x(t.epsilon), BOTTOM + 17, String(t.epsilon), 'middle', true)}`,
  )
  const path = targets.map((t) => `${n(x(t.epsilon))},${n(y(t.mean))}`).join(' ')
  const curve = `<polyline points="${path}" fill="none" stroke="${ACCENT}" stroke-width="2"/>`
  const names = text((LEFT + RIGHT) / 2, BOTTOM + 36, 'epsilon', 'middle', false)
  const caption = escapeHtml(`${figure} by epsilon: the mean of 11 fits, and the worst and best of them.`)
  const body = [...grid, across(without, 'no noise'), across(guessing, 'guessing'), curve, ...points, names].join('')
  return `<figure><svg viewBox="0 0 830 346" role="img" aria-label="${figure} by epsilon">${body}</svg><figcaption>${caption}</figcaption></figure>`
}

/** An R² far below 0 says no more than one a little below it. */
const floor = (value: number): number => Math.max(-0.5, value)

const text = (x: number, y: number, words: string, anchor: string, quiet: boolean): string =>
  `<text${quiet ? ' class="quiet"' : ''} x="${n(x)}" y="${n(y)}" text-anchor="${anchor}">${words}</text>`

const n = (value: number): string => String(Math.round(100 * value) / 100)
